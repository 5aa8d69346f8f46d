import asyncio
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from tests.orders.shop import Shop, open_shop
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.main import create_app


@pytest.fixture
async def db(resources: Resources) -> AsyncGenerator[Driver]:
    """A connection past the API."""
    async with resources.database.driver() as driver:
        yield driver


@pytest.fixture
async def shop(ana: Person) -> Shop:
    return await open_shop(ana)


@pytest.fixture
async def port(resources: Resources) -> AsyncGenerator[int]:
    """The port of a real server."""
    application = create_app(resources.settings)
    application.state.resources = resources
    config = uvicorn.Config(
        application, "127.0.0.1", 0, lifespan="off", log_config=None, ws="none"
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
