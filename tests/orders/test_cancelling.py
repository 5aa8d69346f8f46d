"""An order gives back what it holds, once; a draft that nobody wants does so by itself."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.orders.shop import past_the_triggers, Shop, kept, moved, set_status
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.orders import steps

EARLIER = "UPDATE vek1_api.order_state SET drafted_at = now() - $2 * interval '1 minute'"


async def make_older(db: Driver, order: Any, minutes: int) -> None:
    await db.execute(f"{EARLIER} WHERE order_id = $1", UUID(order["id"]), minutes)


async def settings(shop: Shop, minutes: Any) -> None:
    body = {"settings": {"orders": {"draft_ttl_minutes": minutes}}}
    await shop.owner.patch("/v1/company", body)


async def status(shop: Shop, order: Any) -> str:
    return str((await shop.owner.get(f"/v1/orders/{order['id']}"))["status"])


@pytest.mark.parametrize(
    "reached",
    ["draft", "awaiting_proof", "proof_received", "confirmed", "shipping", "fulfilled"],
)
async def test_a_cancel_gives_the_stock_back_once_from_every_status(
    shop: Shop, db: Driver, reached: str
) -> None:
    coffee, mug = [await shop.add_product(name=name) for name in ("Café", "Caneca")]
    other = await shop.order((coffee, 1))
    order = await shop.order((coffee, 2), (mug, 3), (coffee, 1))
    await set_status(db, order, reached)

    gone = await shop.owner.post(
        f"/v1/orders/{order['id']}/cancel", {"reason": "Desistiu"}, status=200
    )
    before = await kept(db, order)
    await shop.step(order, "cancel")

    assert gone["events"][-1]["data"] == {"reason": "Desistiu"}
    assert (await shop.stock(coffee), await shop.stock(mug)) == (9, 10)
    assert (await moved(db, coffee), await moved(db, mug)) == (9, 10)
    assert await kept(db, order) == before
    assert await status(shop, other) == "draft"
    reasons = await db.fetch(
        "SELECT reason, sum(delta) AS delta FROM stock_movements WHERE order_id = $1"
        " GROUP BY reason ORDER BY reason",
        UUID(order["id"]),
    )
    assert [tuple(row) for row in reasons] == [
        ("order_cancelled", 6),
        ("order_created", -6),
    ]


async def test_twenty_cancels_at_once_give_it_back_once(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product()
    order = await shop.order((coffee, 7))

    answers = await asyncio.gather(
        *(shop.owner.request("POST", f"/v1/orders/{order['id']}/cancel") for _ in range(20))
    )

    assert {each.json()["status"] for each in answers} == {"cancelled"}
    assert {each.status_code for each in answers} == {200}
    assert await shop.stock(coffee) == await moved(db, coffee) == 10
    assert len(await shop.owner.audit(action="order.cancelled")) == 1


async def test_what_an_order_never_took_does_not_come_back(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product()
    order = await shop.order((coffee, 5))
    await shop.owner.patch(
        f"/v1/orders/{order['id']}", {"items": [{"name": "Vale", "price_cents": 5}]}
    )

    await shop.step(order, "cancel")

    assert await shop.stock(coffee) == await moved(db, coffee) == 10


@pytest.mark.parametrize(
    ("minutes", "age", "is_cancelled"),
    [
        ("unset", 1439, False),
        ("unset", 1441, True),
        (30, 29, False),
        (30, 31, True),
        (0, 1, True),
        (None, 600_000, False),
        ("soon", 1439, False),
        ("soon", 1441, True),
        (-5, 1439, False),
        (1.5, 1439, False),
        (1e300, 1441, True),
        ({"a": 1}, 1441, True),
    ],
)
async def test_a_draft_expires_when_its_company_says(
    shop: Shop,
    db: Driver,
    resources: Resources,
    minutes: Any,
    age: int,
    *,
    is_cancelled: bool,
) -> None:
    if minutes != "unset":
        await settings(shop, minutes)
    coffee = await shop.add_product()
    order = await shop.order((coffee, 4))
    await make_older(db, order, age)

    await steps.expire_drafts(resources.database)

    found = await shop.owner.get(f"/v1/orders/{order['id']}")
    assert found["status"] == ("cancelled" if is_cancelled else "draft")
    assert await shop.stock(coffee) == (10 if is_cancelled else 6)
    if is_cancelled:
        event = found["events"][-1]
        assert (event["actor"], event["data"]) == ("system", {"reason": "draft_expired"})
        [entry] = await shop.owner.audit(action="order.cancelled")
        assert entry["actor_user_id"] is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"notes": "Amanhã"}),
        ("PATCH", "", {"shipping_cents": 5}),
        ("PATCH", "", {"items": [{"name": "Laço", "price_cents": 5}]}),
        ("POST", "/notes", {"text": "Vai pagar amanhã"}),
    ],
)
async def test_a_draft_that_was_touched_lives_on(
    shop: Shop, db: Driver, resources: Resources, method: str, path: str, body: Any
) -> None:
    order = await shop.order()
    await make_older(db, order, 5_000)
    await shop.owner.request(method, f"/v1/orders/{order['id']}{path}", json=body)

    await steps.expire_drafts(resources.database)

    assert await status(shop, order) == "draft"


async def test_what_is_no_draft_any_more_does_not_expire(
    shop: Shop, db: Driver, resources: Resources
) -> None:
    order = await shop.order()
    await make_older(db, order, 5_000)
    await set_status(db, order, "awaiting_proof")

    await steps.expire_drafts(resources.database)

    assert await status(shop, order) == "awaiting_proof"


async def test_drafts_expire_once_though_several_workers_look(
    shop: Shop, db: Driver, resources: Resources
) -> None:
    coffee = await shop.add_product()
    orders = [await shop.order((coffee, 1)) for _ in range(5)]
    for order in orders:
        await make_older(db, order, 5_000)

    await asyncio.gather(*(steps.expire_drafts(resources.database) for _ in range(4)))

    assert [await status(shop, order) for order in orders] == ["cancelled"] * 5
    assert await shop.stock(coffee) == await moved(db, coffee) == 10
    assert len(await shop.owner.audit(action="order.cancelled")) == 5


async def test_a_draft_that_cannot_be_cancelled_keeps_no_other_waiting(
    shop: Shop, db: Driver, resources: Resources
) -> None:
    broken, order = await shop.order(), await shop.order()
    await past_the_triggers(
        db, "UPDATE orders SET currency = 'USD' WHERE id = $1", UUID(broken["id"])
    )
    await make_older(db, broken, 9_000)
    await make_older(db, order, 5_000)

    await steps.expire_drafts(resources.database)

    assert await status(shop, broken) == "draft"
    assert await status(shop, order) == "cancelled"
    await past_the_triggers(
        db, "UPDATE orders SET currency = 'BRL' WHERE id = $1", UUID(broken["id"])
    )


async def test_an_order_from_elsewhere_that_does_not_add_up_can_be_cancelled(
    shop: Shop, db: Driver
) -> None:
    order = await shop.order()
    await past_the_triggers(
        db, "UPDATE orders SET total_cents = 501 WHERE id = $1", UUID(order["id"])
    )

    cancelled = await shop.step(order, "cancel")

    assert (cancelled["status"], cancelled["total_cents"]) == ("cancelled", 501)
    with pytest.raises(asyncpg.CheckViolationError, match="total_cents is"):
        await db.execute(
            "UPDATE orders SET total_cents = 502 WHERE id = $1", UUID(order["id"])
        )
    await db.execute("UPDATE orders SET total_cents = 500 WHERE id = $1", UUID(order["id"]))
