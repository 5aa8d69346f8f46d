"""When the database hangs, hangs up or restarts: 503, nothing changed, then work again."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.conventions.breaking import Open, as_caller, is_unavailable, left_open
from tests.people import Person
from vek1_api.core.db import Database
from vek1_api.core.schema import migrate
from vek1_api.embedded.postgres import EmbeddedPostgres


async def _waiting_backend(watch: asyncpg.Connection, name: str) -> int:
    """Return the backend of the app that waits for a lock."""
    for _ in range(500):
        pid: int | None = await watch.fetchval(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = $1 AND wait_event_type = 'Lock'",
            name,
        )
        if pid is not None:
            return pid
        await asyncio.sleep(0.002)
    message = "nobody waits for a lock"
    raise AssertionError(message)


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_change_that_is_cut_short_changes_nothing_and_can_be_sent_again(
    end: str,
    open_app: Open,
    *,
    holder: asyncpg.Connection,
    watch: asyncpg.Connection,
    name: str,
    ana: Person,
) -> None:
    store = await ana.open_store("Antes")
    path, key = f"/v1/stores/{store['id']}", {"Idempotency-Key": uuid4().hex}
    body = {"name": "Lia", "type": "sales"}
    async with open_app() as client:
        await holder.execute("SELECT FROM stores WHERE id = $1 FOR UPDATE", store["id"])
        patching = asyncio.create_task(
            as_caller(client, ana).request("PATCH", path, json={"name": "Depois"})
        )
        await watch.fetchval(f"SELECT {end}($1)", await _waiting_backend(watch, name))
        response = await patching
        await holder.execute("ROLLBACK")

        assert is_unavailable(response)
        assert (await ana.get(path))["name"] == "Antes"
        assert await ana.audit(action="store.updated") == []

        again = await as_caller(client, ana).request("PATCH", path, json={"name": "Depois"})
        agent = await as_caller(client, ana).request(
            "POST", f"{path}/agents", json=body, headers=key
        )

        assert again.status_code == 200
        assert agent.status_code == 201
        assert await left_open(watch, name) == []


@pytest.mark.slow  # Postgres looks for a deadlock after a second.
async def test_deadlock_is_unavailable_and_changes_nothing(
    open_app: Open,
    holder: asyncpg.Connection,
    watch: asyncpg.Connection,
    name: str,
    ana: Person,
) -> None:
    slug = f"s-{uuid4().hex}"
    async with open_app() as client:
        await holder.execute("INSERT INTO vek1_api.company_slugs VALUES ($1, 'x')", slug)
        patching = asyncio.create_task(
            as_caller(client, ana).request("PATCH", "/v1/company", json={"slug": slug})
        )
        await _waiting_backend(watch, name)
        await holder.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
            f"company\n{ana.user_id}",
        )
        response = await patching

    assert is_unavailable(response)
    assert (await ana.get("/v1/company"))["slug"] != slug


@pytest.mark.slow  # The time-out for locks is five seconds.
async def test_lock_that_is_not_given_back_is_unavailable_in_time(
    open_app: Open,
    holder: asyncpg.Connection,
    watch: asyncpg.Connection,
    name: str,
    ana: Person,
) -> None:
    store = await ana.open_store("Antes")
    async with open_app() as client:
        await holder.execute("SELECT FROM stores WHERE id = $1 FOR UPDATE", store["id"])

        response = await as_caller(client, ana).request(
            "DELETE", f"/v1/stores/{store['id']}"
        )

    assert is_unavailable(response)
    assert (await ana.get(f"/v1/stores/{store['id']}"))["name"] == "Antes"
    assert await left_open(watch, name) == []


async def test_connections_that_the_server_closed_are_not_lent_again(
    open_app: Open, watch: asyncpg.Connection, name: str, ana: Person
) -> None:
    async with open_app() as client:
        caller = as_caller(client, ana)
        await asyncio.gather(*(caller.get("/v1/stores") for _ in range(12)))
        closed = await watch.fetch(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE application_name = $1",
            name,
        )
        assert closed

        answers = [
            await caller.request("GET", "/v1/stores"),
            await caller.request("POST", "/v1/stores", json={"name": "Loja"}),
            *[await caller.request("GET", "/v1/company") for _ in range(8)],
        ]

        assert {answer.status_code for answer in answers} <= {200, 201, 503}
        assert answers[-1].status_code == 200
        assert sum(answer.status_code == 503 for answer in answers) <= len(closed)
        assert (await caller.request("GET", "/v1/stores")).status_code == 200


@pytest.mark.slow  # A database server stops and starts.
@pytest.mark.timeout(60)
async def test_database_that_comes_back_is_used_again(
    open_app: Open, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder, durable=False)
    url = await asyncio.to_thread(server.start)
    port = server.port
    await migrate(url)
    database = Database(url, pool_size=3)
    async with open_app(database=database) as client:
        person = Person(client, "user-1")
        await person.sign_up()
        await asyncio.gather(*(person.get("/v1/stores") for _ in range(6)))

        await asyncio.to_thread(server.stop)
        for method, sent in (("GET", {}), ("POST", {"json": {"name": "Loja"}})) * 3:
            assert is_unavailable(await person.request(method, "/v1/stores", **sent))
        again = EmbeddedPostgres(folder, port=port, durable=False)
        await asyncio.to_thread(again.start)

        answers = [await person.request("GET", "/v1/stores") for _ in range(4)]
        assert answers[-1].status_code == 200
        assert answers[-1].json()["items"] == []
        await person.open_store()
        assert len((await person.get("/v1/stores"))["items"]) == 1
    await database.close()
    await asyncio.to_thread(again.stop)
