"""The database as the tests look at it, beside the application."""

from collections.abc import AsyncGenerator

import pytest

from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources


@pytest.fixture
async def db(resources: Resources) -> AsyncGenerator[Driver]:
    async with resources.database.driver() as driver:
        yield driver
