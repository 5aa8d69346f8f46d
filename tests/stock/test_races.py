"""ERPs, sales and people change the same stock at once, in any order of products."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.fakes.erp import Erp, Item, Message, hostile_items
from tests.stock.shelves import Shop, fill, stocks
from vek1_api.core.db import Database, Driver
from vek1_api.core.resources import Resources

SOLD = "SELECT is_moved FROM vek1_api.move_stock($1, $2, $3, 'order_created')"
LOTS = 1_000


@pytest.fixture
async def keys(shop: Shop, db: Driver) -> list[str]:
    """Twelve products of the shop that never sell out, in no order of their ids."""
    return await fill(db, shop, 12, stock=LOTS)


async def ids_of(db: Driver, shop: Shop) -> dict[str, UUID]:
    rows = await db.fetch(
        "SELECT product_integration_id, id FROM products WHERE store_id = $1", shop.store_id
    )
    return {row["product_integration_id"]: row["id"] for row in rows}


async def order(database: Database, shop: Shop, products: Sequence[UUID]) -> None:
    """Take one of each off, as an order does, in the order given."""
    async with database.driver() as driver:
        rows = await driver.fetch(SOLD, UUID(shop.store_id), products, [-1] * len(products))
    assert all(row["is_moved"] for row in rows)


async def test_orders_and_batches_in_opposite_orders_never_wait_crosswise(
    erp: Erp, shop: Shop, keys: list[str], resources: Resources, db: Driver
) -> None:
    products = [(await ids_of(db, shop))[key] for key in keys]
    forwards = [{"product_integration_id": key, "delta": -1} for key in keys]

    await asyncio.gather(
        *(
            work
            for turn in range(8)
            for work in (
                erp.send(forwards if turn % 2 else forwards[::-1], force=True),
                order(resources.database, shop, products[::-1] if turn % 2 else products),
            )
        )
    )

    left = await stocks(db, shop)
    assert {left[key] for key in keys} == {LOTS - 16}


async def test_one_change_sent_many_times_at_once_has_one_effect(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    item = {"product_integration_id": "CAF-A", "delta": -1, "external_id": "venda-1"}

    answers = await asyncio.gather(*(erp.verdicts([item]) for _ in range(8)))

    assert sorted(answers) == [["applied"], *[["duplicate"]] * 7]
    assert (await stocks(db, shop))["CAF-A"] == 9


async def test_one_id_for_two_products_at_once_counts_once(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    items = [
        {"product_integration_id": key, "delta": -1, "external_id": "venda-1"}
        for key in ("CAF-A", "CAF-B")
    ]

    answers = await asyncio.gather(*(erp.verdicts([item]) for item in items * 3))

    assert sorted(answers) == [["applied"], *[["duplicate"]] * 5]
    left = await stocks(db, shop)
    assert left["CAF-A"] + left["CAF-B"] == 29


async def test_one_message_at_once_is_answered_once(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    message = erp.message([{"product_integration_id": "CAF-A", "delta": -1}])

    answers = await asyncio.gather(*(erp.post(message) for _ in range(6)))

    assert {each.status_code for each in answers} <= {200, 409}
    assert [each.json().get("code") for each in answers if each.status_code == 409] == [
        "idempotency_in_progress"
    ] * sum(each.status_code == 409 for each in answers)
    assert (await stocks(db, shop))["CAF-A"] == 9


async def test_the_last_unit_is_sold_once(
    erp: Erp, shop: Shop, resources: Resources, db: Driver
) -> None:
    await erp.send([{"product_integration_id": "CAF-A", "stock": 1}])
    sale = {"product_integration_id": "CAF-A", "delta": -1}
    product = UUID(shop.products["CAF-A"])

    async def buy() -> str:
        async with resources.database.driver() as driver:
            [row] = await driver.fetch(SOLD, UUID(shop.store_id), [product], [-1])
        return "applied" if row["is_moved"] else "rejected"

    async def sold_there() -> str:
        return (await erp.verdicts([sale]))[0]

    outcomes = await asyncio.gather(*(each() for each in (buy, sold_there) * 5))

    assert sorted(outcomes) == ["applied", *["rejected"] * 9]
    assert (await stocks(db, shop))["CAF-A"] == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_two_erps_with_bad_habits_and_a_till_end_where_they_must(
    seed: int, shop: Shop, http: httpx.AsyncClient, resources: Resources, db: Driver
) -> None:
    """Changes come shuffled, repeated, in two clocks; every one of them counts once."""
    keys = await fill(db, shop, 6, stock=LOTS)
    chance = random.Random(seed)  # noqa: S311 - a test's.
    products = await ids_of(db, shop)
    erps = [
        Erp(http, shop.store_id, shop.secret, name, timedelta(minutes=ahead))
        for name, ahead in (("bling", 3), ("tiny", -7))
    ]
    expected = dict.fromkeys(keys, LOTS)
    messages: list[tuple[Erp, Message]] = []
    for erp in erps:
        changes = [_change(erp, chance, keys, expected) for _ in range(40)]
        sent = [changes[first : first + 8] for first in range(0, 40, 8)]
        # What was sent is sent again: as it was, and in other company.
        again = [chance.sample(changes, 10), [*hostile_items()]]
        made = [erp.message(items, force=True) for items in (*sent, *again)]
        messages += [(erp, each) for each in (*made, made[0])]
    chance.shuffle(messages)
    sales = [chance.sample(keys, 3) for _ in range(15)]
    for each in sales:
        for key in each:
            expected[key] -= 1

    answers = await asyncio.gather(
        *(_delivered(erp, message) for erp, message in messages),
        *(
            order(resources.database, shop, [products[key] for key in each])
            for each in sales
        ),
    )

    left = await stocks(db, shop)
    assert {key: left[key] for key in keys} == expected
    statuses = {item["status"] for each in answers if each for item in each["items"]}
    assert statuses == {"applied", "unchanged", "duplicate", "not_found"}


def _change(
    erp: Erp, chance: random.Random, keys: list[str], expected: dict[str, int]
) -> Item:
    key, delta = chance.choice(keys), chance.randint(-3, 3)
    expected[key] += delta
    return erp.item(key, delta=delta)


async def _delivered(erp: Erp, message: Message) -> Any:
    """Send a message until it is taken, as an ERP does."""
    while (response := await erp.post(message)).status_code == 409:
        assert response.json()["code"] == "idempotency_in_progress", response.text
        await asyncio.sleep(0.01)
    assert response.status_code == 200, response.text
    return response.json()
