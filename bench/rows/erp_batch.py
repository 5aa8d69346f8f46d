"""``erp_batch``: levels from a store's ERP, by HTTP, against one raw SQL statement per batch.

The floor has its values ready and does the same in the database in one statement: names are
resolved, levels become movements, the ERP's ids and last words are kept, the trail is written.
Both set off the same triggers. Every level differs from the stock that it finds.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from uuid import uuid4

import asyncpg
import httpx
import orjson

from bench.report import Section
from bench.run import Bench
from bench.shops import Shop, open_shops
from vek1_api.core import clock

COLUMNS = ("row", "service, items/s", "floor, items/s", "ratio", "target")
TARGET = 0.30
PRODUCTS = 5_000
BATCH = 500
WARM_UP = 3
ROUNDS, QUICK_ROUNDS = 40, 15
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of a bench.

_STOCK_UP = """
    INSERT INTO products (store_id, name, price, stock, product_integration_id)
    SELECT $1, 'Café Serra Azul, lote ' || n, 29.9, 50, 'CAF-' || n
    FROM generate_series(1, $2::int) AS n
"""
_CONNECT = """
    INSERT INTO store_stock_sync_settings (store_id, inbound_secret, inbound_enabled)
    VALUES ($1, $2, true)
"""
_FLOOR = """
    WITH sent AS (
        SELECT known.product_id AS id, each.level, each.key, each.at
        FROM unnest($2::text[], $3::int[], $4::text[], $5::timestamptz[])
            AS each (integration_id, level, key, at)
        JOIN vek1_api.product_keys AS known
            ON known.store_id = $1 AND known.product_integration_id = each.integration_id
    ), before AS (
        SELECT products.id, products.stock FROM products JOIN sent USING (id)
        WHERE products.store_id = $1 ORDER BY products.id FOR NO KEY UPDATE OF products
    ), moved AS (
        UPDATE products SET stock = sent.level FROM before JOIN sent USING (id)
        WHERE products.id = before.id
        RETURNING products.id, before.stock AS before, products.stock AS after
    ), movement AS (
        INSERT INTO stock_movements (store_id, product_id, delta, reason, external_id, payload)
        SELECT $1, moved.id, after - before, 'inbound_sync', key,
               jsonb_build_object('source', 'erp', 'kind', 'level', 'said', level,
                                  'occurred_at', at)
        FROM moved JOIN sent USING (id) WHERE after <> before
    ), kept AS (
        INSERT INTO vek1_api.erp_keys
            (store_id, external_id, product_id, level, before, after)
        SELECT $1, key, id, level, before, after FROM moved JOIN sent USING (id)
        ON CONFLICT DO NOTHING
    ), word AS (
        INSERT INTO vek1_api.erp_levels
            (product_id, store_id, level, occurred_at, received_at, external_id)
        SELECT id, $1, level, at, now(), key FROM sent
        ON CONFLICT (product_id) DO UPDATE
        SET level = excluded.level, occurred_at = excluded.occurred_at,
            received_at = excluded.received_at, external_id = excluded.external_id
    )
    SELECT count(*) AS moved, (SELECT vek1_api.log_audit(
        $6, NULL, $1, 'stock.received', 'store', $1::text, NULL, NULL, NULL, NULL)) FROM moved
"""


class Sender:
    """Makes batches: other levels each time, and ids that nobody has used."""

    def __init__(self) -> None:
        self._turn = 0

    def batch(self) -> tuple[list[str], list[int], list[str], list[datetime]]:
        """Return the products, levels, ids and times of the next batch."""
        self._turn += 1
        first = self._turn * BATCH % PRODUCTS
        keys = [f"CAF-{first + number + 1}" for number in range(BATCH)]
        levels = [100 + (self._turn + number) % 900 for number in range(BATCH)]
        ids = [f"mov-{uuid4().hex}" for _ in range(BATCH)]
        return keys, levels, ids, [clock.now()] * BATCH


async def run(bench: Bench) -> list[Section]:
    """Send batches to the service and to the floor in turns."""
    mine, its = await open_shops(bench.world, "erp", 2)
    connection = await asyncpg.connect(bench.world.database_url)
    http = httpx.AsyncClient(base_url=bench.world.app_url, trust_env=False, timeout=60)
    rounds = WARM_UP + (QUICK_ROUNDS if bench.is_quick else ROUNDS)
    sender = Sender()
    try:
        bench.say("erp_batch: writing products")
        for shop in (mine, its):
            await connection.execute(_STOCK_UP, shop.store_id, PRODUCTS)
            await connection.execute(_CONNECT, shop.store_id, SECRET)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("SET vek1_api.moves_stock = 'on'")
        await connection.execute("SET vek1_api.is_writer = 'on'")
        bench.say(f"erp_batch: {rounds} batches of {BATCH}")
        turns = [
            (
                await _service(http, mine, sender),
                await _floor(connection, its, sender),
            )
            for _ in range(rounds)
        ]
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
    finally:
        await connection.close()
        await http.aclose()
    return [_section(turns[WARM_UP:])]


async def _service(http: httpx.AsyncClient, shop: Shop, sender: Sender) -> float:
    items = [
        {
            "product_integration_id": key,
            "stock": level,
            "external_id": external_id,
            "occurred_at": at,
        }
        for key, level, external_id, at in zip(*sender.batch(), strict=True)
    ]
    body = orjson.dumps({"items": items})
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    began = time.perf_counter()
    response = await http.post(
        f"/erp/v1/stores/{shop.store_id}/stock", content=body, headers=headers
    )
    elapsed = time.perf_counter() - began
    response.raise_for_status()
    assert response.json()["summary"]["applied"] == BATCH, response.text
    return elapsed


async def _floor(connection: asyncpg.Connection, shop: Shop, sender: Sender) -> float:
    batch = sender.batch()
    began = time.perf_counter()
    moved = await connection.fetchval(_FLOOR, shop.store_id, *batch, shop.user_id)
    elapsed = time.perf_counter() - began
    assert moved == BATCH
    return elapsed


def _section(turns: Sequence[tuple[float, float]]) -> Section:
    ratios = sorted(its / mine for mine, its in turns)
    ratio = median(its for _, its in turns) / median(mine for mine, _ in turns)
    row = (
        f"ERP, batches of {BATCH}",
        _rate([mine for mine, _ in turns]),
        _rate([its for _, its in turns]),
        f"{ratio:.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
        f"≥ {TARGET:.2f}",
    )
    missed = [f"erp_batch: {ratio:.2f} of one raw statement, {TARGET:.2f} wanted."]
    note = (
        f"One batch at a time, of {PRODUCTS:,} products; the service from the request that is "
        "sent to its answer with every verdict, the floor one statement with the same effects."
    )
    return Section("ERP", COLUMNS, [row], note, missed if ratio < TARGET else [])


def _rate(seconds: Sequence[float]) -> str:
    rates = sorted(BATCH / each for each in seconds)
    return f"{median(rates):,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f})"
