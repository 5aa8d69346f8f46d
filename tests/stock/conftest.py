from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.fakes.erp import Erp
from tests.people import Person
from tests.stock.node import install_node
from tests.stock.outlets import receiver
from tests.stock.shelves import Shop, open_shop
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources


@pytest.fixture
async def db(resources: Resources) -> AsyncGenerator[Driver]:
    """The database as the tests look at it, beside the application."""
    async with resources.database.driver() as driver:
        yield driver


@pytest.fixture
async def shop(ana: Person, db: Driver) -> Shop:
    """A store of Ana's with three products, and the secret of its ERP."""
    return await open_shop(ana, db)


@pytest.fixture
def erp(shop: Shop, http: httpx.AsyncClient) -> Erp:
    return Erp(http, shop.store_id, shop.secret)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node finds `standardwebhooks`."""
    return install_node(tmp_path_factory.mktemp("node"))
