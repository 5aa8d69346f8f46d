"""Reais become cents the same way in Python and in Postgres."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.orders.shop import Shop
from vek1_api.core.db import Driver
from vek1_api.core.money import LARGEST_PRICE, cents

PRICES = st.floats(0, LARGEST_PRICE) | st.integers(0, 999_999_999).map(
    # Half cents and their neighbours, where rounding is decided.
    lambda thousandths: thousandths / 1000
)


@given(st.lists(PRICES, min_size=1, max_size=200))
@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_postgres_rounds_as_python_does(db: Driver, prices: list[float]) -> None:
    rows = await db.fetch(
        "SELECT vek1_api.cents(price) AS cents FROM unnest($1::float8[]) AS price", prices
    )

    assert [row["cents"] for row in rows] == [cents(each) for each in prices]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (0.285, 29),
        (1.005, 101),
        (0.004999999999999999, 0),
        (0.005, 1),
        (0.1 + 0.2, 30),
        (29.9, 2990),
        (1e-300, 0),
        (LARGEST_PRICE, 999_999_999),
    ],
)
async def test_half_a_cent_goes_up(
    shop: Shop, db: Driver, price: float, expected: int
) -> None:
    coffee = await shop.add_product()
    # As the front end may: the API itself takes whole cents only.
    await db.execute(
        "UPDATE products SET price = $2 WHERE id = $1", UUID(coffee["id"]), price
    )

    order = await shop.order((coffee, 2))

    assert cents(price) == expected
    assert order["items"][0]["price_cents"] == expected
    assert order["total_cents"] == 2 * expected
