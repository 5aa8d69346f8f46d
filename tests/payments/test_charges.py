"""PIX through AbacatePay: one charge is open at a time, whatever happens to the calls."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.fakes.abacatepay import LOST_ANSWER, Fault
from tests.payments.till import UNPAID, Till, outcome, payments, states, steps

CUT = Fault(is_cut=True)


def charges(till: Till) -> list[Any]:
    return list(till.gateway.state.charges.values())


async def test_charge_is_made_and_put_on_the_order(till: Till) -> None:
    draft = await till.order(
        customer_name="Joana Ribeiro",
        customer_email="joana@example.com",
        customer_phone="31999998888",
        customer_tax_id="52998224725",
    )
    order = await till.start(draft)

    [charge] = charges(till)
    [attempt] = order["payment_attempts"]
    assert order["status"] == "awaiting_proof"
    assert order["payment_external_id"] == charge.id == attempt["external_id"]
    assert order["payment"]["method"] == "pix_gateway"
    assert order["payment"]["provider"] == "abacate_pay"
    assert order["payment"]["status"] == "open"
    assert order["payment"]["br_code"] == charge.wire()["brCode"]
    assert order["payment"]["expires_at"][:19] == charge.wire()["expiresAt"][:19]
    assert (attempt["status"], attempt["amount_cents"]) == ("initialized", 7480)
    assert steps(order) == ["created", "payment_initialized", "awaiting_proof"]
    [call] = till.gateway.calls_of("create")
    data = call.body["data"]
    assert (data["amount"], data["externalId"]) == (7480, attempt["id"])
    assert data["metadata"] == {"payment_id": attempt["id"], "order_id": order["id"]}
    assert (data["description"], data["expiresIn"]) == ("Pedido 1", 3600)
    assert data["customer"]["taxId"] == "52998224725"
    aliases = await till.db.fetch(
        "SELECT external_id FROM vek1_api.attempt_alias WHERE attempt_id = $1",
        UUID(attempt["id"]),
    )
    assert {row["external_id"] for row in aliases} == {
        charge.id,
        charge.id.removeprefix("pix_"),
    }


async def test_asking_again_while_it_is_open_answers_the_same_order(till: Till) -> None:
    order, _ = await till.charged()
    before = await till.kept(order)

    assert await till.start(order) == order
    assert await till.kept(order) == before
    assert len(charges(till)) == 1


async def test_twenty_askers_at_once_get_one_charge(till: Till) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(delay_before_seconds=0.1))

    responses = await asyncio.gather(*(till.try_to_pay(order) for _ in range(20)))

    assert {response.status_code for response in responses} == {200}
    seen = await till.seen(order)
    assert all(response.json() == seen for response in responses)
    assert len(till.gateway.calls_of("create")) == len(charges(till)) == 1
    assert states(seen) == ["open"]


async def test_same_key_gives_the_same_answer_and_one_charge(till: Till) -> None:
    order, key = await till.order(), {"Idempotency-Key": "pague-uma-vez"}

    first = await till.try_to_pay(order, headers=key)
    again = await till.try_to_pay(order, headers=key)

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len(charges(till)) == 1


async def test_client_that_cuts_its_connection_and_repeats_gets_the_same_charge(
    till: Till,
) -> None:
    order, key = await till.order(), {"Idempotency-Key": "cortei"}
    till.gateway.fail("create", Fault(delay_after_seconds=0.05))
    asking = asyncio.create_task(till.try_to_pay(order, headers=key))
    await till.gateway.received("create")
    asking.cancel()
    # The worst case: the request itself died with its client, and the answer with it.
    await asyncio.gather(asking, return_exceptions=True)
    await till.db.execute(
        "UPDATE vek1_api.attempt_ref SET check_at = now() WHERE order_id = $1",
        UUID(order["id"]),
    )

    again = await till.try_to_pay(order, headers=key)

    assert again.status_code == 200, again.text
    assert again.json()["payment_external_id"] == charges(till)[0].id
    assert len(charges(till)) == 1


@pytest.mark.parametrize("repeat", ["same", "error", "new"])
@pytest.mark.parametrize("lost", [LOST_ANSWER, CUT], ids=["after", "before"])
async def test_after_a_time_out_asking_again_finds_or_makes_the_one_charge(
    lost: Fault, repeat: str, till: Till
) -> None:
    till.gateway.state.on_repeated_external_id = repeat
    order = await till.order()
    till.gateway.fail("create", lost)

    response = await till.try_to_pay(order)

    assert outcome(response) == (502, "upstream_failed")
    assert "no second charge" in response.json()["detail"]
    seen = await till.seen(order)
    assert (seen["status"], seen["payment"]) == ("draft", None)
    assert states(seen) == ["unknown"]
    found = await till.start(order)
    [charge] = charges(till)
    assert found["payment_external_id"] == charge.id
    assert (found["status"], states(found)) == ("awaiting_proof", ["open"])
    assert charge.external_id == found["payment_attempts"][0]["id"]


async def test_twenty_askers_after_a_time_out_get_one_charge(till: Till) -> None:
    till.gateway.state.on_repeated_external_id = "new"
    order = await till.order()
    till.gateway.fail("create", CUT)
    await till.try_to_pay(order)

    responses = await asyncio.gather(*(till.try_to_pay(order) for _ in range(20)))

    assert {response.status_code for response in responses} == {200}
    assert len(charges(till)) == 1


async def test_charge_that_was_made_twice_after_all_is_watched_by_itself(
    till: Till,
) -> None:
    till.gateway.state.on_repeated_external_id = "new"
    order = await till.order()
    till.gateway.fail("create", Fault(delay_before_seconds=0.3))
    slow = asyncio.create_task(till.try_to_pay(order))
    await till.gateway.received("create")
    # Its lease is over, so another one goes on in its place.
    await till.make_due()
    shown = await till.start(order)
    response = await slow

    second, first = charges(till)
    assert shown["payment_external_id"] == second.id
    assert response.json()["payment_external_id"] == second.id
    assert states(response.json()) == ["open", "expired"]
    till.gateway.pay(first.id)
    await till.sweep()
    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("confirmed", ["open", "paid"])
    assert seen["payment_external_id"] == first.id


@pytest.mark.parametrize("lost", [LOST_ANSWER, CUT], ids=["after", "before"])
async def test_sweeper_finds_out_what_became_of_a_time_out(lost: Fault, till: Till) -> None:
    order = await till.order()
    till.gateway.fail("create", lost)
    await till.try_to_pay(order)

    await till.sweep()
    soon = await till.seen(order)
    await till.age(order, timedelta(minutes=4))
    await till.sweep()
    later = await till.seen(order)

    if lost is LOST_ANSWER:
        assert (soon["status"], states(soon)) == ("awaiting_proof", ["open"])
        assert soon["payment_external_id"] == charges(till)[0].id
    else:
        assert (soon["status"], states(soon)) == ("draft", ["unknown"])
        assert (later["status"], states(later)) == ("draft", ["failed"])
        assert later["events"][-1]["type"] == "payment_failed"
        assert later["events"][-1]["data"]["reason"] == "never_made"
        assert charges(till) == []


async def test_time_out_that_goes_on_stays_unknown(till: Till) -> None:
    order = await till.order()
    till.gateway.fail("create", CUT)
    await till.try_to_pay(order)
    till.gateway.fail("list", Fault(status=503), times=6)

    response = await till.try_to_pay(order)
    await till.sweep()

    assert outcome(response) == (502, "upstream_failed")
    assert states(await till.seen(order)) == ["unknown"]
    assert charges(till) == []


async def test_refusal_is_told_with_its_reason_and_the_next_try_is_a_new_attempt(
    till: Till,
) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(status=400, error="Conta em análise"))

    response = await till.try_to_pay(order)

    assert outcome(response) == (502, "upstream_failed")
    assert "Conta em análise" in response.json()["detail"]
    seen = await till.seen(order)
    assert (seen["status"], seen["payment"], states(seen)) == ("draft", None, ["failed"])
    assert steps(seen) == ["created", "payment_failed"]
    assert (await till.start(order))["status"] == "awaiting_proof"
    assert states(await till.seen(order)) == ["failed", "open"]


async def test_refused_key_is_shown_to_a_person(till: Till) -> None:
    till.account.permissions.discard("TRANSPARENT")
    order = await till.order()

    response = await till.try_to_pay(order)

    assert outcome(response) == (502, "upstream_failed")
    assert "make a new key" in response.json()["detail"]
    [item] = await till.attention()
    assert (item["kind"], item["order_id"]) == ("gateway_refused", None)
    assert item["details"]["reason"] == "unauthorized"


async def test_gateway_that_is_busy_made_no_charge(till: Till) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(status=429, error="Devagar"))

    response = await till.try_to_pay(order)

    assert outcome(response) == (502, "upstream_failed")
    assert "nothing was charged; try again" in response.json()["detail"]
    assert states(await till.seen(order)) == ["failed"]
    assert charges(till) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": 1}, "wrong_amount"),
        ({"devMode": True}, "wrong_environment"),
        ({"brCode": None}, "no_code"),
    ],
)
async def test_charge_that_is_not_what_was_asked_for_is_shown_to_nobody(
    change: dict[str, Any], reason: str, till: Till
) -> None:
    order = await till.order()
    said = {
        "id": "pix_char_x" + UUID(order["id"]).hex,
        "amount": 7480,
        "status": "PENDING",
        "devMode": False,
        "brCode": "000201",
        **change,
    }
    body = json.dumps({"data": said, "success": True, "error": None}).encode()
    till.gateway.fail("create", Fault(status=200, body=body))

    response = await till.try_to_pay(order)

    assert outcome(response) == (502, "upstream_failed")
    seen = await till.seen(order)
    assert (seen["status"], seen["payment"], states(seen)) == ("draft", None, ["failed"])
    assert seen["events"][-1]["data"]["reason"] == reason
    assert await till.kinds() == ["wrong_environment"] * (reason == "wrong_environment")


async def test_expired_charge_is_followed_by_a_new_one(till: Till) -> None:
    order, first = await till.charged()
    await till.age(order, timedelta(hours=2))

    again = await till.start(order)

    assert again["payment_external_id"] not in {None, first}
    assert states(again) == ["expired", "open"]
    assert steps(again)[-1] == "payment_initialized"
    assert len(charges(till)) == 2


@pytest.mark.parametrize("fault", [None, LOST_ANSWER], ids=["open", "unknown"])
async def test_charge_of_the_test_mode_is_not_shown_once_the_key_is_a_live_one(
    till: Till, fault: Fault | None
) -> None:
    await till.set_up(abacate_pay_api_key=till.account.dev_key, abacate_pay_dev_mode=True)
    order = await till.order()
    if fault is not None:
        till.gateway.fail("create", fault)
    first = await till.try_to_pay(order)
    assert first.status_code == (200 if fault is None else 502)
    await till.set_up()

    again = await till.start(order)

    shown = till.gateway.charge(again["payment_external_id"])
    assert not shown.is_dev
    assert len(charges(till)) == 2
    assert states(again) == ["expired", "open"]
    assert await till.kinds() == []


async def test_both_pix_methods_are_watched_and_the_newest_is_shown(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")
    by_hand = order["payment"]["br_code"]

    charged = await till.start(order)
    back = await till.start(order, "pix_manual")
    again = await till.start(order)

    assert charged["payment"]["method"] == again["payment"]["method"] == "pix_gateway"
    assert charged["payment"]["br_code"] == again["payment"]["br_code"] != by_hand
    assert (back["payment"]["method"], back["payment"]["br_code"]) == (
        "pix_manual",
        by_hand,
    )
    assert states(again) == ["open", "open"]
    assert len(charges(till)) == 1
    till.gateway.pay(charged["payment_external_id"])
    await till.start(order, "pix_manual")
    await till.sweep()
    paid = await till.seen(order)
    assert (paid["status"], paid["payment"]["method"]) == ("confirmed", "pix_gateway")
    assert states(paid) == ["open", "paid"]


async def test_failed_charge_leaves_the_manual_code_where_it_is(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")
    till.gateway.fail("create", Fault(status=400, error="Não"))

    await till.try_to_pay(order)

    seen = await till.seen(order)
    assert seen["payment"] == order["payment"]
    assert states(await till.step(order, "confirm")) == ["paid", "failed"]


async def test_order_that_changes_while_its_charge_is_made_gets_another_charge(
    till: Till,
) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(delay_before_seconds=0.15))
    asking = asyncio.create_task(till.try_to_pay(order))
    await till.gateway.received("create")
    await till.owner.patch(f"/v1/orders/{order['id']}", {"shipping_cents": 1000})

    response = await asking

    assert response.status_code == 200, response.text
    assert [charge.amount for charge in charges(till)] == [7480, 8480]
    assert response.json()["payment_external_id"] == charges(till)[1].id
    assert states(response.json()) == ["expired", "open"]
    till.gateway.pay(charges(till)[0].id)
    await till.sweep()
    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("awaiting_proof", UNPAID)
    assert await till.kinds() == ["wrong_amount"]


async def test_order_that_is_cancelled_while_its_charge_is_made_stays_so(
    till: Till,
) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(delay_before_seconds=0.15))
    asking = asyncio.create_task(till.try_to_pay(order))
    await till.gateway.received("create")
    await till.step(order, "cancel")

    assert outcome(await asking) == (409, "invalid_transition")
    till.gateway.pay(charges(till)[0].id)
    await till.sweep()
    seen = await till.seen(order)
    assert seen["status"] == "cancelled"
    assert await till.kinds() == ["late_payment"]


async def test_charge_of_another_persons_order_is_not_found(
    till: Till, other_till: Till
) -> None:
    order = await other_till.order()
    before = await other_till.kept(order)

    assert outcome(await till.try_to_pay(order)) == (404, "not_found")
    after = await other_till.kept(order)
    assert after | {"audit": []} == before | {"audit": []}
    assert till.gateway.calls == []
