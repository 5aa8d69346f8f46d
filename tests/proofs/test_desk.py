"""The proof desk: what a receipt says, compared with the order and with all other orders."""

from typing import Any
from uuid import UUID

import pytest

from tests.conftest import NewPerson, RunJobs
from tests.pix import receipts
from tests.proofs.counter import KEY, PAID, RECIPIENT, Counter, open_counter, receipt
from tests.proofs.rendered import pdf


def codes(desk: Any) -> list[str]:
    return [each["code"] for each in desk["reasons"]]


async def read_proof(counter: Counter, run_jobs: RunJobs, text: str, **more: Any) -> Any:
    order_id = await counter.order(**more)
    await counter.prove(order_id, pdf(text))
    await run_jobs()
    return await counter.desk(order_id)


async def test_receipt_that_fits_has_a_low_risk_and_confirms_nothing(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id = await counter.order()
    await counter.prove(order_id, pdf(receipt()))
    await run_jobs()

    proofs = await counter.proofs(order_id)

    assert proofs["versions"][0]["reading"] == "read"
    desk = proofs["desk"]
    assert (desk["applies"], desk["risk"], desk["reasons"]) == (True, "low", [])
    assert desk["amount"] == {"found": [PAID], "expected": PAID, "matches": True}
    assert desk["recipient"] == {
        "found": [RECIPIENT],
        "expected": RECIPIENT,
        "matches": True,
    }
    assert (desk["key"]["expected"], desk["key"]["matches"]) == (KEY, True)
    assert "11222333000181" in desk["key"]["found"]
    assert desk["date"]["found"] == ["2026-11-21T14:32:05-03:00"]
    assert desk["date"]["matches"] is True
    assert desk["end_to_end_id"] == {
        "found": ["E18236120202611211732s14787e0000"],
        "expected": None,
        "matches": True,
    }
    assert desk["txid"]["expected"] == "VEK000001"
    assert desk["txid"]["matches"] is None
    assert (await counter.order_of(order_id))["status"] == "proof_received"


@pytest.mark.parametrize("bank", [name for name in receipts.ALL if name != "photo"])
async def test_receipt_of_each_bank_fits(
    counter: Counter, run_jobs: RunJobs, bank: str
) -> None:
    # Some of them name order 42.
    await counter.execute(
        "INSERT INTO vek1_api.order_counters (store_id, last) VALUES ($1, 41)",
        UUID(counter.store_id),
    )
    order_id = await counter.order()
    await counter.prove(order_id, pdf(receipts.ALL[bank]))
    await run_jobs()

    desk = await counter.desk(order_id)

    assert "amount_differs" not in codes(desk)
    assert "recipient_differs" not in codes(desk)
    assert desk["amount"]["matches"] is True
    assert desk["end_to_end_id"]["matches"] is True
    assert desk["date"]["matches"] is True


WRONG: dict[str, tuple[str, str, str, str | None]] = {
    "another amount": (receipt(amount="R$ 15,99"), "amount_differs", "high", "amount"),
    "an amount in the payer's message": (
        receipt() + "\nMensagem: R$ 10,00",
        "several_amounts",
        "medium",
        None,
    ),
    "no amount": (receipt(amount="—"), "amount_not_found", "medium", None),
    "the day before": (
        receipt(date="20 NOV 2026 - 14:32:05"),
        "date_before_order",
        "high",
        "date",
    ),
    "a day to come": (
        receipt(date="21 NOV 2031 - 14:32:05"),
        "date_in_future",
        "high",
        "date",
    ),
    "another day than the id's": (
        receipt(date="22 NOV 2026 - 18:32:05"),
        "end_to_end_id_time_differs",
        "high",
        "end_to_end_id",
    ),
    "an id of no month": (
        receipt(end_to_end_id="E18236120202613211732s14787e325d"),
        "end_to_end_id_malformed",
        "medium",
        "end_to_end_id",
    ),
    "an id that is too short": (
        receipt(end_to_end_id="E18236120202611211732s14787e"),
        "end_to_end_id_malformed",
        "medium",
        "end_to_end_id",
    ),
    "no id": (receipt(end_to_end_id="—"), "end_to_end_id_not_found", "medium", None),
    "another order's txid": (
        receipt() + "\nIdentificador VEK000999",
        "txid_of_another_order",
        "high",
        "txid",
    ),
    "a promise": (
        receipt() + "\nPix agendado para 21/11/2026",
        "scheduled",
        "high",
        None,
    ),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_does_not_fit_is_said_in_portuguese(
    counter: Counter, run_jobs: RunJobs, what: str
) -> None:
    text, code, risk, check = WRONG[what]

    desk = await read_proof(counter, run_jobs, text)

    assert code in codes(desk)
    assert desk["risk"] == risk
    [found] = [each for each in desk["reasons"] if each["code"] == code]
    assert found["risk"] == risk
    assert found["message"].endswith(".")
    assert "{" not in found["message"]
    if check is not None:
        assert desk[check]["matches"] is False


async def test_money_for_somebody_else_is_a_high_risk(
    counter: Counter, run_jobs: RunJobs
) -> None:
    text = receipt(name="João Carlos Pereira").replace(KEY, "joao@example.com")

    desk = await read_proof(counter, run_jobs, text)

    assert codes(desk) == ["recipient_differs"]
    assert desk["risk"] == "high"
    assert (desk["recipient"]["matches"], desk["key"]["matches"]) == (False, None)
    assert "João Carlos Pereira" in desk["reasons"][0]["message"]


async def test_other_name_behind_the_stores_own_key_is_no_difference(
    counter: Counter, run_jobs: RunJobs
) -> None:
    desk = await read_proof(counter, run_jobs, receipt(name="José da Silva Pães"))

    assert (desk["recipient"]["matches"], desk["key"]["matches"]) == (None, True)
    assert desk["risk"] == "low"


async def test_tax_id_that_is_the_key_counts_though_it_is_masked(
    counter: Counter, run_jobs: RunJobs
) -> None:
    settings = {
        "manual_pix_key": "11222333000181",
        "manual_pix_key_type": "cnpj",
        "manual_pix_recipient": "Zé Confeitaria",
        "manual_pix_city": "São Paulo",
    }
    path = f"/v1/stores/{counter.store_id}/payment-settings"
    await counter.person.request("PUT", path, json=settings)
    text = receipt().replace("11.222.333/0001-81", "**.222.333/0001-**")

    desk = await read_proof(counter, run_jobs, text)

    assert (desk["key"]["matches"], desk["risk"]) == (True, "low")


async def test_own_txid_fits(counter: Counter, run_jobs: RunJobs) -> None:
    desk = await read_proof(counter, run_jobs, receipt() + "\nIdentificador VEK000001")

    assert (desk["txid"]["matches"], desk["risk"]) == (True, "low")


async def test_same_file_in_two_orders_makes_both_risky(
    counter: Counter, run_jobs: RunJobs
) -> None:
    first, second = await counter.order(), await counter.order()
    content = pdf(receipt())
    await counter.prove(first, content)
    await run_jobs()
    assert (await counter.desk(first))["risk"] == "low"

    await counter.prove(second, content)
    await run_jobs()

    for order_id, other in ((first, "2"), (second, "1")):
        desk = await counter.desk(order_id)
        assert codes(desk) == ["file_reused", "end_to_end_id_reused"]
        assert desk["risk"] == "high"
        assert desk["end_to_end_id"]["matches"] is False
        assert desk["reasons"][0]["message"] == (
            f"Este mesmo arquivo também foi enviado no pedido {other}."
        )


async def test_same_payment_in_another_picture_makes_both_risky_in_any_order(
    counter: Counter, run_jobs: RunJobs
) -> None:
    first, second = await counter.order(), await counter.order()
    # As OCR reads it: a small s and a zero for an O are the same payment.
    misread = receipt().replace("s14787e0000", "S14787eO0O0")
    await counter.prove(second, pdf(misread))
    await run_jobs()
    assert (await counter.desk(second))["risk"] == "low"

    await counter.prove(first, pdf(receipt()))
    await run_jobs()

    for order_id in (first, second):
        assert codes(await counter.desk(order_id)) == ["end_to_end_id_reused"]


async def test_proofs_of_the_same_order_are_no_reuse(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id = await counter.order()
    for text in (receipt(), receipt() + "\nsegunda via"):
        await counter.prove(order_id, pdf(text))
    await run_jobs()

    assert (await counter.desk(order_id))["reasons"] == []


async def test_other_companies_proofs_tell_nothing(
    counter: Counter, new_person: NewPerson, run_jobs: RunJobs
) -> None:
    theirs = await open_counter(await new_person(), counter.resources)
    content = pdf(receipt())
    await theirs.prove(await theirs.order(), content)

    desk = await read_proof(counter, run_jobs, receipt())

    assert desk["reasons"] == []


async def test_newest_version_is_the_one_that_counts(
    counter: Counter, run_jobs: RunJobs
) -> None:
    order_id = await counter.order()
    await counter.prove(order_id, pdf(receipt(amount="R$ 1,59")))
    await run_jobs()
    assert codes(await counter.desk(order_id)) == ["amount_differs"]

    await counter.prove(order_id, pdf(receipt(1)))
    assert codes(await counter.desk(order_id)) == ["reading_pending"]
    await run_jobs()

    assert codes(await counter.desk(order_id)) == []


@pytest.mark.parametrize("method", ["pix_gateway", "cash_on_delivery", None])
async def test_order_that_is_paid_otherwise_says_so(
    counter: Counter, run_jobs: RunJobs, method: str | None
) -> None:
    desk = await read_proof(counter, run_jobs, receipt(), method=method)

    assert desk["applies"] is False
    assert codes(desk) == ["not_manual_pix"]
    assert (desk["recipient"]["expected"], desk["key"]["expected"]) == (None, None)


async def test_store_without_a_key_says_so(counter: Counter, run_jobs: RunJobs) -> None:
    path = f"/v1/stores/{counter.store_id}/payment-settings"
    await counter.person.request("PUT", path, json={})

    desk = await read_proof(counter, run_jobs, receipt())

    assert codes(desk) == ["recipient_unknown"]
    assert desk["recipient"]["matches"] is None
