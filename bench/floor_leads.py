"""The floor's routes of products, leads and messages."""

from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench.floor_leads_sql import (
    ADD_LEAD,
    ADD_MESSAGE,
    FOUND_PRODUCTS,
    KNOWN_LEAD,
    MESSAGES,
    PRODUCTS,
)

Found = tuple[int, bytes]

PAGE = 50
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
MISSING = 404, b'{"code":"not_found"}'


async def answer(
    pool: asyncpg.Pool, scope: dict[str, Any], owner: str, sent: bytes
) -> Found:
    """Answer a request for products, leads or messages; 404 for any other."""
    path, is_read = scope["path"].split("/")[2:], scope["method"] == "GET"
    async with pool.acquire() as connection:
        match path:
            case ["stores", store_id, "products"] if is_read:
                words = parse_qs(scope["query_string"].decode()).get("q", [])
                statement = FOUND_PRODUCTS if words else PRODUCTS
                rows = await connection.fetch(
                    statement, UUID(store_id), owner, PAGE + 1, *words
                )
                return _page(rows, "created_at")
            case ["leads", lead_id, "messages"] if is_read:
                rows = await connection.fetch(MESSAGES, UUID(lead_id), owner, PAGE + 1)
                return _page(rows, "timestamp")
            case ["stores", store_id, "leads"]:
                return await _upsert(connection, scope, UUID(store_id), owner, sent)
            case ["stores", store_id, "messages"]:
                return await _append(connection, scope, UUID(store_id), owner, sent)
            case _:
                return MISSING


async def _upsert(
    connection: Any, scope: dict[str, Any], store_id: UUID, owner: str, sent: bytes
) -> Found:
    wanted = orjson.loads(sent)
    who = store_id, owner, wanted["channel"], wanted["external_id"]
    row = await connection.fetchrow(KNOWN_LEAD, *who)
    if row is not None and row["name"] == wanted["name"]:
        return _one(200, row)
    row = await connection.fetchrow(
        ADD_LEAD, *who, wanted["name"], scope["client"][0], str(uuid4())
    )
    return _one(201, row)


async def _append(
    connection: Any, scope: dict[str, Any], store_id: UUID, owner: str, sent: bytes
) -> Found:
    said = orjson.loads(sent)
    row = await connection.fetchrow(
        ADD_MESSAGE,
        store_id,
        owner,
        UUID(said["lead_id"]),
        said["content"],
        said["provider_message_id"],
        scope["client"][0],
        str(uuid4()),
    )
    return _one(201, row)


def _one(status: int, row: Any) -> Found:
    return MISSING if row is None else (status, orjson.dumps(dict(row), option=OPTIONS))


def _page(rows: list[Any], at: str) -> Found:
    cursor = None
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        cursor = orjson.dumps([last[at], last["id"]], option=OPTIONS).hex()
    page = {"items": [dict(row) for row in rows[:PAGE]], "next_cursor": cursor}
    return 200, orjson.dumps(page, option=OPTIONS)
