"""Databases of their own for these tests: they drop indexes, and migrate twice at once."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.database.shop import Shop, open_shop
from vek1_api.core import schema
from vek1_api.embedded.postgres import EmbeddedPostgres

MakeDatabase = Callable[[], Awaitable[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # The first one waits for a cluster to be made.
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(60))


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    given = os.environ.get("VEK1_TEST_DATABASE_URL")
    if given is not None:
        yield given
        return
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
async def template(server_url: str) -> AsyncGenerator[str]:
    """Name a migrated database that others are copied from."""
    url = await create(server_url)
    await schema.migrate(url)
    yield str(make_url(url).database)
    await drop(server_url, url)


@pytest.fixture
async def make_empty(server_url: str) -> AsyncGenerator[MakeDatabase]:
    """Give a function that makes an empty database and returns its URL."""
    made: list[str] = []

    async def make() -> str:
        made.append(await create(server_url))
        return made[-1]

    yield make
    for url in made:
        await drop(server_url, url)


@pytest.fixture
async def empty_url(make_empty: MakeDatabase) -> str:
    return await make_empty()


@pytest.fixture
async def url(server_url: str, template: str) -> AsyncGenerator[str]:
    """Give the URL of a migrated database without rows."""
    url = await create(server_url, template)
    yield url
    await drop(server_url, url)


@pytest.fixture
async def db(url: str) -> AsyncGenerator[asyncpg.Connection]:
    conn = await schema.connect(url)
    yield conn
    await conn.close()


async def create(server_url: str, template: str = "template0") -> str:
    name = f"database_test_{uuid4().hex[:12]}"
    conn = await schema.connect(server_url)
    await conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    await conn.close()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def drop(server_url: str, url: str) -> None:
    conn = await schema.connect(server_url)
    await conn.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")
    await conn.close()


@pytest.fixture
async def shop(db: asyncpg.Connection) -> Shop:
    return await open_shop(db)
