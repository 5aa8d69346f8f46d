"""An app of one's own to break, and the database server seen from outside of it."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from tests.access.conftest import db
from tests.contract import Contract
from tests.conventions.breaking import Open
from vek1_api.core.db import Database
from vek1_api.core.embedding import Embedder
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect
from vek1_api.core.storage import Bucket
from vek1_api.main import create_app


@pytest.fixture
def name() -> str:
    """Name the connections of one app, to find them among the server's."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def open_app(
    resources: Resources, contract: Contract, database_url: str, name: str
) -> AsyncGenerator[Open]:
    """Give a function that opens an app of its own, of which some parts are others."""
    database = Database(database_url, pool_size=4, application_name=name)

    @asynccontextmanager
    async def opened(
        *,
        database: Database = database,
        embedder: Embedder = resources.embedder,
        bucket: Bucket = resources.bucket,
    ) -> AsyncGenerator[httpx.AsyncClient]:
        app = create_app(resources.settings)
        app.state.resources = replace(
            resources, database=database, embedder=embedder, bucket=bucket
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://vek1.test",
            event_hooks={"response": [contract.check]},
        ) as client:
            yield client

    yield opened
    await database.close()


@pytest.fixture
def logged() -> Generator[list[Any]]:
    """Give what was logged; rich's pages about an exception would take seconds."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
async def holder(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """Hold a lock in a transaction that ends with the test."""
    connection = await connect(database_url)
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


@pytest.fixture
async def watch(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """Look at the server from outside of the app's pool."""
    connection = await connect(database_url)
    yield connection
    await connection.close()
