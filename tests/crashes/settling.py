"""Money that comes in, by webhook or found by the sweeper."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from tests.crashes.points import Flow, point
from tests.crashes.product import Part
from tests.crashes.scene import STOCK, Scene, marker, new_key, path_of, payments
from tests.crashes.waiting import until

ONCE = (1, ["paid"])


async def _is_paid_once(scene: Scene, order: Any, *, by: str = "webhook") -> None:
    seen = await scene.seen(order)
    verdicts = await scene.rows(
        "SELECT verdict FROM vek1_api.webhook_inbox WHERE store_id = $1",
        UUID(scene.store_id),
    )
    [actor] = {e["actor"] for e in seen["events"] if e["type"] == "payment_paid"}

    assert payments(seen) == ONCE
    assert actor == by
    told = [] if by == "system" else ["applied"]
    assert [row["verdict"] for row in verdicts] == told


@point(
    Flow.HEARING,
    "before it is stored",
    "AbacatePay got no answer and comes again; the order is paid once.",
)
async def hearing_before_it_is_stored(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    event = scene.product.gateway.pay(charge.id)
    stand = scene.api.before_statement(event.body["id"].encode())
    delivery = scene.tell_once(event)
    await stand.reached.wait()
    yield
    assert await delivery == 0
    assert (await scene.seen(order))["status"] == "awaiting_proof"
    await scene.tell_until_taken(event)
    await scene.becomes(order, "confirmed")
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.HEARING,
    "stored, before the answer",
    "The order is paid; when AbacatePay comes again, nothing changes.",
)
async def hearing_before_the_answer(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    event = scene.product.gateway.pay(charge.id)
    stand = scene.api.after_statement(event.body["id"].encode())
    delivery = scene.tell_once(event)
    await stand.reached.wait()
    yield
    assert await delivery == 0
    await scene.becomes(order, "confirmed")
    await scene.tell_until_taken(event)
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.REGISTERING,
    "the address registered there, its answer on the way",
    "Another worker registers it anew, instead; AbacatePay sends each webhook once.",
    dies=Part.WORKER,
)
async def registering_while_asking(scene: Scene) -> AsyncGenerator[None]:
    gate = scene.product.gateway.after(scene.account, "webhook_create")
    # By itself this happens where AbacatePay could reach us, over HTTPS.
    await scene.enqueue("payment_settings.register_webhook", store_id=scene.store_id)
    await gate.reached.wait()
    [lost] = _addresses(scene)
    yield

    async def is_replaced() -> bool:
        return bool(_addresses(scene)) and lost not in _addresses(scene)

    await until(is_replaced)
    yield
    assert len(_addresses(scene)) == 1


def _addresses(scene: Scene) -> list[str]:
    webhooks = scene.product.gateway.state.webhooks.values()
    return [each.id for each in webhooks if each.store_id == scene.account.id]


@point(
    Flow.UNDERSTANDING,
    "the gateway asked, its answer on the way",
    "Another worker asks again; the order is paid once.",
    dies=Part.WORKER,
)
async def understanding_while_asking(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    gate = scene.product.gateway.after(scene.account, "check")
    assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
    await gate.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (0, ["open"])
    await scene.becomes(order, "confirmed")
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.UNDERSTANDING,
    "settled, before the commit",
    "The order waits as before; another worker settles it.",
    dies=Part.WORKER,
)
async def understanding_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    stand = scene.worker.before_commit(marker(order))
    assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
    await stand.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (0, ["open"])
    await scene.becomes(order, "confirmed")
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.UNDERSTANDING,
    "settled and committed, its job not ended",
    "The order is paid; the job runs again and changes nothing.",
    dies=Part.WORKER,
)
async def understanding_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    stand = scene.worker.after_commit(marker(order))
    assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
    await stand.reached.wait()
    yield
    assert payments(await scene.seen(order)) == ONCE
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.UNDERSTANDING,
    "paid after it was cancelled, everything written, before the commit",
    "The order stays cancelled, and a person is told once that money came late.",
    dies=Part.WORKER,
)
async def understanding_what_came_late(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    await scene.person.post(path_of(order, "cancel"), None, 200)
    stand = scene.worker.before_commit(marker(order))
    assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
    await stand.reached.wait()
    yield
    assert await scene.attention() == []

    async def is_told() -> bool:
        return bool(await scene.attention())

    await until(is_told)
    yield
    seen = await scene.seen(order)
    assert await scene.attention() == ["late_payment"]
    assert (seen["status"], payments(seen)) == ("cancelled", ONCE)
    assert await scene.stock() == STOCK


@point(
    Flow.UNDERSTANDING,
    "waiting for the order, while a person confirms it too",
    "The person's word counts; the charge is written to it later, no second payment.",
    dies=Part.WORKER,
    comes_last=True,
)
async def understanding_beside_a_person(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    row = "SELECT FROM public.orders WHERE id = $1 FOR UPDATE"
    async with scene.lock(row, UUID(order["id"])) as lock:
        assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
        await lock.is_waited_for()
        request = scene.send("POST", path_of(order, "confirm"), new_key())
        await lock.is_waited_for(by=2)
        yield
    assert (await request).status_code == 200
    assert payments(await scene.seen(order)) == (1, ["open"])

    async def is_settled() -> bool:
        return payments(await scene.seen(order)) == ONCE

    await until(is_settled)
    yield
    await _is_paid_once(scene, order, by="user")


@point(
    Flow.UNDERSTANDING,
    "stored, its job not begun",
    "The order is paid when a worker runs again.",
    dies=Part.WORKER,
    comes_last=True,
)
async def understanding_not_begun(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    # The last point of all to be reached: a worker that is frozen reaches no other.
    scene.product.freeze(Part.WORKER)
    assert await scene.tell(scene.product.gateway.pay(charge.id)) == 200
    yield
    await scene.becomes(order, "confirmed")
    yield
    await _is_paid_once(scene, order)


@point(
    Flow.SWEEPING,
    "the gateway asked, its answer on the way",
    "No webhook ever came; the next sweep asks again, and the order is paid once.",
    dies=Part.WORKER,
    waits_for="a lease of 90 s",
)
async def sweeping_while_asking(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    scene.product.gateway.pay(charge.id)
    gate = scene.product.gateway.after(scene.account, "check")
    await scene.is_swept(order)
    await gate.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (0, ["open"])
    await scene.make_due(order["id"])
    await scene.becomes(order, "confirmed")
    yield
    await _is_paid_once(scene, order, by="system")


@point(
    Flow.SWEEPING,
    "settled and committed",
    "The order is paid; it is not asked for again.",
    dies=Part.WORKER,
)
async def sweeping_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order, charge = await scene.charged()
    scene.product.gateway.pay(charge.id)
    stand = scene.worker.after_commit(marker(order))
    await scene.is_swept(order)
    await stand.reached.wait()
    yield
    assert payments(await scene.seen(order)) == ONCE
    yield
    await _is_paid_once(scene, order, by="system")
