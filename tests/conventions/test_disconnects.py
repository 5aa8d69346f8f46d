"""Clients that hang up, and requests that are cancelled, leave nothing behind."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import uvicorn
from fastapi import FastAPI

from tests.conventions.breaking import left_open
from tests.files.pictures import plain
from tests.people import SERVICE_TOKEN, Person
from vek1_api.core.db import Database
from vek1_api.core.resources import Resources
from vek1_api.main import create_app


@pytest.fixture
async def database(database_url: str, name: str) -> AsyncGenerator[Database]:
    opened = Database(database_url, pool_size=5, application_name=name)
    yield opened
    await opened.close()


@pytest.fixture
def small_app(resources: Resources, database: Database) -> FastAPI:
    """An app with few connections: one that leaks is missed at once."""
    app = create_app(resources.settings)
    app.state.resources = replace(resources, database=database)
    return app


@pytest.fixture
async def port(small_app: FastAPI) -> AsyncGenerator[int]:
    """The port of a real server."""
    config = uvicorn.Config(
        small_app, host="127.0.0.1", port=0, lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    for _ in range(1_000):
        if server.started:
            break
        await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


def _create_store(person: Person, key: str) -> bytes:
    body = orjson.dumps({"name": "Loja"})
    return (
        f"POST /v1/stores HTTP/1.1\r\nHost: vek1.test\r\n"
        f"Authorization: Bearer {SERVICE_TOKEN}\r\nX-Actor-User-Id: {person.user_id}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _hang_up(port: int, sent: bytes, patience_seconds: float) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await writer.drain()
    await asyncio.sleep(patience_seconds)
    writer.transport.abort()


async def _settled(database: Database) -> int:
    """Return how many connections stay lent when everything has had time to end."""
    for _ in range(200):
        if database.pool_status()["lent"] == 0:
            break
        await asyncio.sleep(0.005)
    return database.pool_status()["lent"]


async def test_hundred_clients_that_hang_up_leave_no_connection_lent(
    port: int, database: Database, watch: asyncpg.Connection, name: str, ana: Person
) -> None:
    whole = [_create_store(ana, f"key-{number}") for number in range(100)]
    # Some hang up before the body is whole, some at once, some in the middle of the work.
    cut = [sent[: -(number % 3) or None] for number, sent in enumerate(whole)]

    await asyncio.gather(
        *(_hang_up(port, sent, number % 10 / 250) for number, sent in enumerate(cut))
    )

    assert await _settled(database) == 0
    assert await left_open(watch, name) == []
    made = len((await ana.get("/v1/stores", limit=200))["items"])
    keys = await watch.fetchval(
        "SELECT count(*) FROM vek1_api.idempotency_keys WHERE actor = $1", ana.user_id
    )
    assert made == keys == len(await ana.audit(action="store.created", limit=200))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert await Person(client, ana.user_id).get("/v1/company")


async def test_client_that_hung_up_gets_its_answer_with_the_same_key(
    port: int, database: Database, ana: Person
) -> None:
    sent = _create_store(ana, "one-key")
    await _hang_up(port, sent, 0)
    await _settled(database)

    again = await ana.request(
        "POST", "/v1/stores", json={"name": "Loja"}, headers={"Idempotency-Key": "one-key"}
    )

    assert again.status_code == 201
    assert len((await ana.get("/v1/stores"))["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", "/v1/stores", {"json": {"name": "Loja"}}),
        ("GET", "/v1/stores", {}),
        ("PUT", "/v1/company/logo", {"files": {"file": ("a.gif", plain("GIF"))}}),
    ],
)
async def test_request_that_is_cancelled_at_any_moment_gives_everything_back(  # noqa: PLR0913 - fixtures.
    method: str,
    path: str,
    sent: dict[str, Any],
    *,
    small_app: FastAPI,
    database: Database,
    watch: asyncpg.Connection,
    name: str,
    ana: Person,
) -> None:
    transport = httpx.ASGITransport(small_app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vek1.test"
    ) as client:
        caller = Person(client, ana.user_id)
        for step in range(40):
            calling = asyncio.create_task(caller.request(method, path, **sent))
            await asyncio.sleep(step / 4000)
            calling.cancel()
            await asyncio.wait([calling])

        assert await _settled(database) == 0
        assert await left_open(watch, name) == []
        answers = await asyncio.gather(
            *(caller.request("GET", "/v1/company") for _ in range(10))
        )
        assert [answer.status_code for answer in answers] == [200] * 10
    made = len((await ana.get("/v1/stores", limit=200))["items"])
    assert made == len(await ana.audit(action="store.created", limit=200))
