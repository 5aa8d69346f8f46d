"""Polling levels: nothing is missed, whatever the order in which transactions commit."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.fakes.erp import Erp
from tests.people import Person
from tests.stock.shelves import START, Shop, fill, open_shop
from vek1_api.core import schema
from vek1_api.core.db import Driver

SOLD = "SELECT vek1_api.move_stock($1, $2, $3, 'order_created')"


@pytest.fixture
async def settled(shop: Shop, db: Driver) -> Shop:
    """The store, as if its products had been there for an hour."""
    await _age(db, shop)
    return shop


async def _age(db: Driver, shop: Shop) -> None:
    # The trigger that keeps the time would have its own way.
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(
            "UPDATE products SET updated_at = updated_at - interval '1 hour'"
            " WHERE store_id = $1",
            shop.store_id,
        )


async def read(erp: Erp, **params: Any) -> tuple[list[tuple[str, int]], str]:
    """Read a whole round; return the levels, and where the next round begins."""
    page = await erp.poll(**params)
    until = page["read_until"]
    levels = []
    while True:
        levels += [
            (each["product_integration_id"], each["stock"]) for each in page["items"]
        ]
        if page["next_cursor"] is None:
            return levels, until
        page = await erp.poll(**params, cursor=page["next_cursor"])


async def test_levels_are_listed_those_that_changed_last_at_the_end(
    settled: Shop, erp: Erp, db: Driver
) -> None:
    levels, _ = await read(erp)
    assert levels == [*START.items()]

    keys = await fill(db, settled, 5, stock=1)
    await _age(db, settled)

    levels, _ = await read(erp, limit=3)
    assert [key for key, _ in levels[:3]] == [*START]
    assert sorted(levels[3:]) == [(key, 1) for key in keys]


async def test_a_sale_shows_though_nothing_else_of_its_product_changed(
    settled: Shop, erp: Erp, db: Driver
) -> None:
    _, until = await read(erp)
    await db.execute(SOLD, UUID(settled.store_id), [UUID(settled.products["CAF-A"])], [-1])
    assert (await read(erp, updated_since=until))[0] == []  # It is too young yet.

    await db.execute(
        "SET session_replication_role = replica;"
        "UPDATE products SET updated_at = updated_at - interval '3 seconds'"
        f" WHERE id = '{settled.products['CAF-A']}';"
        "RESET session_replication_role"
    )

    assert (await read(erp))[0][-1] == ("CAF-A", 9)


async def test_a_poller_waits_for_a_transaction_that_is_still_running(
    settled: Shop, erp: Erp, database_url: str
) -> None:
    late = await schema.connect(database_url)
    try:
        began = await _begin_sale(late, settled)
        page = await erp.poll()
        assert page["read_until"] <= began
        assert len(page["items"]) == 3
    finally:
        await late.close()  # Which rolls it back.

    assert (await erp.poll())["read_until"] > page["read_until"]


async def _begin_sale(late: asyncpg.Connection, shop: Shop) -> str:
    await late.execute("BEGIN")
    await late.execute(SOLD, UUID(shop.store_id), [UUID(shop.products["CAF-A"])], [-1])
    # As if it had begun before the two seconds that everybody waits.
    began: str = await late.fetchval(
        "SELECT to_char(timezone('UTC', now()), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
    return began


async def test_a_new_product_is_as_young_as_its_row_and_not_as_its_transaction(
    settled: Shop, db: Driver
) -> None:
    async with db.transaction():
        [young] = await db.fetch("SELECT timezone('UTC', clock_timestamp()) AS moment")
        at = await db.fetchval(
            "INSERT INTO products (store_id, name, price) VALUES ($1, 'Novo', 1)"
            " RETURNING updated_at",
            settled.store_id,
        )

    assert at > young["moment"]


async def test_what_was_deleted_is_not_there_any_more(settled: Shop, erp: Erp) -> None:
    await settled.owner.delete(f"/v1/products/{settled.products['CAF-B']}")

    assert [key for key, _ in (await read(erp))[0]] == ["CAF-A", "CAF-C"]


async def test_levels_are_of_the_store_that_is_asked(
    settled: Shop, erp: Erp, bruno: Person, db: Driver
) -> None:
    his = await open_shop(bruno, db, {"DELE": 1})
    await _age(db, his)

    assert [key for key, _ in (await read(erp))[0]] == [*START]
    refused = await erp.http.get(
        f"/erp/v1/stores/{settled.store_id}/stock",
        headers={"Authorization": f"Bearer {his.secret}"},
    )
    assert refused.status_code == 401


async def test_a_cursor_that_is_not_ours_is_refused(erp: Erp) -> None:
    response = await erp.http.get(
        erp.path,
        params={"cursor": "abc"},
        headers={"Authorization": f"Bearer {erp.secret}"},
    )

    assert response.status_code == 422
