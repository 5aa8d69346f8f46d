"""Orders: made, changed, confirmed, cancelled, forgotten."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.crashes.points import Flow, point
from tests.crashes.product import Part
from tests.crashes.scene import (
    PRICE_CENTS,
    STOCK,
    Cut,
    Scene,
    is_lost,
    marker,
    path_of,
    payments,
)

LONG_AGO = timedelta(days=30)


async def _is_made_once(scene: Scene, cut: Cut) -> None:
    """Let the client repeat its order; there is one of it, the store's second."""
    made = await cut.again(201)
    orders = await scene.all_orders()

    assert made["number"] == 2
    assert [order["number"] for order in orders] == [1, 2]
    assert await scene.stock() == STOCK - 4


@point(
    Flow.MAKING,
    "waiting for the store's next number",
    "Nothing was made; the repeat makes the order, with the next number.",
    comes_last=True,
)
async def making_waits_for_its_number(scene: Scene) -> AsyncGenerator[None]:
    await scene.order()
    counter = "SELECT FROM vek1_api.order_counters WHERE store_id = $1 FOR UPDATE"
    async with scene.lock(counter, UUID(scene.store_id)) as lock:
        cut = scene.sent(scene.orders, json=scene.basket())
        await lock.is_waited_for()
        yield
    await _is_made_once(scene, cut)


@point(
    Flow.MAKING,
    "everything written, before the commit",
    "Nothing was made; the repeat makes the order, with the next number.",
)
async def making_before_commit(scene: Scene) -> AsyncGenerator[None]:
    await scene.order()
    name = uuid4().hex
    basket = scene.basket(customer_name=name)
    cut = await scene.before_commit(name.encode(), scene.orders, json=basket)
    yield
    assert len(await scene.all_orders()) == 1
    assert await scene.stock() == STOCK - 2
    await _is_made_once(scene, cut)


@point(
    Flow.MAKING,
    "committed, before the answer",
    "The order is there; the repeat gets the answer that was lost.",
)
async def making_after_commit(scene: Scene) -> AsyncGenerator[None]:
    await scene.order()
    name = uuid4().hex
    basket = scene.basket(customer_name=name)
    cut = await scene.after_commit(name.encode(), scene.orders, json=basket)
    yield
    [_, made] = await scene.all_orders()
    await _is_made_once(scene, cut)
    assert (await scene.all_orders())[1]["id"] == made["id"]


@point(
    Flow.MAKING,
    "without a key: committed, before the answer",
    "The order is there, whole, and in the list; nobody was told, so repeat with a key.",
)
async def making_without_a_key(scene: Scene) -> AsyncGenerator[None]:
    await scene.order()
    stand = scene.api.after_statement(b"Joana Sem Chave")
    basket = scene.basket(customer_name="Joana Sem Chave")
    request = scene.send("POST", scene.orders, json=basket)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    [_, made] = await scene.all_orders()
    order = await scene.seen(made)
    assert (order["number"], order["total_cents"]) == (2, 2 * PRICE_CENTS)
    assert [event["type"] for event in order["events"]] == ["created"]
    assert await scene.stock() == STOCK - 4


async def _is_edited_once(scene: Scene, order: Any) -> None:
    again = await scene.repeat("PATCH", path_of(order), json=_more(scene))

    assert again.status_code == 200
    assert again.json()["total_cents"] == 5 * PRICE_CENTS
    assert await scene.stock() == STOCK - 5


@point(
    Flow.EDITING,
    "everything written, before the commit",
    "The draft is as it was; the repeat changes it and moves the stock.",
)
async def editing_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    stand = scene.api.before_commit(marker(order))
    request = scene.send("PATCH", path_of(order), json=_more(scene))
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert (await scene.seen(order))["total_cents"] == 2 * PRICE_CENTS
    assert await scene.stock() == STOCK - 2
    await _is_edited_once(scene, order)


@point(
    Flow.EDITING,
    "committed, before the answer",
    "The draft is changed; the repeat moves no stock a second time.",
)
async def editing_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    stand = scene.api.after_commit(marker(order))
    request = scene.send("PATCH", path_of(order), json=_more(scene))
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert await scene.stock() == STOCK - 5
    await _is_edited_once(scene, order)


async def _is_confirmed_once(scene: Scene, order: Any, cut: Cut) -> None:
    await cut.again()
    unkeyed = await scene.repeat("POST", path_of(order, "confirm"))
    seen = await scene.seen(order)

    assert unkeyed.status_code == 200
    assert seen["status"] == "confirmed"
    assert payments(seen) == (1, ["paid"])


@point(
    Flow.CONFIRMING,
    "everything written, before the commit",
    "The order waits as before; the repeat confirms it.",
)
async def confirming_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    cut = await scene.before_commit(marker(order), path_of(order, "confirm"))
    yield
    seen = await scene.seen(order)
    assert (seen["status"], payments(seen)) == ("awaiting_proof", (0, ["open"]))
    await _is_confirmed_once(scene, order, cut)


@point(
    Flow.CONFIRMING,
    "committed, before the answer",
    "The order is confirmed, once; the repeat gets the answer that was lost.",
)
async def confirming_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    cut = await scene.after_commit(marker(order), path_of(order, "confirm"))
    yield
    assert payments(await scene.seen(order)) == (1, ["paid"])
    await _is_confirmed_once(scene, order, cut)


async def _is_cancelled_once(scene: Scene, order: Any, cut: Cut) -> None:
    again = await cut.again()
    unkeyed = await scene.repeat("POST", path_of(order, "cancel"))

    assert (unkeyed.status_code, again["status"]) == (200, "cancelled")
    assert await scene.stock() == STOCK


@point(
    Flow.CANCELLING,
    "its stock given back, before the commit",
    "The order and its stock are as before; the repeat gives the stock back once.",
)
async def cancelling_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    cut = await scene.before_commit(marker(order), path_of(order, "cancel"))
    yield
    assert (await scene.seen(order))["status"] == "awaiting_proof"
    assert await scene.stock() == STOCK - 2
    await _is_cancelled_once(scene, order, cut)


@point(
    Flow.CANCELLING,
    "committed, before the answer",
    "The order is cancelled and its stock back; the repeat gives nothing back twice.",
)
async def cancelling_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    cut = await scene.after_commit(marker(order), path_of(order, "cancel"))
    yield
    assert await scene.stock() == STOCK
    await _is_cancelled_once(scene, order, cut)


@point(
    Flow.EXPIRING,
    "one draft cancelled, the next waiting to give its stock back",
    "The first is cancelled, the second as before; the next run cancels it, once.",
    dies=Part.WORKER,
    comes_last=True,
)
async def expiring_between_two_drafts(scene: Scene) -> AsyncGenerator[None]:
    path = f"/v1/stores/{scene.store_id}/products"
    tea = {"name": "Chá", "price": 10, "stock": STOCK}
    tea = await scene.person.post(path, tea)
    items = [{"product_id": tea["id"], "quantity": 3}]
    first = await scene.person.post(scene.orders, {"items": items, "source": "manual"})
    second = await scene.order()
    shelf = "SELECT FROM public.products WHERE id = $1 FOR UPDATE"
    async with scene.lock(shelf, UUID(scene.coffee_id)) as lock:
        for order, age in ((first, 2 * LONG_AGO), (second, LONG_AGO)):
            await scene.product.db.execute(
                "UPDATE vek1_api.order_state SET drafted_at = now() - $2::interval"
                " WHERE order_id = $1",
                UUID(order["id"]),
                age,
            )
        await lock.is_waited_for()
        yield
        seen = [(await scene.seen(order))["status"] for order in (first, second)]
        assert seen == ["cancelled", "draft"]
        assert await scene.stock() == STOCK - 2
    await scene.becomes(second, "cancelled")
    left = await scene.repeat("GET", f"/v1/products/{tea['id']}")
    assert (left.json()["stock"], await scene.stock()) == (STOCK, STOCK)


def _more(scene: Scene) -> dict[str, Any]:
    return {"items": scene.basket(quantity=5)["items"]}
