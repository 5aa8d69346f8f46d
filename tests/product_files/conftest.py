from tests.access.conftest import db

import pytest

from tests.people import Person
from tests.product_files.shelf import Shop, open_shop
from vek1_api.core.resources import Resources


@pytest.fixture
async def shop(ana: Person, resources: Resources) -> Shop:
    return await open_shop(ana, resources)
