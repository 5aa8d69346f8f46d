"""Delivering: in order, again and again, and to nobody who wants it no more."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.fakes.erp_receiver import ErpReceiver, Reaction, Received
from tests.stock.outlets import (
    QUICK,
    deliver,
    deliveries,
    later,
    listen,
    path,
    put,
    states,
    untold,
)
from tests.stock.shelves import Shop, fill, sell
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.stock.deliveries.sending import POLICY

BAD = Reaction(500, body=b"estoque indispon\xc3\xadvel")


def failing_for(product_id: str) -> Callable[[Received], Reaction | None]:
    return lambda message: BAD if message.data["product_id"] == product_id else None


async def test_failing_product_holds_back_only_its_own_later_messages(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    for key in ("CAF-A", "CAF-B", "CAF-A", "CAF-B", "CAF-A"):
        await sell(db, shop, key, 1)
    receiver.react = failing_for(shop.products["CAF-A"])

    await deliver(resources, shop)

    assert receiver.about(shop.products["CAF-A"]) == [1]
    assert receiver.about(shop.products["CAF-B"]) == [1, 2]
    receiver.react = None
    await later(db, shop, minutes=1)
    await deliver(resources, shop)
    assert receiver.about(shop.products["CAF-A"]) == [1, 1, 2, 3]
    assert set((await states(shop)).values()) == {"delivered"}
    assert await untold(db, shop) == []


async def test_retry_is_the_same_message_signed_anew(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    secret = await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    receiver.reactions += [BAD, Reaction(is_dropped=True), Reaction(204, body=b"")]
    for _ in range(3):
        await deliver(resources, shop)
        await later(db, shop, minutes=10)

    assert len({each.id for each in receiver.received}) == 1
    assert len({each.body for each in receiver.received}) == 1
    assert all(each.is_signed_with(secret) for each in receiver.received)
    (delivery,) = await deliveries(shop)
    tries = [
        (each["number"], each["status"], each["error"], each["answer"])
        for each in delivery["attempts"]
    ]
    assert tries == [
        (3, 204, None, None),
        (2, None, "broken_answer", None),
        (1, 500, "status", "estoque indisponível"),
    ]
    assert (delivery["status"], delivery["attempt_count"]) == ("delivered", 3)
    assert delivery["next_attempt_at"] is None


async def test_next_attempt_is_shown_and_has_a_job(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await db.execute("DELETE FROM vek1_api.pgqueuer")
    receiver.reactions.append(BAD)

    await deliver(resources, shop)

    (delivery,) = await deliveries(shop, status="waiting")
    assert delivery["next_attempt_at"] is not None
    wait = await db.fetchrow(
        "SELECT job.execute_after - notice.due_at AS late FROM vek1_api.pgqueuer AS job,"
        " vek1_api.stock_notices AS notice"
        " WHERE entrypoint = 'stock.deliver' AND notice.store_id = $1",
        UUID(shop.store_id),
    )
    assert wait is not None
    assert abs(wait["late"]) < timedelta(seconds=1)
    await deliver(resources, shop)
    assert len(receiver.received) == 1


async def test_retry_after_gives_the_whole_store_a_pause(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    limited = Reaction(429, {"retry-after": "120"})
    failed = Reaction(500, delay_seconds=0.05)
    reactions = {
        shop.products["CAF-A"]: limited,
        shop.products["CAF-B"]: Reaction(delay_seconds=0.05),
    }
    await fill(db, shop, 1)
    for key in ("CAF-A", "CAF-B"):
        await sell(db, shop, key, 1)
    # What was under way with it, and went well or wrong, does not end the pause.
    receiver.react = lambda message: reactions.get(message.data["product_id"], failed)
    await deliver(resources, shop)
    assert len(receiver.received) == 3
    receiver.react = None
    await sell(db, shop, "CAF-B", 1)

    await later(db, shop, seconds=90)
    await deliver(resources, shop)
    assert len(receiver.received) == 3

    await later(db, shop, seconds=60)
    await deliver(resources, shop)
    assert len(receiver.received) == 6
    assert set((await states(shop)).values()) == {"delivered"}


async def test_store_whose_erp_is_down_is_not_tried_for_every_product(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await fill(db, shop, 100)
    receiver.react = lambda _: BAD

    await deliver(resources, shop)

    assert 8 <= len(receiver.received) <= 24
    receiver.react = None
    await later(db, shop, minutes=10)
    await deliver(resources, shop)
    assert list((await states(shop)).values()) == ["delivered"] * 100


async def test_gone_switches_off_at_once_and_says_so(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    receiver.reactions.append(Reaction(410))

    await deliver(resources, shop)

    seen = await shop.owner.get(path(shop))
    assert seen["outbound_enabled"] is False
    assert seen["outbound_disabled"]["reason"] == "gone"
    (event,) = await shop.owner.audit(action="stock_sync.outbound_disabled")
    assert (event["actor_user_id"], event["meta"]) == (None, {"reason": "gone"})
    await sell(db, shop, "CAF-A", 1)
    await later(db, shop, hours=1)
    await deliver(resources, shop)
    assert len(receiver.received) == 1
    # Switched on again, what waited goes first; what happened in between was for nobody.
    saved = await put(shop, outbound_url=receiver.url, outbound_enabled=True)
    assert saved["outbound_disabled"] is None
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)
    told = [(each.data["sequence"], each.data["stock"]) for each in receiver.received]
    assert told == [(1, 9), (1, 9), (2, 7)]


async def test_gone_of_an_old_address_does_not_switch_off_the_new_one(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    async with ErpReceiver() as old:
        await listen(shop, old)
        await sell(db, shop, "CAF-A", 1)
        old.reactions.append(Reaction(410))
        old.gate.clear()
        delivery = asyncio.create_task(
            deliver(resources, shop, replace(QUICK, patience=timedelta(seconds=5)))
        )
        await old.has(1)
        await put(shop, outbound_url=receiver.url, outbound_enabled=True)
        old.gate.set()
        await delivery

    seen = await shop.owner.get(path(shop))
    assert (seen["outbound_enabled"], seen["outbound_disabled"]) == (True, None)
    assert await shop.owner.audit(action="stock_sync.outbound_disabled") == []
    await deliver(resources, shop)
    assert [each.data["sequence"] for each in receiver.received] == [1]


async def test_what_waited_has_a_day_again_when_it_is_switched_on(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    for key in ("CAF-A", "CAF-B"):
        await sell(db, shop, key, 1)
    receiver.reactions.append(Reaction(410))
    await deliver(resources, shop, replace(QUICK, in_flight=1))
    await later(db, shop, days=5)
    await put(shop, outbound_url=receiver.url, outbound_enabled=True)
    receiver.react = lambda _: BAD

    await deliver(resources, shop)

    assert await states(shop) == {("CAF-A", 1): "waiting", ("CAF-B", 1): "waiting"}


async def test_a_failure_after_a_long_silence_switches_nothing_off(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    """A message that was held long ago says nothing of the receiver of today."""
    await listen(shop, receiver)
    receiver.react = lambda _: BAD
    await sell(db, shop, "CAF-A", 1)
    for _ in range(len(POLICY.waits) + 1):
        await deliver(resources, shop)
        await later(db, shop, hours=7)
    assert await states(shop) == {("CAF-A", 1): "held"}
    await later(db, shop, days=14)
    await sell(db, shop, "CAF-B", 1)

    await deliver(resources, shop)

    seen = await shop.owner.get(path(shop))
    assert (seen["outbound_enabled"], seen["outbound_disabled"]) == (True, None)
    assert (await states(shop))["CAF-B", 1] == "waiting"


async def test_days_without_success_switch_off(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    receiver.react = lambda _: BAD
    for _ in range(4):
        await sell(db, shop, "CAF-A", 1)
        await deliver(resources, shop)
        await later(db, shop, hours=23)
        seen = await shop.owner.get(path(shop))
        assert (seen["outbound_enabled"], seen["outbound_disabled"]) == (True, None)
        assert seen["outbound_failing_since"] is not None

    await deliver(resources, shop)

    seen = await shop.owner.get(path(shop))
    assert seen["outbound_enabled"] is False
    assert seen["outbound_disabled"]["reason"] == "failing"
    (event,) = await shop.owner.audit(action="stock_sync.outbound_disabled")
    assert event["meta"] == {"reason": "failing"}


async def test_one_success_ends_the_failing(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    receiver.reactions.append(BAD)
    await deliver(resources, shop)
    await later(db, shop, days=2)
    await deliver(resources, shop)

    assert (await shop.owner.get(path(shop)))["outbound_failing_since"] is None


async def test_day_of_attempts_ends_in_held_and_later_messages_go_on(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    receiver.react = lambda message: BAD if message.data["sequence"] == 1 else None
    for _ in range(30):
        await deliver(resources, shop)
        await later(db, shop, hours=1)
    await sell(db, shop, "CAF-A", 1)

    await deliver(resources, shop)

    assert await states(shop) == {("CAF-A", 1): "held", ("CAF-A", 2): "delivered"}
    (held,) = await deliveries(shop, status="held")
    assert held["attempt_count"] == 9
    assert held["next_attempt_at"] is None


async def test_held_message_is_sent_again_when_asked_for(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await test_day_of_attempts_ends_in_held_and_later_messages_go_on(
        shop, db, receiver, resources
    )
    (held,) = await deliveries(shop, status="held")
    before = len(receiver.received)
    asked = path(shop, f"/deliveries/{held['id']}/redeliver")

    again = await shop.owner.post(asked, None, status=202)
    assert (again["status"], again["id"]) == ("waiting", held["id"])
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)

    # It fails again, and holds nothing back.
    assert await states(shop) == {
        ("CAF-A", 1): "waiting",
        ("CAF-A", 2): "delivered",
        ("CAF-A", 3): "delivered",
    }
    receiver.react = None
    await later(db, shop, hours=5)
    await deliver(resources, shop)
    assert set((await states(shop)).values()) == {"delivered"}
    repeated = [each for each in receiver.received[before:] if each.data["sequence"] == 1]
    assert {each.id for each in repeated} == {f"msg_{UUID(held['id']).hex}"}
    (event,) = await shop.owner.audit(action="stock_delivery.requested")
    assert event["target_id"] == held["id"]


async def test_crash_between_sending_and_writing_down_sends_it_again(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    receiver.gate.clear()
    patient = replace(QUICK, patience=timedelta(seconds=5))
    worker = asyncio.create_task(deliver(resources, shop, patient))
    await receiver.has(1)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    receiver.gate.set()

    await deliver(resources, shop)
    assert len(receiver.received) == 1  # It is still lent.
    await later(db, shop, minutes=1)
    await deliver(resources, shop)

    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    (delivery,) = await deliveries(shop)
    assert (delivery["status"], delivery["attempt_count"]) == ("delivered", 2)


async def test_two_workers_send_nothing_twice(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await fill(db, shop, 40)

    await asyncio.gather(*(deliver(resources, shop) for _ in range(3)))

    assert len(receiver.received) == 40
    assert len({each.id for each in receiver.received}) == 40


async def test_several_are_under_way_at_once_but_never_two_of_a_product(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await fill(db, shop, 12)
    for _ in range(3):
        await sell(db, shop, "CAF-A", 1)
    receiver.gate.clear()
    worker = asyncio.create_task(
        deliver(resources, shop, replace(QUICK, patience=timedelta(seconds=5)))
    )
    await receiver.has(8)
    receiver.gate.set()
    await worker

    assert receiver.most_at_once == 8
    assert receiver.about(shop.products["CAF-A"]) == [1, 2, 3]
    assert len(receiver.received) == 15


async def test_slow_product_does_not_hold_up_another_that_moves_meanwhile(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    slow = Reaction(delay_seconds=5)
    receiver.react = lambda message: slow if message.data["stock"] == 9 else None
    worker = asyncio.create_task(deliver(resources, shop))
    await receiver.has(1)
    await sell(db, shop, "CAF-B", 1)
    await receiver.has(2)

    await worker
    assert (await states(shop))["CAF-B", 1] == "delivered"
    assert (await states(shop))["CAF-A", 1] == "waiting"


async def test_switched_off_half_way_nothing_more_is_sent(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    for _ in range(3):
        await sell(db, shop, "CAF-A", 1)
    receiver.gate.clear()
    worker = asyncio.create_task(
        deliver(resources, shop, replace(QUICK, patience=timedelta(seconds=5)))
    )
    await receiver.has(1)
    await put(shop, outbound_url=receiver.url, outbound_enabled=False)
    receiver.gate.set()
    await worker

    assert receiver.about(shop.products["CAF-A"]) == [1]
    await put(shop, outbound_url=receiver.url, outbound_enabled=True)
    await deliver(resources, shop)
    assert receiver.about(shop.products["CAF-A"]) == [1, 2, 3]


async def test_other_address_takes_over_what_waits(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await put(shop, outbound_url="http://127.0.0.1:9999/", outbound_enabled=True)
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)

    await put(shop, outbound_url=receiver.url, outbound_enabled=True)
    await deliver(resources, shop)

    (delivery,) = await deliveries(shop)
    errors = [each["error"] for each in delivery["attempts"]]
    assert (delivery["status"], errors) == ("delivered", [None, "unreachable"])


async def test_closed_store_tells_nothing_more(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await shop.owner.delete(f"/v1/stores/{shop.store_id}")

    await deliver(resources, shop)

    assert receiver.received == []


async def test_message_without_a_secret_is_not_sent_unsigned(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await db.execute(  # As the front end might.
        "UPDATE store_stock_sync_settings SET outbound_url = $2, outbound_enabled = true"
        " WHERE store_id = $1",
        UUID(shop.store_id),
        receiver.url,
    )
    await sell(db, shop, "CAF-A", 1)

    await deliver(resources, shop)

    (delivery,) = await deliveries(shop)
    assert [each["error"] for each in delivery["attempts"]] == ["no_secret"]
    assert receiver.received == []


async def test_production_sends_nothing_to_a_private_address(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    settings = resources.settings.model_copy(update={"allow_private_targets": False})

    await deliver(replace(resources, settings=settings), shop)

    (delivery,) = await deliveries(shop)
    assert [each["error"] for each in delivery["attempts"]] == ["target_refused"]
    assert receiver.connections == 0
