"""The floor's routes of orders.

An order is one statement, which a transaction by itself: the store's ownership, the products'
rows locked in the order of their ids, their prices, the stock and its movements, the number from
the store's counter, order, items, event, audit entry and trail. The triggers of the tables are
the service's own, so the order's state is written as there. JSON is made by Postgres and put
together here. What the floor leaves out: judging the body, leads, agents, free lines, telling
which product is short, and a price that the order does not fit.
"""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench.floor_orders_sql import ADD_ORDER, ORDERS

Found = tuple[int, bytes]

PAGE = 50
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
MISSING = 404, b'{"code":"not_found"}'
SHORT = 409, b'{"code":"insufficient_stock"}'


async def answer(
    pool: asyncpg.Pool, scope: dict[str, Any], store_id: UUID, owner: str, sent: bytes
) -> Found:
    """Answer with a page of a store's orders, or make one."""
    async with pool.acquire() as connection:
        if scope["method"] == "GET":
            rows = await connection.fetch(ORDERS, store_id, owner, PAGE + 1)
            return _page(rows)
        return await _add(connection, scope, store_id, owner, sent)


async def _add(
    connection: Any, scope: dict[str, Any], store_id: UUID, owner: str, sent: bytes
) -> Found:
    wanted = orjson.loads(sent)
    try:
        row = await connection.fetchrow(
            ADD_ORDER,
            store_id,
            owner,
            [UUID(each["product_id"]) for each in wanted["items"]],
            [each["quantity"] for each in wanted["items"]],
            wanted["customer_name"],
            scope["client"][0],
            str(uuid4()),
        )
    except asyncpg.DivisionByZeroError:
        return SHORT
    if row is None:
        return MISSING
    body = row["body"].removesuffix("}")
    text = f'{body},"items":{row["items"]},"events":{row["events"]},"payment_attempts":[]}}'
    return 201, text.encode()


def _page(rows: list[Any]) -> Found:
    cursor = None
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        cursor = orjson.dumps([last["created_at"], last["id"]], option=OPTIONS).hex()
    page = {"items": [dict(row) for row in rows[:PAGE]], "next_cursor": cursor}
    return 200, orjson.dumps(page, option=OPTIONS)
