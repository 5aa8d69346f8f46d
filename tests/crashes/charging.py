"""Charges at the gateway: asked for, made, kept."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from tests.crashes.points import Flow, point
from tests.crashes.product import Part
from tests.crashes.scene import Scene, is_lost, marker, new_key, path_of, payments

GATEWAY = {"method": "pix_gateway"}


async def _is_charged_once(scene: Scene, order: Any, key: str) -> None:
    """Let the client repeat what was not answered; there is one charge, and its code."""
    again = await scene.repeat("POST", path_of(order, "payment"), key, json=GATEWAY)
    replayed = await scene.repeat("POST", path_of(order, "payment"), key, json=GATEWAY)
    unkeyed = await scene.repeat("POST", path_of(order, "payment"), json=GATEWAY)
    [charge] = scene.charges

    assert (again.status_code, replayed.content) == (200, again.content)
    for answer in (again, unkeyed):
        assert answer.json()["payment"]["br_code"] == charge.wire()["brCode"]
        assert payments(answer.json()) == (0, ["open"])
        assert answer.json()["status"] == "awaiting_proof"


async def _shows_its_one_charge(scene: Scene, order: Any) -> None:
    seen = await scene.becomes(order, "awaiting_proof")
    [charge] = scene.charges
    assert seen["payment"]["br_code"] == charge.wire()["brCode"]
    assert payments(seen) == (0, ["open"])


@point(
    Flow.CHARGING,
    "the attempt written, before the gateway is called",
    "No charge and no code; the repeat makes the one charge.",
    waits_for="a lease of 45 s",
)
async def charging_before_the_call(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.order(), new_key()
    stand = scene.api.after_commit(marker(order))
    request = scene.send("POST", path_of(order, "payment"), key, json=GATEWAY)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert scene.charges == []
    assert payments(await scene.seen(order)) == (0, ["creating"])
    await scene.make_due(order["id"])
    await _is_charged_once(scene, order, key)


@point(
    Flow.CHARGING,
    "charge made, its answer on the way; the client repeats",
    "The repeat finds the charge and answers its code.",
    waits_for="a lease of 45 s",
)
async def charging_made_and_repeated(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.order(), new_key()
    gate = scene.product.gateway.after(scene.account, "create")
    request = scene.send("POST", path_of(order, "payment"), key, json=GATEWAY)
    await gate.reached.wait()
    yield
    assert await is_lost(request)
    assert payments(await scene.seen(order)) == (0, ["creating"])
    await scene.make_due(order["id"])
    await _is_charged_once(scene, order, key)


@point(
    Flow.CHARGING,
    "charge made, its answer on the way; nobody repeats",
    "The sweeper finds the charge and puts its code on the order.",
    waits_for="a lease of 45 s",
)
async def charging_made_and_left(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    gate = scene.product.gateway.after(scene.account, "create")
    request = scene.send("POST", path_of(order, "payment"), new_key(), json=GATEWAY)
    await gate.reached.wait()
    yield
    assert await is_lost(request)
    await scene.make_due(order["id"])
    await _shows_its_one_charge(scene, order)


@point(
    Flow.CHARGING,
    "charge made, its answer on the way; it is paid meanwhile",
    "The webhook finds the order by our own id and confirms it.",
)
async def charging_made_and_paid(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    gate = scene.product.gateway.after(scene.account, "create")
    request = scene.send("POST", path_of(order, "payment"), new_key(), json=GATEWAY)
    await gate.reached.wait()
    yield
    assert await is_lost(request)
    [charge] = scene.charges
    await scene.tell_until_taken(scene.product.gateway.pay(charge.id))
    seen = await scene.becomes(order, "confirmed")
    assert payments(seen) == (1, ["paid"])
    assert scene.charges == [charge]


@point(
    Flow.CHARGING,
    "answer here, everything written, before the commit",
    "The repeat finds the charge and answers its code.",
    waits_for="a lease of 45 s",
)
async def charging_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.order(), new_key()
    stand = scene.api.before_commit(marker(order), nth=2)
    request = scene.send("POST", path_of(order, "payment"), key, json=GATEWAY)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert (await scene.seen(order))["status"] == "draft"
    await scene.make_due(order["id"])
    await _is_charged_once(scene, order, key)


@point(
    Flow.CHARGING,
    "charge kept, before the answer",
    "The order shows the code; the repeat answers the same.",
)
async def charging_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.order(), new_key()
    stand = scene.api.after_commit(marker(order), nth=2)
    request = scene.send("POST", path_of(order, "payment"), key, json=GATEWAY)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert (await scene.seen(order))["status"] == "awaiting_proof"
    await _is_charged_once(scene, order, key)


@point(
    Flow.SWEEPING,
    "a lost charge found, everything written, before the commit",
    "The next sweep finds it again, and puts its code on the order.",
    dies=Part.WORKER,
    waits_for="a lease of 90 s",
)
async def finding_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    scene.product.gateway.cut(scene.account, "create")
    lost = await scene.send("POST", path_of(order, "payment"), json=GATEWAY)
    assert lost.status_code == 502
    stand = scene.worker.before_commit(marker(order))
    await scene.is_swept(order)
    await stand.reached.wait()
    yield
    assert (await scene.seen(order))["status"] == "draft"
    await scene.make_due(order["id"])
    await _shows_its_one_charge(scene, order)
