"""The floor: what a skilled person would write by hand for speed alone.

A bare ASGI application, asyncpg with prepared statements and a pool of its own, orjson; no
framework, no validation. Each route has the same effects in the database as the service's: the
ownership join, and for a write the quota, the index row, the job, the audit entry with its
trail, and the ``Idempotency-Key``, all in one statement.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench import floor_leads, floor_orders, floor_webhooks
from bench.floor_sql import ADD_DOCUMENT, AGENT, AGENTS, DOCUMENTS
from vek1_api.core import clock
from vek1_api.core.encryption import Keyring
from vek1_api.settings import get_settings

PAGE = 50
POOL_SIZE = 20
JSON = (b"content-type", b"application/json")
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Found = tuple[int, bytes]

REFUSED = 401, b'{"code":"unauthenticated"}'
MISSING = 404, b'{"code":"not_found"}'


class Floor:
    """The application; it connects when the server starts."""

    _pool: asyncpg.Pool

    def __init__(self, database_url: str, token: str, keyring: Keyring) -> None:
        self._database_url = database_url
        self._bearer = f"Bearer {token}".encode()
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        headers = dict(scope["headers"])
        if scope["path"].startswith("/webhooks/"):
            status, body = await floor_webhooks.answer(
                self._pool, self._keyring, scope, headers, receive
            )
        elif hmac.compare_digest(headers.get(b"authorization", b""), self._bearer):
            status, body = await self._answer(scope, headers, receive)
        else:
            status, body = REFUSED
        length = (b"content-length", str(len(body)).encode())
        await send(
            {"type": "http.response.start", "status": status, "headers": [JSON, length]}
        )
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(
            self._database_url, min_size=POOL_SIZE, max_size=POOL_SIZE, reset=_keep
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> Found:
        owner = headers[b"x-actor-user-id"].decode()
        match scope["path"].split("/")[2:]:
            case ["agents", agent_id]:
                return await self._one(AGENT, UUID(agent_id), owner)
            case ["stores", store_id, "agents"]:
                return await self._list(AGENTS, UUID(store_id), owner)
            case ["stores", store_id, "documents"] if scope["method"] == "GET":
                return await self._list(DOCUMENTS, UUID(store_id), owner)
            case ["stores", store_id, "documents"]:
                body = (await receive())["body"]
                return await self._add(scope, headers, UUID(store_id), owner, body)
            case ["stores", store_id, "orders"]:
                sent = b"" if scope["method"] == "GET" else (await receive())["body"]
                return await floor_orders.answer(
                    self._pool, scope, UUID(store_id), owner, sent
                )
            case _:
                sent = b"" if scope["method"] == "GET" else (await receive())["body"]
                return await floor_leads.answer(self._pool, scope, owner, sent)

    async def _one(self, statement: str, row_id: UUID, owner: str) -> Found:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(statement, row_id, owner)
        return MISSING if row is None else (200, orjson.dumps(dict(row), option=OPTIONS))

    async def _list(self, statement: str, store_id: UUID, owner: str) -> Found:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(statement, store_id, owner, PAGE + 1)
        cursor = _cursor(rows[PAGE - 1]) if len(rows) > PAGE else None
        page = {"items": [dict(row) for row in rows[:PAGE]], "next_cursor": cursor}
        return 200, orjson.dumps(page, option=OPTIONS)

    async def _add(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        store_id: UUID,
        owner: str,
        sent: bytes,
    ) -> Found:
        wanted, at, document_id = orjson.loads(sent), clock.now(), uuid4()
        title, content = wanted["title"], wanted["content"]
        body = _new_document(document_id, store_id, title, content, at)
        tag = hashlib.blake2b(body, digest_size=12).hexdigest()
        path = scope["path"].encode()
        values = (
            store_id,
            owner,
            len(content.encode()),
            document_id,
            title,
            content,
            at.replace(tzinfo=None),
            orjson.dumps({"document_id": str(document_id), "revision": 1}),
            scope["client"][0],
            str(uuid4()),
            headers[b"idempotency-key"].decode(),
            hashlib.blake2b(path + sent, digest_size=32).digest(),
            json.dumps({"ETag": f'"{tag}"'}),
            body,
            str(document_id),
        )
        async with self._pool.acquire() as connection:
            # A key that is there already makes all of it fail: then its answer is replayed.
            done = await connection.execute(ADD_DOCUMENT, *values)
        return MISSING if done == "INSERT 0 0" else (201, body)


def app_factory() -> Floor:
    """Return the floor with the settings of the service that it is compared with."""
    settings = get_settings()
    assert settings.database_url is not None
    return Floor(
        settings.database_url.get_secret_value(),
        settings.service_tokens[0].get_secret_value(),
        Keyring(settings.encryption_keys),
    )


async def _keep(_connection: Any) -> None:
    """Lend a connection again as it is: these statements leave nothing behind."""


def _cursor(row: Any) -> str:
    key = orjson.dumps([row["created_at"], row["id"]], option=OPTIONS)
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _new_document(
    document_id: UUID, store_id: UUID, title: str, content: str, at: datetime
) -> bytes:
    document = {
        "id": document_id,
        "store_id": store_id,
        "product_id": None,
        "title": title,
        "file_name": None,
        "file_size": None,
        "mime_type": None,
        "category": None,
        "tags": None,
        "metadata": None,
        "index_status": "pending",
        "index_error": None,
        "chunk_count": 0,
        "page_count": None,
        "created_at": at,
        "updated_at": at,
        "content": content,
    }
    return orjson.dumps(document, option=OPTIONS)
