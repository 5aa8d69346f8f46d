"""Two rounds of crashes, played once; every point is a test, and a row of the page."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

FLOWS = ("charging", "ordering", "paying", "proving", "refunding", "settling")
pytest.register_assert_rewrite(*(f"tests.crashes.{flow}" for flow in (*FLOWS, "scene")))

from tests.crashes import charging, ordering, paying, proving, refunding, settling
from tests.crashes.points import POINTS
from tests.crashes.product import Part, Product, started
from tests.crashes.rounds import Run, run_round
from tests.people import Person
from vek1_api.core.resources import Resources


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-page", action="store_true", help="Write docs/crash-matrix.md anew."
    )


@pytest.fixture(scope="session")
async def product(
    tmp_path_factory: pytest.TempPathFactory,
    database_url: str,
    store_settings: dict[str, str],
    resources: Resources,
) -> AsyncGenerator[Product]:
    folder: Path = tmp_path_factory.mktemp("product")
    async with started(
        folder, resources, database_url=database_url, **store_settings
    ) as product:
        yield product


@pytest.fixture(scope="session")
async def runs(product: Product) -> dict[str, Run]:
    """What came of each point, by the name of its play."""
    person = Person(product.http, f"user-{uuid4().hex}")
    await person.sign_up()
    played = [
        run for part in Part for run in await run_round(product, person, part, POINTS)
    ]
    return {run.point.play.__name__: run for run in played}
