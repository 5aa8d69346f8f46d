"""A summary's days, weeks and months: those of the shop's own calendar."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.orders.sales import SAO_PAULO, revenue, sell, summary, zone
from tests.orders.shop import Shop
from vek1_api.core.db import Driver


@pytest.mark.parametrize(
    ("name", "moment", "day"),
    [
        (SAO_PAULO, "2026-11-11 02:59:59.999999", "2026-11-10"),
        (SAO_PAULO, "2026-11-11 03:00:00", "2026-11-11"),
        ("America/Noronha", "2026-11-11 01:59:59.999999", "2026-11-10"),
        ("America/Noronha", "2026-11-11 02:00:00", "2026-11-11"),
        ("America/Manaus", "2026-11-11 03:59:59.999999", "2026-11-10"),
        ("America/Manaus", "2026-11-11 04:00:00", "2026-11-11"),
        ("America/Rio_Branco", "2026-11-11 04:59:59.999999", "2026-11-10"),
        ("America/Rio_Branco", "2026-11-11 05:00:00", "2026-11-11"),
        ("UTC", "2026-11-11 00:00:00", "2026-11-11"),
        # Summer time began at midnight of 4 November 2018 (-03 to -02), and ended a day later
        # than it seems: 17 February 2018 had its last hour twice.
        (SAO_PAULO, "2018-11-04 02:59:59.999999", "2018-11-03"),
        (SAO_PAULO, "2018-11-04 03:00:00", "2018-11-04"),
        (SAO_PAULO, "2018-11-05 01:59:59.999999", "2018-11-04"),
        (SAO_PAULO, "2018-11-05 02:00:00", "2018-11-05"),
        (SAO_PAULO, "2018-02-18 02:59:59.999999", "2018-02-17"),
        (SAO_PAULO, "2018-02-18 03:00:00", "2018-02-18"),
        (SAO_PAULO, "2018-02-17 02:00:00", "2018-02-17"),
        (SAO_PAULO, "2018-02-17 01:59:59.999999", "2018-02-16"),
    ],
)
async def test_a_sale_belongs_to_the_day_on_the_shops_own_clock(
    shop: Shop, db: Driver, name: str, moment: str, day: str
) -> None:
    await zone(shop, name)
    await sell(shop, db, moment)
    at = datetime.fromisoformat(day).date()

    around = await summary(shop, str(at - timedelta(2)), str(at + timedelta(2)))
    alone = await summary(shop, day, day)
    missed = await summary(shop, str(at + timedelta(1)), str(at + timedelta(2)))

    assert around["time_zone"] == name
    assert revenue(around) == {day: 1000}
    assert (alone["orders"], alone["revenue_cents"]) == (1, 1000)
    assert (missed["orders"], missed["revenue_cents"]) == (0, 0)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "Mars/Olympus",
        "XYZ+3",
        "America/Nowhere+3",
        "-03",
        3,
        {"zone": "UTC"},
        "'; DROP TABLE orders; --",
    ],
)
async def test_what_is_no_zone_is_the_default(shop: Shop, name: Any) -> None:
    await zone(shop, name)

    assert (await summary(shop, "2026-11-01", "2026-11-02"))["time_zone"] == SAO_PAULO


async def test_weeks_begin_on_monday_and_end_with_the_range(shop: Shop, db: Driver) -> None:
    # 2026-11-01 is a Sunday.
    for moment, cents in (
        ("2026-11-02 02:59:59", 1),
        ("2026-11-02 03:00:00", 10),
        ("2026-11-09 02:59:59", 100),
        ("2026-11-09 03:00:00", 1000),
    ):
        await sell(shop, db, moment, cents)

    found = await summary(shop, "2026-11-01", "2026-11-11", by="week")

    shown = [(each["from"], each["to"], each["revenue_cents"]) for each in found["periods"]]
    assert shown == [
        ("2026-11-01", "2026-11-01", 1),
        ("2026-11-02", "2026-11-08", 110),
        ("2026-11-09", "2026-11-11", 1000),
    ]


async def test_months_end_on_their_last_day(shop: Shop, db: Driver) -> None:
    for moment, cents in (
        ("2024-02-01 02:59:59.999999", 1),
        ("2024-02-01 03:00:00", 10),
        ("2024-03-01 02:59:59.999999", 100),
        ("2024-03-01 03:00:00", 1000),
        ("2025-01-01 02:59:59.999999", 10000),
        ("2025-01-01 03:00:00", 100000),
    ):
        await sell(shop, db, moment, cents)

    found = await summary(shop, "2024-01-31", "2025-01-01", by="month")

    assert found["periods"][1]["to"] == "2024-02-29"
    assert len(found["periods"]) == 13
    assert revenue(found) == {
        "2024-01-31": 1,
        "2024-02-01": 110,
        "2024-03-01": 1000,
        "2024-12-01": 10000,
        "2025-01-01": 100000,
    }


async def test_without_days_it_is_the_last_thirty(shop: Shop, db: Driver) -> None:
    path = f"/v1/stores/{shop.store_id}/sales-summary"
    now = "timezone('America/Sao_Paulo', now())"
    today = await db.fetchval(f"SELECT {now}::date")
    monday = await db.fetchval(f"SELECT date_trunc('week', {now})::date")
    month = await db.fetchval(
        f"SELECT (date_trunc('month', {now}) - interval '11 months')::date"
    )

    days = await shop.owner.get(path)
    weeks = await shop.owner.get(path, by="week")
    months = await shop.owner.get(path, by="month")
    since = await shop.owner.get(path, **{"from": str(today - timedelta(1))})

    assert (days["from"], days["to"]) == (str(today - timedelta(29)), str(today))
    assert (weeks["from"], len(weeks["periods"])) == (str(monday - timedelta(77)), 12)
    assert (months["from"], len(months["periods"])) == (str(month), 12)
    assert (since["to"], len(since["periods"])) == (str(today), 2)


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "/query/to"),
        ({"from": "2025-01-01", "to": "2026-01-02"}, "/query/from"),
        ({"from": "2020-01-01", "to": "2025-02-01", "by": "week"}, "/query/from"),
        ({"from": "2000-01-01", "to": "2100-12-31", "by": "month"}, "/query/from"),
        ({"from": "1999-12-31"}, "/query/from"),
        ({"to": "2101-01-01"}, "/query/to"),
        ({"from": "2026-02-30"}, "/query/from"),
        ({"by": "hour"}, "/query/by"),
        ({"format": "pdf"}, "/query/format"),
        ({"until": "2026-11-01"}, "/query/until"),
    ],
)
async def test_days_that_cannot_be_are_refused(
    shop: Shop, params: dict[str, str], pointer: str
) -> None:
    path = f"/v1/stores/{shop.store_id}/sales-summary"
    response = await shop.owner.request("GET", path, params=params)

    assert response.status_code == 422, response.text
    assert [each["pointer"] for each in response.json()["errors"]] == [pointer]


async def test_days_in_the_wrong_order_are_told_so(shop: Shop) -> None:
    path = f"/v1/stores/{shop.store_id}/sales-summary"
    days = {"from": "2026-11-02", "to": "2026-11-01"}
    response = await shop.owner.request("GET", path, params=days)

    assert response.json()["detail"] == "`to` must not be before `from`."


async def test_a_year_of_days_is_allowed(shop: Shop) -> None:
    found = await summary(shop, "2024-01-01", "2024-12-31")

    assert len(found["periods"]) == 366
