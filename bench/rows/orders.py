"""``orders``: making one of 3 items with all its effects, a page of 50; as the table grows."""

from typing import Any

import asyncpg
import orjson

from bench import load
from bench.load import request
from bench.report import Section
from bench.run import Bench
from bench.shops import Shop, open_shops

CREATE_TARGET, LIST_TARGET = 0.50, 0.60
SHOPS = 32
"""More than there are connections, so that buyers seldom want the same shelf."""

FEW = 10_000
MANY, QUICK_MANY = 1_000_000, 100_000
STEP = 50_000
PRODUCTS = 3
FLAT = 0.20

COLUMNS = (
    "row",
    "before, requests/s",
    "after, requests/s",
    "p50 before / after, ms",
    "after / before",
    "target",
)

_PRODUCTS = """
    INSERT INTO products (store_id, name, description, price, stock, custom_props)
    SELECT $1, 'Café em grãos, lote ' || n, 'Torra média, notas de chocolate e caramelo.',
           19.9 + n, 1000000000, '{"peso": "500 g"}'
    FROM generate_series(1, $2::int) AS n
    RETURNING id::text
"""
_NUMBERS = 10_000_000
"""Numbers of the many begin here, above those that the service has given meanwhile."""

_ORDERS = """
    WITH made AS (
        INSERT INTO orders (store_id, number, status, payment_method, confirmed_at,
                            subtotal_cents, shipping_cents, total_cents, customer_name,
                            customer_phone, source, created_at)
        SELECT ($1::uuid[])[1 + n % cardinality($1)], 1 + n + $5,
               CASE n % 4 WHEN 0 THEN 'cancelled' ELSE 'fulfilled' END, 'pix_manual',
               timezone('UTC', now()) - (2000000 - n) * interval '20 seconds',
               5980, 1500, 7480, 'Joana Ribeiro', '5531999998888', 'agent',
               timezone('UTC', now()) - (2000000 - n) * interval '20 seconds'
        FROM generate_series($2::int, $3::int - 1) AS n
        RETURNING id, store_id, number, created_at
    ), state AS (
        INSERT INTO vek1_api.order_state (order_id, store_id, number, drafted_at)
        SELECT id, store_id, number, NULL FROM made
    ), item AS (
        INSERT INTO order_items
            (order_id, product_id, name, price_cents, quantity, subtotal_cents, created_at)
        SELECT id, ($4::uuid[])[1 + number % cardinality($4)], 'Café em grãos', 2990, 2, 5980,
               created_at
        FROM made
    ), event AS (
        INSERT INTO order_events (order_id, type, actor, created_at)
        SELECT id, 'created', 'agent', created_at FROM made
    )
    INSERT INTO vek1_api.order_counters AS counter (store_id, last)
    SELECT store_id, max(number) FROM made GROUP BY store_id
    ON CONFLICT (store_id) DO UPDATE SET last = excluded.last
"""
_INDEXES = """
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index
    WHERE indrelid = ANY ('{orders,order_items,order_events}'::regclass[]) AND NOT indisprimary
"""


async def run(bench: Bench) -> list[Section]:
    """Measure both with few orders and with many; with many against the floor, too."""
    many = QUICK_MANY if bench.is_quick else MANY
    bench.say("opening shops")
    shops = await open_shops(bench.world, "seller", SHOPS)
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        shelves = [await _stocked(connection, shop) for shop in shops]
        stores = [shop.store_id for shop in shops]
        products = [product for shelf in shelves for product in shelf]
        await _fill(bench, connection, (stores, products), 0, FEW)
        pages = _pages(bench, shops)
        orders = _orders(bench, shops, shelves)
        before = [await _alone(bench, each) for each in (pages, orders)]
        await _fill(bench, connection, (stores, products), FEW, many)
    finally:
        await connection.close()
    after = [await _alone(bench, each) for each in (pages, orders)]
    names = f"list of 50 of {many:,} orders", f"order of 3 items, {many:,} orders before"
    return [
        await bench.compare(names[0], pages, target=LIST_TARGET),
        await bench.compare(names[1], orders, target=CREATE_TARGET),
        *(
            _growth(name, *loads)
            for name, loads in zip(names, zip(before, after, strict=True), strict=True)
        ),
    ]


async def _stocked(connection: asyncpg.Connection, shop: Shop) -> list[str]:
    rows = await connection.fetch(_PRODUCTS, shop.store_id, PRODUCTS)
    return [row["id"] for row in rows]


async def _fill(
    bench: Bench,
    connection: asyncpg.Connection,
    of: tuple[list[Any], list[str]],
    first: int,
    last: int,
) -> None:
    """Write orders without triggers; indexes are built afterwards."""
    stores, products = of
    slow = await connection.fetch(_INDEXES)
    for row in slow:
        await connection.execute(f"DROP INDEX {row['name']}")
    await connection.execute("SET session_replication_role = replica")
    numbers = _NUMBERS if first else 0
    for at in range(first, last, STEP):
        bench.say(f"writing {last:,} orders: {at:,}")
        upto = min(at + STEP, last)
        await connection.execute(_ORDERS, stores, at, upto, products, numbers)
    await connection.execute("RESET session_replication_role")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for row in slow:
        bench.say(f"building {row['name']}")
        await connection.execute(row["definition"])
    await connection.execute("RESET maintenance_work_mem")
    await connection.execute("VACUUM ANALYZE")


def _pages(bench: Bench, shops: list[Shop]) -> list[str]:
    return [
        request(
            "GET", f"/v1/stores/{shop.store_id}/orders", bench.world.headers(shop.user_id)
        )
        for shop in shops
    ]


def _orders(bench: Bench, shops: list[Shop], shelves: list[list[str]]) -> list[str]:
    return [
        request(
            "POST",
            f"/v1/stores/{shop.store_id}/orders",
            bench.world.headers(shop.user_id),
            orjson.dumps(
                {
                    "items": [{"product_id": each, "quantity": 2} for each in shelf],
                    "customer_name": "Joana Ribeiro",
                }
            ),
        )
        for shop, shelf in zip(shops, shelves, strict=True)
    ]


async def _alone(bench: Bench, requests: list[str]) -> load.Load:
    """Return the best of some runs: what else the machine does can only slow one down."""
    runs = [
        await load.run(bench.world.app_port, requests, seconds=bench.seconds)
        for _ in range(bench.rounds)
    ]
    return max(runs, key=lambda each: each.requests_per_second)


def _growth(name: str, before: load.Load, after: load.Load) -> Section:
    ratio = after.requests_per_second / before.requests_per_second
    row = (
        name,
        f"{before.requests_per_second:,.0f}",
        f"{after.requests_per_second:,.0f}",
        f"{before.p50:.1f} / {after.p50:.1f}",
        f"{ratio:.2f}",
        f"≥ {1 - FLAT:.2f}",
    )
    missed = [f"{name}: {ratio:.2f} of the rate with {FEW:,}."]
    note = f"Before: {FEW:,} orders in the table. Of several runs each, the best."
    return Section(
        "Growth of orders", COLUMNS, [row], note, missed if ratio < 1 - FLAT else []
    )
