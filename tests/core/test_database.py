"""Connections that are lent for single statements come back, whatever happened to them."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from vek1_api.core.db import Database, driver_of
from vek1_api.core.schema import connect


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A database with one connection: one that is lost or in the way is missed at once."""
    opened = Database(database_url, pool_size=1)
    yield opened
    await opened.close()


async def _backend(database: Database) -> int:
    async with database.driver() as driver:
        return int(await driver.fetchval("SELECT pg_backend_pid()"))


async def test_same_connection_serves_single_statements_and_transactions(
    database: Database,
) -> None:
    first = await _backend(database)
    async with database.transaction() as tx:
        assert database.pool_status() == {"lent": 1, "size": 1}
        in_transaction = await driver_of(tx)
        assert await in_transaction.fetchval("SELECT pg_backend_pid()") == first

    async with database.driver() as driver:
        assert database.pool_status() == {"lent": 1, "size": 1}
        assert await driver.fetchval("SELECT pg_backend_pid()") == first
        assert await driver.fetchval("SHOW timezone") == "UTC"
    assert database.pool_status() == {"lent": 0, "size": 1}


async def test_connection_whose_statement_failed_or_was_cancelled_is_lent_again(
    database: Database,
) -> None:
    first = await _backend(database)
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.driver() as driver:
            await driver.fetch("SELECT FROM nothing")

    async def sleep() -> None:
        async with database.driver() as driver:
            await driver.fetch("SELECT pg_sleep(60)")

    sleeping = asyncio.create_task(sleep())
    await asyncio.sleep(0.005)
    sleeping.cancel()
    await asyncio.wait([sleeping])

    assert sleeping.cancelled()
    assert database.pool_status()["lent"] == 0
    assert await _backend(database) == first


async def test_connection_that_the_server_closed_is_opened_anew(
    database: Database, database_url: str
) -> None:
    first = await _backend(database)
    other = await connect(database_url)
    await other.fetchval("SELECT pg_terminate_backend($1, 1000)", first)
    await other.close()

    assert await _backend(database) != first
    assert database.pool_status() == {"lent": 0, "size": 1}


async def test_who_finds_the_connection_lent_waits_for_it(database: Database) -> None:
    first = await _backend(database)
    async with database.driver():
        waiting = asyncio.create_task(_backend(database))
        await asyncio.sleep(0)
        assert not waiting.done()

    assert await waiting == first


async def test_who_stops_waiting_takes_nothing_along(database: Database) -> None:
    first = await _backend(database)
    async with database.driver():
        waiting = asyncio.create_task(_backend(database))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    assert database.pool_status() == {"lent": 0, "size": 1}
    assert await _backend(database) == first
