"""What a stock must be, by its movements; and writing down those that are missing.

Every change writes its own. One is missing only after somebody wrote past the triggers: a
restored dump, rows from before vek1-api.
"""

from collections.abc import Callable

import asyncpg

BATCH = 500
LONGEST_SUM_SECONDS = 3_600
"""Instead of the connection's own ``command_timeout``: all movements are read once."""

UNBALANCED = """
    SELECT product.id::text AS key FROM public.products AS product
    LEFT JOIN (
        SELECT product_id, sum(delta) AS moved FROM public.stock_movements GROUP BY 1
    ) AS movements ON movements.product_id = product.id
    WHERE product.stock <> coalesce(moved, 0) OR product.stock < 0
"""
"""The products whose stock is not the sum of its movements, or negative."""

_LOCK = """
    SELECT FROM public.products WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
_BALANCE = """
    INSERT INTO public.stock_movements
        (store_id, product_id, delta, reason, payload, created_at)
    SELECT product.store_id, product.id, product.stock - moved.sum, 'manual',
           '{"source": "doctor"}', timezone('UTC', clock_timestamp())
    FROM public.products AS product
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(delta), 0)::int AS sum FROM public.stock_movements
        WHERE product_id = product.id
    ) AS moved
    WHERE product.id = ANY ($1::uuid[]) AND product.stock <> moved.sum
"""


async def balance_stock(conn: asyncpg.Connection, report: Callable[[str], object]) -> None:
    """Write the movements that are missing, some products at a time, beside the service.

    The stock stays what it is: it is what was sold from. A product is locked first and summed
    by the next statement, so no sale comes in between.
    """
    if await conn.fetchval("SELECT to_regclass('public.stock_movements') IS NULL"):
        return
    found = await conn.fetch(UNBALANCED, timeout=LONGEST_SUM_SECONDS)
    product_ids = sorted(row["key"] for row in found)
    for first in range(0, len(product_ids), BATCH):
        batch = product_ids[first : first + BATCH]
        async with conn.transaction():
            await conn.execute("SET LOCAL vek1_api.is_writer = 'on'")
            await conn.execute(_LOCK, batch)
            await conn.execute(_BALANCE, batch)
    if product_ids:
        report(f"wrote down what the ledger of {len(product_ids)} products lacked")
