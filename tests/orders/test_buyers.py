"""What a lead bought follows its orders."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.orders.shop import Shop, ribbon, set_status
from vek1_api.core.db import Driver
from vek1_api.orders.schemas import LARGEST_CENTS


async def bought(shop: Shop, lead: Any) -> tuple[int, int]:
    found = await shop.owner.get(f"/v1/leads/{lead['id']}")
    return found["total_purchases"], found["total_spent_cents"]


async def insist(shop: Shop, path: str, body: Any = None) -> None:
    """Try until the service is not too busy: it says so, and that nothing was changed."""
    answer = await shop.owner.request("POST", path, json=body)
    while answer.status_code == 503:
        answer = await shop.owner.request("POST", path, json=body)
    assert answer.status_code == 200, answer.text


async def confirmed(shop: Shop, db: Driver, lead: Any) -> Any:
    order = await shop.order(lead_id=lead["id"])
    await set_status(db, order, "awaiting_proof")
    return await shop.step(order, "confirm")


async def test_a_purchase_counts_from_its_confirmation_to_its_cancel(
    shop: Shop, db: Driver
) -> None:
    lead = await shop.add_lead()
    draft = await shop.order(lead_id=lead["id"])
    assert await bought(shop, lead) == (0, 0)
    order = await confirmed(shop, db, lead)
    await shop.step(order, "confirm")
    assert await bought(shop, lead) == (1, 500)
    for verb in ("ship", "fulfill"):
        await shop.step(order, verb)
        assert await bought(shop, lead) == (1, 500)
    await shop.step(draft, "cancel")
    assert await bought(shop, lead) == (1, 500)

    for _ in range(2):
        await shop.step(order, "cancel")
        assert await bought(shop, lead) == (0, 0)


@pytest.mark.parametrize("is_merged_first", [True, False])
async def test_a_merge_in_between_takes_the_purchases_along(
    shop: Shop, db: Driver, *, is_merged_first: bool
) -> None:
    lead, other = await shop.add_lead(), await shop.add_lead("5531977776666")
    order = await shop.order(lead_id=other["id"])
    await set_status(db, order, "awaiting_proof")

    async def merge() -> None:
        await shop.owner.post(
            f"/v1/leads/{lead['id']}/merge", {"lead_id": other["id"]}, 200
        )

    if is_merged_first:
        await merge()
    await shop.step(order, "confirm")
    if not is_merged_first:
        await merge()
    assert await bought(shop, lead) == (1, 500)
    await shop.step(order, "cancel")
    assert await bought(shop, lead) == (0, 0)


async def test_merges_and_steps_at_once_lose_no_purchase(shop: Shop, db: Driver) -> None:
    lead = await shop.add_lead()
    others = [await shop.add_lead(f"55319777766{number:02}") for number in range(6)]
    orders = [await shop.order(lead_id=each["id"]) for each in others]
    for order in orders:
        await set_status(db, order, "awaiting_proof")

    merges = [
        insist(shop, f"/v1/leads/{lead['id']}/merge", {"lead_id": each["id"]})
        for each in others
    ]
    confirmations = [insist(shop, f"/v1/orders/{each['id']}/confirm") for each in orders]
    await asyncio.gather(*merges, *confirmations)

    assert await bought(shop, lead) == (6, 3000)


async def test_many_confirmations_of_one_lead_at_once_are_all_counted(
    shop: Shop, db: Driver
) -> None:
    lead = await shop.add_lead()
    orders = [await shop.order(lead_id=lead["id"]) for _ in range(15)]
    for order in orders:
        await set_status(db, order, "proof_received")

    await asyncio.gather(*(shop.step(each, "confirm") for each in orders for _ in range(2)))
    assert await bought(shop, lead) == (15, 7500)
    await asyncio.gather(*(shop.step(each, "cancel") for each in orders[::2]))

    assert await bought(shop, lead) == (7, 3500)


async def test_a_draft_that_is_given_to_another_lead_counts_for_that_one(
    shop: Shop, db: Driver
) -> None:
    lead, other = await shop.add_lead(), await shop.add_lead("5531977776666")
    order = await shop.order(lead_id=lead["id"])
    await shop.owner.patch(f"/v1/orders/{order['id']}", {"lead_id": other["id"]})
    await set_status(db, order, "awaiting_proof")

    await shop.step(order, "confirm")

    assert (await bought(shop, lead), await bought(shop, other)) == ((0, 0), (1, 500))


async def test_orders_that_nobody_counted_can_be_cancelled_and_are_counted_then(
    shop: Shop, db: Driver
) -> None:
    lead = await shop.add_lead()
    orders = [await confirmed(shop, db, lead) for _ in range(3)]
    lead_id = UUID(lead["id"])
    await db.execute(
        "UPDATE leads SET total_purchases = 0, total_spent_cents = 0 WHERE id = $1", lead_id
    )

    await shop.step(orders[0], "cancel")

    assert await bought(shop, lead) == (2, 1000)
    await db.execute(
        "UPDATE leads SET total_purchases = 0, total_spent_cents = 0 WHERE id = $1", lead_id
    )
    await db.execute("UPDATE orders SET status = 'cancelled' WHERE lead_id = $1", lead_id)
    assert await bought(shop, lead) == (0, 0)


async def test_a_sum_beyond_the_column_is_right_again_below_it(
    shop: Shop, db: Driver
) -> None:
    lead = await shop.add_lead()
    items = [ribbon(LARGEST_CENTS)]
    orders = [
        await shop.owner.post(shop.orders, {"items": items, "lead_id": lead["id"]})
        for _ in range(3)
    ]
    for order in orders:
        await set_status(db, order, "confirmed")
    assert await bought(shop, lead) == (3, LARGEST_CENTS)

    await shop.step(orders[0], "cancel")
    assert await bought(shop, lead) == (2, LARGEST_CENTS)

    await shop.step(orders[1], "cancel")
    await shop.step(orders[2], "cancel")
    assert await bought(shop, lead) == (0, 0)


async def test_many_cancels_of_what_nobody_counted_at_once_are_all_counted(
    shop: Shop, db: Driver
) -> None:
    lead = await shop.add_lead()
    orders = [await confirmed(shop, db, lead) for _ in range(8)]
    await db.execute(
        "UPDATE leads SET total_purchases = 1, total_spent_cents = 3 WHERE id = $1",
        UUID(lead["id"]),
    )

    await asyncio.gather(
        *(insist(shop, f"/v1/orders/{order['id']}/cancel") for order in orders[:5])
    )

    assert await bought(shop, lead) == (3, 1500)
