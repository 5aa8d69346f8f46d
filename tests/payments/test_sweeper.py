"""A webhook that is lost costs minutes, not money."""

import asyncio
from datetime import timedelta

import pytest

from tests.fakes.abacatepay import Fault
from tests.payments.till import PAID_ONCE, UNPAID, Till, payments, states, steps
from vek1_api.core import clock
from vek1_api.payments import sweeping


async def test_lost_webhook_is_made_up_for(till: Till) -> None:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    await till.sweep()

    seen = await till.seen(order)
    assert (seen["status"], states(seen), payments(seen)) == (
        "confirmed",
        ["paid"],
        PAID_ONCE,
    )
    assert {event["actor"] for event in seen["events"][-2:]} == {"system"}
    assert await till.check_at(order) is None
    assert await till.sweep() == 0


async def test_charge_is_asked_for_soon_then_ever_more_rarely(till: Till) -> None:
    order, _ = await till.charged()
    first = await till.check_at(order) - clock.now()
    waits = []
    for minutes in (0, 2, 10, 30):
        await till.age(order, timedelta(minutes=minutes))
        await till.sweep()
        waits.append(await till.check_at(order) - clock.now())

    assert first < timedelta(seconds=21)
    assert [round(wait.total_seconds() / 10) for wait in waits] == [2, 6, 36, 60]
    assert states(await till.seen(order)) == ["open"]


@pytest.mark.parametrize(
    "is_shown", [True, False], ids=["they say so", "they never say so"]
)
async def test_charge_expires_and_is_watched_for_a_day(
    is_shown: bool,  # noqa: FBT001 - a parameter.
    till: Till,
) -> None:
    till.gateway.state.is_expiry_shown = is_shown
    order, charge_id = await till.charged()
    await till.age(order, timedelta(minutes=61))
    await till.sweep()

    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("awaiting_proof", ["expired"])
    assert seen["payment"]["status"] == "expired"
    assert steps(seen)[-1] == "payment_expired"
    wait = await till.check_at(order) - clock.now()
    assert timedelta(minutes=59) < wait <= timedelta(minutes=60)
    await till.age(order, timedelta(hours=20))
    till.gateway.pay(charge_id)
    await till.sweep()
    late = await till.seen(order)
    assert (late["status"], payments(late)) == ("confirmed", PAID_ONCE)


async def test_charge_is_forgotten_a_day_after_its_expiry(till: Till) -> None:
    order, _ = await till.charged()
    await till.age(order, timedelta(hours=26))
    await till.sweep()

    assert await till.check_at(order) is None
    assert states(await till.seen(order)) == ["expired"]


@pytest.mark.parametrize("status", ["CANCELLED", "FAILED"])
async def test_charge_that_failed_there_has_failed_here(status: str, till: Till) -> None:
    order, charge_id = await till.charged()
    till.gateway.charge(charge_id).status = status
    await till.sweep()

    seen = await till.seen(order)
    assert (seen["status"], states(seen)) == ("awaiting_proof", ["failed"])
    assert seen["events"][-1]["data"]["reason"] == status.lower()


async def test_gateway_that_is_down_stops_nothing(till: Till) -> None:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    till.gateway.fail("check", Fault(status=503), times=3)
    await till.sweep()
    down = await till.seen(order)
    await till.sweep()

    assert (down["status"], payments(down)) == ("awaiting_proof", UNPAID)
    assert (await till.seen(order))["status"] == "confirmed"


async def test_refused_key_is_shown_to_a_person_once(till: Till) -> None:
    order, _ = await till.charged()
    till.account.permissions.discard("TRANSPARENT")
    await till.sweep()
    await till.sweep()

    assert await till.kinds() == ["gateway_refused"]
    assert states(await till.seen(order)) == ["open"]


async def test_key_of_the_other_mode_is_not_asked_about_the_charge(till: Till) -> None:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    await till.set_up(abacate_pay_api_key=till.account.dev_key, abacate_pay_dev_mode=True)
    await till.sweep()
    kept = states(await till.seen(order))
    await till.set_up()
    await till.sweep()

    assert kept == ["open"]
    assert (await till.seen(order))["status"] == "confirmed"


async def test_closed_store_is_not_asked_about_any_more(till: Till) -> None:
    order, charge_id = await till.charged()
    till.gateway.pay(charge_id)
    await till.owner.delete(f"/v1/stores/{till.store_id}")
    await till.sweep()

    assert await till.check_at(order) is None
    assert await till.sweep() == 0


async def test_sweeps_at_once_share_the_charges(till: Till) -> None:
    orders = [await till.charged() for _ in range(12)]
    for _, charge_id in orders:
        till.gateway.pay(charge_id)
    await till.make_due()
    counts = await asyncio.gather(*(sweeping.sweep(till.resources) for _ in range(4)))

    assert sum(counts) == 12
    assert len(till.gateway.calls_of("check")) == 12
    for order, _ in orders:
        assert payments(await till.seen(order)) == PAID_ONCE
