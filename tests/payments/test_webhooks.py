"""What AbacatePay's webhooks claim, what it says when it is asked, and what comes of both."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import RunJobs
from tests.fakes.abacatepay import FakeEvent, Fault
from tests.payments.till import (
    PAID_ONCE,
    UNPAID,
    Till,
    payments,
    states,
    steps,
)
from vek1_api.abacatepay import AbacatePayError
from vek1_api.payments import sweeping


async def test_paid_webhook_confirms_the_order(till: Till, run_jobs: RunJobs) -> None:
    order, charge_id = await till.charged()
    await till.deliver(till.gateway.pay(charge_id))
    await run_jobs()

    seen = await till.seen(order)
    assert seen["status"] == "confirmed"
    assert seen["paid_at"] is not None
    assert seen["payment"]["status"] == "paid"
    assert (states(seen), payments(seen)) == (["paid"], PAID_ONCE)
    assert steps(seen)[-2:] == ["payment_paid", "confirmed"]
    assert {event["actor"] for event in seen["events"][-2:]} == {"webhook"}
    assert await till.verdicts() == ["applied"]
    assert await till.kinds() == []
    assert await till.check_at(order) is None
    assert len(till.gateway.calls_of("check")) == 1


@pytest.mark.parametrize(
    "told",
    [
        FakeEvent.with_char_id,
        FakeEvent.without_external_id,
        FakeEvent.without_id,
        FakeEvent.without_customer,
    ],
)
async def test_charge_is_known_by_any_of_its_names(
    told: Any, till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.deliver(told(till.gateway.pay(charge_id)))
    await run_jobs()

    assert (await till.seen(order))["status"] == "confirmed"
    assert await till.verdicts() == ["applied"]


@pytest.mark.parametrize("is_billing", [True, False])
async def test_webhook_of_the_old_version_is_understood(
    is_billing: bool,  # noqa: FBT001 - a parameter.
    till: Till,
    run_jobs: RunJobs,
) -> None:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    await till.deliver(till.gateway.v1_event(charge_id, is_billing=is_billing))
    await run_jobs()

    assert (await till.seen(order))["status"] == "confirmed"


async def test_webhook_twenty_times_at_once_pays_once(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.deliver(till.gateway.pay(charge_id), times=20)
    await run_jobs()

    assert payments(await till.seen(order)) == PAID_ONCE
    assert await till.verdicts() == ["applied"]


async def test_webhooks_resent_by_hand_pay_once(till: Till, run_jobs: RunJobs) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    for _ in range(6):
        await till.deliver(event.resent())
    await run_jobs()
    before = await till.kept(order)
    await till.deliver(event.resent())
    await run_jobs()

    assert sorted(map(str, await till.verdicts())) == ["applied", *["duplicate"] * 6]
    assert payments(await till.seen(order)) == PAID_ONCE
    assert await till.kept(order) == before


async def test_webhook_sweeper_and_person_at_once_pay_once(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    for _ in range(4):
        await till.deliver(event.resent())
    path = f"/v1/orders/{order['id']}/confirm"

    await till.make_due()

    responses, _, _ = await asyncio.gather(
        asyncio.gather(*(till.owner.request("POST", path) for _ in range(3))),
        asyncio.gather(*(sweeping.sweep(till.resources) for _ in range(3))),
        run_jobs(),
    )
    await run_jobs()

    assert {response.status_code for response in responses} == {200}
    seen = await till.seen(order)
    assert (seen["status"], states(seen), payments(seen)) == (
        "confirmed",
        ["paid"],
        PAID_ONCE,
    )
    assert steps(seen).count("confirmed") == 1
    assert len(await till.owner.audit(action="order.confirmed")) == 1
    assert await till.kinds() == []


async def test_claim_that_the_gateway_does_not_confirm_changes_nothing(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    before = await till.kept(order)
    await till.deliver(till.gateway.event(charge_id))
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["ignored"]
    soon = await till.db.fetchval("SELECT now() + interval '20 seconds'")
    assert await till.check_at(order) < soon
    till.gateway.pay(charge_id)
    await till.sweep()
    assert (await till.seen(order))["status"] == "confirmed"


@pytest.mark.parametrize("verb", ["refunded", "disputed", "lost"])
async def test_claim_that_money_went_back_is_asked_about_too(
    verb: str, till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.paid()
    before = await till.kept(order)
    await till.deliver(till.gateway.event(charge_id, f"transparent.{verb}"))
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["ignored"]
    assert await till.kinds() == []


@pytest.mark.parametrize("paid", [1, 7479, 7481])
async def test_wrong_amount_confirms_nothing_and_is_a_persons(
    paid: int, till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.deliver(till.gateway.pay(charge_id, paid))
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("awaiting_proof", UNPAID)
    assert states(seen) == ["wrong_amount"]
    assert await till.verdicts() == ["rejected_amount"]
    [item] = await till.attention()
    assert (item["kind"], item["amount_cents"], item["number"]) == ("wrong_amount", paid, 1)
    assert item["details"]["expected_cents"] == 7480
    # Nor does the sweeper, to which AbacatePay tells no paid amount.
    await till.sweep()
    await till.deliver(till.gateway.event(charge_id))
    await run_jobs()
    after = await till.seen(order)
    assert (after["status"], payments(after)) == ("awaiting_proof", UNPAID)
    assert await till.kinds() == ["wrong_amount"]


async def test_charge_whose_amount_is_another_there_confirms_nothing(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    till.gateway.charge(charge_id).amount = 100
    await till.deliver(event)
    await run_jobs()

    assert payments(await till.seen(order)) == UNPAID
    assert await till.verdicts() == ["rejected_amount"]


async def test_money_for_a_cancelled_order_is_noted_and_a_persons(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.step(order, "cancel")
    await till.deliver(till.gateway.pay(charge_id))
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("cancelled", PAID_ONCE)
    assert await till.verdicts() == ["late"]
    [item] = await till.attention()
    assert (item["kind"], item["amount_cents"]) == ("late_payment", 7480)


async def test_money_after_the_expiry_confirms_all_the_same(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.age(order, timedelta(hours=2))
    await till.sweep()
    assert states(await till.seen(order)) == ["expired"]
    await till.deliver(till.gateway.pay(charge_id))
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("confirmed", PAID_ONCE)
    assert await till.verdicts() == ["applied"]


async def test_two_charges_of_one_order_are_one_payment_and_one_to_give_back(
    till: Till, run_jobs: RunJobs
) -> None:
    order, first = await till.charged()
    await till.age(order, timedelta(hours=2))
    second = (await till.start(order))["payment_external_id"]
    await till.deliver(till.gateway.pay(second))
    await run_jobs()
    await till.deliver(till.gateway.pay(first))
    await till.deliver(till.gateway.event(first))
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("confirmed", PAID_ONCE)
    assert states(seen) == ["paid_again", "paid"]
    assert sorted(map(str, await till.verdicts())) == ["applied", "duplicate", "late"]
    [item] = await till.attention()
    assert (item["kind"], item["attempt_id"]) == (
        "paid_twice",
        seen["payment_attempts"][0]["id"],
    )


async def test_charge_paid_after_a_person_confirmed_is_the_same_payment(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.step(order, "confirm")
    await till.deliver(till.gateway.pay(charge_id))
    await run_jobs()

    seen = await till.seen(order)
    assert (states(seen), payments(seen)) == (["paid"], PAID_ONCE)
    assert await till.verdicts() == ["applied"]
    assert await till.kinds() == []


async def test_webhook_before_our_own_answer_pays_the_order(
    till: Till, run_jobs: RunJobs
) -> None:
    order = await till.order()
    till.gateway.fail("create", Fault(delay_after_seconds=0.3))
    asking = asyncio.create_task(till.try_to_pay(order))
    while not till.gateway.state.charges:  # noqa: ASYNC110 - the fake sets no event for it.
        await asyncio.sleep(0.005)
    [charge] = till.gateway.state.charges.values()
    await till.deliver(till.gateway.pay(charge.id).with_char_id())
    await run_jobs()
    early = await till.seen(order)
    response = await asking

    assert (early["status"], payments(early)) == ("confirmed", PAID_ONCE)
    seen = await till.seen(order)
    assert (response.status_code, response.json()) == (200, seen)
    assert seen == early
    assert (states(seen), seen["payment_external_id"]) == (["paid"], charge.id)
    assert await till.verdicts() == ["applied"]


async def test_second_charge_under_one_id_of_ours_is_paid_by_itself(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    twin = till.gateway.state.create(
        till.gateway.state.account(f"Bearer {till.account.prod_key}", "TRANSPARENT"),
        {},
        till.gateway.calls_of("create")[0].body | {"data": {"amount": 7480}},
    )
    till.gateway.charge(twin["id"]).external_id = order["payment_attempts"][0]["id"]
    for each in (twin["id"], charge_id, twin["id"]):
        await till.deliver(till.gateway.pay(each).resent())
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], payments(seen)) == ("confirmed", PAID_ONCE)
    assert sorted(states(seen)) == ["paid", "paid_again"]
    assert sorted(map(str, await till.verdicts())) == ["applied", "duplicate", "late"]
    assert await till.kinds() == ["paid_twice"]


async def test_events_out_of_order_never_go_back(till: Till, run_jobs: RunJobs) -> None:
    order, charge_id = await till.charged()
    paid = till.gateway.pay(charge_id)
    disputed = till.gateway.dispute(charge_id)
    await till.deliver(disputed)
    await run_jobs()
    await till.deliver(paid)
    await run_jobs()

    seen = await till.seen(order)
    assert (states(seen), payments(seen)) == (["disputed"], UNPAID)
    assert seen["status"] == "awaiting_proof"
    assert await till.verdicts() == ["applied", "stale"]
    assert await till.kinds() == ["dispute"]


async def test_dispute_of_a_paid_order_keeps_it_and_is_a_persons(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.paid()
    await till.deliver(till.gateway.dispute(charge_id))
    await till.deliver(till.gateway.event(charge_id, "transparent.lost"))
    await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("confirmed", ["disputed"])
    assert payments(seen) == PAID_ONCE
    assert steps(seen)[-1] == "payment_disputed"
    assert sorted(map(str, await till.verdicts())) == ["applied", "duplicate"]
    assert await till.kinds() == ["dispute", "dispute"]


async def test_refund_by_the_panel_is_noted(till: Till, run_jobs: RunJobs) -> None:
    order, charge_id = await till.paid()
    till.gateway.charge(charge_id).status = "REFUNDED"
    event = till.gateway.event(charge_id, "transparent.refunded")
    for told in (event, event.resent(), till.gateway.event(charge_id)):
        await till.deliver(told)
        await run_jobs()

    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("confirmed", ["refunded"])
    assert steps(seen).count("refunded") == 1
    assert await till.verdicts() == ["applied", "duplicate", "stale"]


async def test_unknown_charge_is_unmatched_and_a_persons(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.charged()
    before = await till.kept(order)
    state = till.gateway.state
    account = state.account(f"Bearer {till.account.prod_key}", "TRANSPARENT")
    foreign = state.create(account, {}, {"method": "PIX", "data": {"amount": 7480}})
    event = till.gateway.pay(foreign["id"])
    await till.deliver(event)
    await till.deliver(event.resent())
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["unmatched", "unmatched"]
    [item] = await till.attention()
    assert (item["kind"], item["details"]["charge_id"]) == ("unknown_charge", foreign["id"])
    assert (item["order_id"], item["number"], item["amount_cents"]) == (None, None, 7480)


async def test_charge_that_only_claims_to_be_for_an_order_pays_nothing(
    till: Till, run_jobs: RunJobs
) -> None:
    order, _ = await till.charged()
    before = await till.kept(order)
    state = till.gateway.state
    account = state.account(f"Bearer {till.account.prod_key}", "TRANSPARENT")
    other = state.create(account, {}, {"method": "PIX", "data": {"amount": 7480}})
    attempt_id = order["payment_attempts"][0]["id"]
    lie = till.gateway.pay(other["id"]).with_thing(
        externalId=attempt_id, metadata={"payment_id": attempt_id}
    )
    await till.deliver(lie)
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["unmatched"]
    assert await till.kinds() == ["unknown_charge"]


async def test_charge_of_another_store_is_not_ours(
    till: Till, other_till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    before = await till.kept(order)
    await other_till.deliver(event)
    await run_jobs()

    assert await till.kept(order) == before
    assert await other_till.verdicts() == ["rejected_store"]
    assert await till.kinds() == []
    [seen] = await other_till.attention()
    assert (seen["kind"], seen["order_id"]) == ("unknown_charge", None)


async def test_charge_of_another_store_of_the_merchant_is_nothing_to_look_at(
    till: Till, run_jobs: RunJobs
) -> None:
    store_id = (await till.owner.open_store())["id"]
    sister = Till(till.owner, store_id, till.gateway, till.account, till.resources, till.db)
    await sister.set_up()
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    before = await till.kept(order)

    await sister.deliver(event)
    await run_jobs()

    assert await till.kept(order) == before
    assert await sister.verdicts() == ["rejected_store"]
    assert await sister.kinds() == await till.kinds() == []


async def test_test_event_pays_nothing_in_a_live_store(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    before = await till.kept(order)
    await till.deliver(event.with_body(devMode=True))
    await till.deliver(event.resent().with_thing(devMode=True))
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["rejected_dev_mode", "rejected_dev_mode"]
    assert await till.kinds() == ["wrong_environment"]
    assert till.gateway.calls_of("check") == []


async def test_store_in_test_mode_is_paid_by_test_events(
    till: Till, run_jobs: RunJobs
) -> None:
    dev = {"abacate_pay_api_key": till.account.dev_key, "abacate_pay_dev_mode": True}
    await till.set_up(**dev)
    order, charge_id = await till.charged()
    await till.set_up()
    await till.deliver(till.gateway.pay(charge_id))
    await run_jobs()
    live = await till.seen(order)
    await till.set_up(**dev)
    await till.deliver(till.gateway.event(charge_id))
    await run_jobs()

    assert live["status"] == "awaiting_proof"
    assert (await till.seen(order))["status"] == "confirmed"
    assert await till.verdicts() == ["rejected_dev_mode", "applied"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nada",
        b"[]",
        b'{"id":"log_1","event":"payout.completed","data":{"withdraw":{"id":"tran_1"}}}',
        b'{"id":"log_2","event":"transparent.invented","data":{}}',
    ],
)
async def test_what_tells_of_no_money_is_ignored(
    raw: bytes, till: Till, run_jobs: RunJobs
) -> None:
    await till.deliver(raw)
    await run_jobs()

    assert await till.verdicts() == ["ignored"]
    assert await till.kinds() == []
    assert till.gateway.calls == []


async def test_store_without_a_key_shows_what_it_missed(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    await till.set_up(abacate_pay_api_key=None, pix_enabled=False)
    await till.deliver(event)
    await run_jobs()

    assert (await till.seen(order))["status"] == "awaiting_proof"
    assert await till.verdicts() == ["error"]
    assert await till.kinds() == ["gateway_refused"]


async def test_webhook_waits_while_the_gateway_is_down(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    await till.deliver(till.gateway.pay(charge_id))
    till.gateway.fail("check", Fault(status=503), times=3)
    with pytest.raises(AbacatePayError):
        await till.understand()
    assert (await till.seen(order))["status"] == "awaiting_proof"
    assert await till.verdicts() == [None]
    await run_jobs()

    assert (await till.seen(order))["status"] == "confirmed"
    assert await till.verdicts() == ["applied"]


async def test_refused_key_is_told_while_the_webhook_waits(till: Till) -> None:
    _, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    till.account.permissions.discard("TRANSPARENT")
    await till.deliver(event)

    with pytest.raises(AbacatePayError):
        await till.understand()

    assert await till.verdicts() == [None]
    assert await till.kinds() == ["gateway_refused"]


async def test_charge_that_the_gateway_has_forgotten_is_unmatched(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    del till.gateway.state.charges[charge_id]
    before = await till.kept(order)
    await till.deliver(event)
    await run_jobs()

    assert await till.kept(order) == before
    assert await till.verdicts() == ["unmatched"]


async def test_webhook_that_was_understood_is_not_understood_again(
    till: Till, run_jobs: RunJobs
) -> None:
    order, charge_id = await till.charged()
    event = till.gateway.pay(charge_id)
    await till.deliver(event)
    await run_jobs()
    before, calls = await till.kept(order), len(till.gateway.calls)
    await till.deliver(event, times=3)
    await run_jobs()

    assert await till.kept(order) == before
    assert len(till.gateway.calls) == calls
