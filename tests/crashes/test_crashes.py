"""A process is killed at its worst moments, and nobody's money or goods are lost."""

import pytest

from tests.crashes.page import PAGE, text_of, without_seconds
from tests.crashes.points import POINTS, Point
from tests.crashes.product import Product
from tests.crashes.rounds import Run

# Real processes are killed and started; what a killed worker had begun is another's after 12 s.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.play.__name__)
def test_all_is_well_after(point: Point, runs: dict[str, Run]) -> None:
    run = runs[point.play.__name__]
    if run.error is not None:
        raise run.error


async def test_every_rule_holds_after_all_crashes(
    product: Product, runs: dict[str, Run]
) -> None:
    assert runs.keys() == {point.play.__name__ for point in POINTS}
    assert await product.problems() == []


@pytest.fixture
def page(request: pytest.FixtureRequest) -> str:
    """The page as it stands in ``docs``; with ``--write-page``, written anew."""
    if request.config.getoption("--write-page", default=False):
        runs: dict[str, Run] = request.getfixturevalue("runs")
        written = text_of(lambda point: runs[point.play.__name__].seconds)
        PAGE.write_text(written, encoding="utf-8")
    return PAGE.read_text(encoding="utf-8")


def test_the_page_tells_every_point_and_its_outcome(page: str) -> None:
    expected = text_of(lambda _point: 0)

    assert without_seconds(page.splitlines()) == without_seconds(expected.splitlines())
