"""The ledger's one function, whom the trigger refuses, and what the doctor writes down."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.database.shop import Shop
from vek1_api.cli import commands
from vek1_api.cli.errors import CommandError
from vek1_api.core import schema
from vek1_api.core.schema.ledger import balance_stock

LEDGER = """
    SELECT (SELECT stock FROM products WHERE id = $1),
           (SELECT sum(delta) FROM stock_movements WHERE product_id = $1)
"""
MOVE = "SELECT is_moved, before, after FROM vek1_api.move_stock($1, $2, $3, 'manual')"


@pytest.fixture
async def other(url: str) -> AsyncGenerator[asyncpg.Connection]:
    """Connect a second time."""
    conn = await schema.connect(url)
    yield conn
    await conn.close()


async def add_products(db: asyncpg.Connection, shop: Shop, *stocks: int) -> list[UUID]:
    rows = await db.fetch(
        "INSERT INTO products (store_id, name, price, stock)"
        " SELECT $1, 'Café', 1, stock FROM unnest($2::int[]) AS stock RETURNING id",
        shop.store,
        list(stocks),
    )
    return [row["id"] for row in rows]


async def ledger(db: asyncpg.Connection, product: UUID) -> tuple[int, int]:
    row = await db.fetchrow(LEDGER, product)
    assert row is not None
    return row[0], row[1]


async def _until(db: asyncpg.Connection, question: str) -> None:
    while not await db.fetchval(question):  # noqa: ASYNC110 - Postgres has no event for it.
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("setting", ["SELECT 1", "SET vek1_api.is_writer = 'on'"])
async def test_a_stock_that_is_written_past_the_ledger_is_refused(
    db: asyncpg.Connection, shop: Shop, setting: str
) -> None:
    [product] = await add_products(db, shop, 5)
    await db.execute(setting)

    with pytest.raises(asyncpg.CheckViolationError, match="POST /v1/products"):
        await db.execute("UPDATE products SET stock = 6 WHERE id = $1", product)

    assert await ledger(db, product) == (5, 5)


async def test_who_moved_stock_may_not_write_it_in_the_same_transaction(
    db: asyncpg.Connection, shop: Shop
) -> None:
    [product] = await add_products(db, shop, 5)

    async with db.transaction():
        await db.execute(MOVE, shop.store, [product], [1])
        with pytest.raises(asyncpg.CheckViolationError):
            async with db.transaction():
                await db.execute("UPDATE products SET stock = 9 WHERE id = $1", product)

    assert await ledger(db, product) == (6, 6)


async def test_moves_of_one_product_add_up_and_each_is_a_movement(
    db: asyncpg.Connection, shop: Shop
) -> None:
    one, two = await add_products(db, shop, 5, 0)

    moved = await db.fetch(MOVE, shop.store, [one, two, one, two], [-4, 3, -1, 0])

    assert sorted(tuple(row) for row in moved) == [(True, 0, 3), (True, 5, 0)]
    deltas = "SELECT delta FROM stock_movements WHERE product_id = $1 ORDER BY created_at"
    assert [row[0] for row in await db.fetch(deltas, one)] == [5, -4, -1]
    assert [row[0] for row in await db.fetch(deltas, two)] == [3]


async def test_all_or_nothing_moves_and_what_hinders_is_named(
    db: asyncpg.Connection, shop: Shop
) -> None:
    one, two = await add_products(db, shop, 5, 1)
    nobody = uuid4()

    moved = await db.fetch(MOVE, shop.store, [one, two, nobody], [-1, -2, 1])

    assert sorted(tuple(row) for row in moved if row["before"] is not None) == [
        (False, 1, 1)
    ]
    assert (False, None, None) in [tuple(row) for row in moved]
    assert await ledger(db, one) == (5, 5)
    assert await ledger(db, two) == (1, 1)


async def test_another_stores_product_does_not_move(
    db: asyncpg.Connection, shop: Shop
) -> None:
    [product] = await add_products(db, shop, 5)

    moved = await db.fetch(MOVE, uuid4(), [product], [1])

    assert [tuple(row) for row in moved] == [(False, None, None)]
    assert await ledger(db, product) == (5, 5)


async def test_a_movement_is_as_late_as_the_lock_that_it_waited_for(
    db: asyncpg.Connection, other: asyncpg.Connection, shop: Shop
) -> None:
    [product] = await add_products(db, shop, 5)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    async with other.transaction():
        began = await other.fetchval("SELECT now()")  # The transaction begins here ...
        async with db.transaction():
            await db.execute(MOVE, shop.store, [product], [-1])
            late = asyncio.ensure_future(other.execute(MOVE, shop.store, [product], [-2]))
            await asyncio.wait_for(_until(db, waits), 5)
        await late

    rows = await db.fetch(
        "SELECT delta, created_at > timezone('UTC', $2::timestamptz) AS is_later"
        " FROM stock_movements WHERE product_id = $1 ORDER BY created_at",
        product,
        began,
    )
    # ... and yet its movement is the last.
    assert [tuple(row) for row in rows][1:] == [(-1, True), (-2, True)]


async def test_what_the_ledger_lacks_is_written_down_once(
    db: asyncpg.Connection, shop: Shop
) -> None:
    lacking, whole = await add_products(db, shop, 5, 7)
    await db.execute(
        "SET session_replication_role = replica;"
        f"UPDATE products SET stock = 3 WHERE id = '{lacking}';"
        "RESET session_replication_role"
    )
    said: list[str] = []

    await balance_stock(db, said.append)
    await balance_stock(db, said.append)

    assert said == ["wrote down what the ledger of 1 products lacked"]
    written = await db.fetch(
        "SELECT product_id, delta, reason FROM stock_movements"
        ' WHERE payload = \'{"source": "doctor"}\''
    )
    assert [tuple(row) for row in written] == [(lacking, -2, "manual")]
    assert await ledger(db, whole) == (7, 7)
    assert await schema.doctor_findings(db) == []


def test_writing_down_what_the_ledger_lacks_is_asked_for_twice() -> None:
    with pytest.raises(CommandError, match="--fix --balance"):
        commands.doctor(fix=False, recount=False, balance=True)
