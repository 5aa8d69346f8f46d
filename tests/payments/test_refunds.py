"""Money that goes back: once, visibly, whatever AbacatePay answers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import RunJobs
from tests.fakes.abacatepay import LOCK_NOT_ACQUIRED, LOST_ANSWER, Fault
from tests.payments.till import PAID_ONCE, Till, outcome, payments, states, steps
from vek1_api.payments import refunding


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunding, "FIRST_WAIT", timedelta(0))


async def test_refund_is_asked_for_then_done(till: Till, run_jobs: RunJobs) -> None:
    order, charge_id = await till.paid()

    asked = await till.refund(order, reason="Cliente desistiu")

    assert asked.status_code == 200
    assert asked.json()["payment"]["status"] == "refunding"
    assert steps(asked.json())[-1] == "refund_requested"
    assert asked.json()["events"][-1]["data"]["reason"] == "Cliente desistiu"
    assert till.gateway.calls_of("refund") == []
    await run_jobs()
    seen = await till.seen(order)
    assert (seen["status"], seen["payment"]["status"]) == ("confirmed", "refunded")
    assert (states(seen), payments(seen)) == (["refunded"], PAID_ONCE)
    assert steps(seen)[-1] == "refunded"
    assert till.gateway.charge(charge_id).status == "REFUNDED"
    [entry] = await till.owner.audit(action="order.refund_requested")
    assert "reason" not in entry["meta"]
    assert len(await till.owner.audit(action="order.refunded")) == 1


async def test_refunding_twice_is_a_success_without_effect(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    await till.refund(order)
    during = await till.kept(order)
    assert (await till.refund(order)).json()["payment"]["status"] == "refunding"
    assert await till.kept(order) == during
    await run_jobs()
    after = await till.kept(order)

    again = await till.refund(order)
    await run_jobs()

    assert (again.status_code, again.json()["payment"]["status"]) == (200, "refunded")
    assert await till.kept(order) == after
    assert len(till.gateway.calls_of("refund")) == 1


async def test_twenty_refunds_at_once_are_one(till: Till, run_jobs: RunJobs) -> None:
    order, _ = await till.paid()

    responses = await asyncio.gather(*(till.refund(order) for _ in range(20)))
    await run_jobs()

    assert {response.status_code for response in responses} == {200}
    assert len(till.gateway.calls_of("refund")) == 1
    assert steps(await till.seen(order)).count("refund_requested") == 1


@pytest.mark.parametrize("form", ["full", "short"])
@pytest.mark.parametrize("repeat", ["error", "same"])
async def test_lost_answer_of_a_refund_is_asked_for_again(
    repeat: str, form: str, till: Till, run_jobs: RunJobs
) -> None:
    till.gateway.state.on_repeated_refund, till.gateway.state.refund_form = repeat, form
    order, _ = await till.paid()
    before = till.account.available_cents
    till.gateway.fail("refund", LOST_ANSWER)
    await till.refund(order)
    await run_jobs()

    assert states(await till.seen(order)) == ["refunded"]
    assert till.account.available_cents == before - 7480
    assert await till.kinds() == []


async def test_busy_gateway_is_asked_again(till: Till, run_jobs: RunJobs) -> None:
    order, _ = await till.paid()
    till.gateway.fail("refund", LOCK_NOT_ACQUIRED, times=3)
    await till.refund(order)
    await run_jobs()

    assert states(await till.seen(order)) == ["refunded"]
    assert len(till.gateway.calls_of("refund")) == 4


async def test_gateway_that_stays_busy_is_a_persons_in_the_end(
    till: Till, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunding, "MAX_TRIES", 3)
    order, _ = await till.paid()
    till.gateway.fail("refund", LOCK_NOT_ACQUIRED, times=3)
    await till.refund(order)
    await run_jobs()

    assert states(await till.seen(order)) == ["paid"]
    assert await till.kinds() == ["refund_failed"]


async def test_refused_refund_leaves_it_paid_and_is_a_persons(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    till.account.available_cents = 10
    await till.refund(order)
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["payment"]["status"], payments(seen)) == ("paid", PAID_ONCE)
    assert steps(seen)[-1] == "refund_failed"
    [item] = await till.attention()
    assert (item["kind"], item["amount_cents"]) == ("refund_failed", 7480)
    assert item["details"]["reason"] == "INSUFFICIENT_FUNDS"
    till.account.available_cents = 100_000
    await till.refund(order)
    await run_jobs()
    assert states(await till.seen(order)) == ["refunded"]
    assert await till.kinds() == []


async def test_refund_that_fails_again_is_shown_again(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    till.account.available_cents = 10
    await till.refund(order)
    await run_jobs()
    [item] = await till.attention()
    path = f"/v1/stores/{till.store_id}/attention/{item['id']}/resolve"
    await till.owner.post(path, None, 200)
    assert await till.attention() == []
    await till.refund(order)
    await run_jobs()

    assert [one["id"] for one in await till.attention()] == [item["id"]]


async def test_key_without_the_permission_is_a_persons(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    till.account.permissions.discard("REFUND")
    await till.refund(order)
    await run_jobs()

    assert states(await till.seen(order)) == ["paid"]
    [item] = await till.attention()
    assert (item["kind"], item["details"]["reason"]) == ("refund_failed", "unauthorized")


async def test_refund_that_the_panel_did_before_is_done(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.paid()
    till.gateway.charge(charge_id).status = "REFUNDED"
    till.gateway.fail("refund", Fault(status=400, error="TRANSACTION_NOT_REFUNDABLE"))
    await till.refund(order)
    await run_jobs()

    assert states(await till.seen(order)) == ["refunded"]
    assert await till.kinds() == []


async def test_webhook_of_a_refund_may_come_before_our_own_answer(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.paid()
    till.gateway.fail("refund", LOST_ANSWER)
    await till.refund(order)
    till.gateway.charge(charge_id).status = "REFUNDED"
    await till.deliver(till.gateway.event(charge_id, "transparent.refunded"))
    await run_jobs()

    seen = await till.seen(order)
    assert states(seen) == ["refunded"]
    assert steps(seen).count("refunded") == 1


async def test_cancelled_order_asks_for_its_refund_until_it_is_done(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    await till.step(order, "cancel")
    due = await till.kinds()
    await till.refund(order)
    await run_jobs()

    assert due == ["refund_due"]
    assert await till.kinds() == []
    assert (await till.seen(order))["status"] == "cancelled"
    done = await till.attention(resolved="true")
    assert [item["kind"] for item in done] == ["refund_due"]


async def _paid_twice(till: Till) -> Any:
    order, first = await till.charged()
    await till.age(order, timedelta(hours=2))
    second = (await till.start(order))["payment_external_id"]
    till.gateway.pay(second)
    await till.sweep()
    till.gateway.pay(first)
    await till.sweep()
    seen = await till.seen(order)
    assert states(seen) == ["paid_again", "paid"]
    return seen


async def test_second_payment_goes_back_by_its_id(till: Till, run_jobs: RunJobs) -> None:
    order = await _paid_twice(till)
    before = await till.kept(order)

    unclear = await till.refund(order)
    assert outcome(unclear) == (409, "conflict")
    assert order["payment_attempts"][0]["id"] in unclear.json()["detail"]
    assert await till.kept(order) == before
    sent = await till.refund(order, attempt_id=order["payment_attempts"][0]["id"])
    await run_jobs()

    assert sent.status_code == 200
    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("confirmed", ["refunded", "paid"])
    assert payments(seen) == PAID_ONCE
    assert await till.kinds() == []
    # Nor does a repeat without its id take the other one.
    assert outcome(await till.refund(order)) == (409, "conflict")


async def test_refused_refund_of_a_second_payment_leaves_it_a_second_payment(
    till: Till, run_jobs: RunJobs
) -> None:
    order = await _paid_twice(till)
    till.account.available_cents = 0
    await till.refund(order, attempt_id=order["payment_attempts"][0]["id"])
    await run_jobs()

    assert states(await till.seen(order)) == ["paid_again", "paid"]
    assert await till.kinds() == ["paid_twice", "refund_failed"]


async def test_late_and_wrong_payments_go_back(till: Till, run_jobs: RunJobs) -> None:
    late, late_id = await till.charged()
    await till.step(late, "cancel")
    till.gateway.pay(late_id)
    wrong, wrong_id = await till.charged()
    await till.deliver(till.gateway.pay(wrong_id, 100))
    await run_jobs()
    await till.sweep()
    assert await till.kinds() == ["late_payment", "wrong_amount"]

    for order in (late, wrong):
        assert (await till.refund(order)).status_code == 200
    await run_jobs()

    assert states(await till.seen(late)) == states(await till.seen(wrong)) == ["refunded"]
    assert await till.kinds() == []


async def _unpaid(till: Till) -> Any:
    return (await till.charged())[0]


async def _by_hand(till: Till) -> Any:
    order = await till.start(await till.order(), "pix_manual")
    return await till.step(order, "confirm")


async def _disputed(till: Till) -> Any:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    till.gateway.dispute(charge_id)
    await till.sweep()
    return await till.seen(order)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_unpaid, "Nothing was paid"),
        (_by_hand, "send it back by hand"),
        (_disputed, "disputed"),
    ],
)
async def test_what_cannot_be_given_back_is_refused_with_what_to_do(
    make: Any, words: str, till: Till, run_jobs: RunJobs
) -> None:
    order = await make(till)
    before = await till.kept(order)

    response = await till.refund(order)
    await run_jobs()

    assert outcome(response) == (409, "conflict")
    assert words in response.json()["detail"]
    assert await till.kept(order) == before
    assert till.gateway.calls_of("refund") == []


async def test_order_that_somebody_changed_meanwhile_is_not_refunded(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.paid()
    path = f"/v1/orders/{order['id']}"
    read = await till.owner.request("GET", path)
    await till.owner.patch(path, {"notes": "Vai trocar, não devolver"})
    before = await till.kept(order)

    stale = {"If-Match": read.headers["ETag"]}
    refused = await till.owner.request("POST", f"{path}/refund", headers=stale)
    await run_jobs()

    assert outcome(refused) == (412, "precondition_failed")
    assert await till.kept(order) == before


async def test_attempt_of_another_order_is_refused(till: Till, run_jobs: RunJobs) -> None:
    order, _ = await till.paid()
    other, _ = await till.paid()
    before = await till.kept(order)

    foreign = other["payment_attempts"][0]["id"]
    response = await till.refund(order, attempt_id=foreign)
    await run_jobs()

    assert outcome(response) == (422, "validation_failed")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/attempt_id"]
    assert await till.kept(order) == before


async def test_refund_of_another_persons_order_is_not_found(
    till: Till, other_till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await other_till.paid()

    assert outcome(await till.refund(order)) == (404, "not_found")
    await run_jobs()
    assert states(await other_till.seen(order)) == ["paid"]
