"""A store that is paid by PIX by hand, and somebody who buys there."""

import pytest

from tests.access.conftest import db
from tests.people import Person
from tests.proofs.counter import Counter, open_counter
from vek1_api.core.resources import Resources


@pytest.fixture
async def counter(ana: Person, resources: Resources) -> Counter:
    return await open_counter(ana, resources)
