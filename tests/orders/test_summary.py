"""What a store sold: what counts, and how it is shown."""

import csv
import io
from typing import Any
from uuid import UUID

from tests.orders.sales import SAO_PAULO, revenue, sell, summary, utc
from tests.orders.shop import Shop, open_shop, ribbon, set_status
from tests.people import Person
from vek1_api.core.db import Driver


async def test_all_of_it_for_a_small_shop(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product(stock=100)
    mug = await shop.add_product(name="Caneca", price=100, stock=100)
    first = await shop.order((coffee, 3), shipping_cents=1000, discount_cents=970)
    await set_status(
        db,
        first,
        "confirmed",
        confirmed_at=utc("2026-11-02 12:00"),
        payment_method="pix_manual",
    )
    second = await shop.order((mug, 1), (coffee, 1))
    await set_status(
        db, second, "fulfilled", confirmed_at=utc("2026-11-02 13:00"),
        payment_method="cash_on_delivery",
    )  # fmt: skip
    await sell(shop, db, "2026-11-04 12:00", 500, payment_method="pix_manual")
    gone = await shop.order((mug, 5))
    await shop.step(gone, "cancel")
    await set_status(db, gone, "cancelled", cancelled_at=utc("2026-11-04 12:00"))
    draft = await shop.order((mug, 1))
    await db.execute(
        "UPDATE orders SET created_at = '2026-11-03 12:00' WHERE store_id = $1",
        UUID(shop.store_id),
    )

    found = await summary(shop, "2026-11-01", "2026-11-04")

    assert draft["status"] == "draft"
    assert found == {
        "store_id": shop.store_id,
        "time_zone": SAO_PAULO,
        "from": "2026-11-01",
        "to": "2026-11-04",
        "by": "day",
        "orders": 3,
        "revenue_cents": 9000 + 12990 + 500,
        "average_ticket_cents": 7497,
        "cancelled": 1,
        "by_status": [
            {"status": "draft", "orders": 1, "total_cents": 10000},
            {"status": "awaiting_proof", "orders": 0, "total_cents": 0},
            {"status": "proof_received", "orders": 0, "total_cents": 0},
            {"status": "confirmed", "orders": 2, "total_cents": 9500},
            {"status": "shipping", "orders": 0, "total_cents": 0},
            {"status": "fulfilled", "orders": 1, "total_cents": 12990},
            {"status": "cancelled", "orders": 1, "total_cents": 50000},
        ],
        "by_method": [
            {"method": "cash_on_delivery", "orders": 1, "revenue_cents": 12990},
            {"method": "pix_manual", "orders": 2, "revenue_cents": 9500},
        ],
        "top_products_by_revenue": [
            {
                "product_id": coffee["id"],
                "name": "Café Serra Azul 500 g",
                "quantity": 4,
                "revenue_cents": 11960,
            },
            {"product_id": mug["id"], "name": "Caneca", "quantity": 1, "revenue_cents": 10000},
            {"product_id": None, "name": "Laço", "quantity": 1, "revenue_cents": 500},
        ],
        "top_products_by_quantity": [
            {
                "product_id": coffee["id"],
                "name": "Café Serra Azul 500 g",
                "quantity": 4,
                "revenue_cents": 11960,
            },
            {"product_id": mug["id"], "name": "Caneca", "quantity": 1, "revenue_cents": 10000},
            {"product_id": None, "name": "Laço", "quantity": 1, "revenue_cents": 500},
        ],
        "periods": [
            period("2026-11-01"),
            period("2026-11-02", orders=2, revenue_cents=21990, average_ticket_cents=10995),
            period("2026-11-03"),
            period(
                "2026-11-04",
                orders=1,
                revenue_cents=500,
                average_ticket_cents=500,
                cancelled=1,
            ),
        ],
    }  # fmt: skip


def period(first: str, last: str | None = None, **more: int) -> dict[str, Any]:
    nothing = {"orders": 0, "revenue_cents": 0, "average_ticket_cents": 0, "cancelled": 0}
    return {"from": first, "to": last or first, **nothing, **more}


async def test_half_a_cent_of_an_average_is_rounded_up(shop: Shop, db: Driver) -> None:
    for cents in (100, 101):
        await sell(shop, db, "2026-11-02 12:00", cents)

    found = await summary(shop, "2026-11-02", "2026-11-02")

    assert found["average_ticket_cents"] == 101
    assert found["periods"][0]["average_ticket_cents"] == 101


async def test_an_order_that_is_cancelled_is_no_sale_any_more(
    shop: Shop, db: Driver
) -> None:
    order = await sell(shop, db, "2026-11-02 12:00")
    await shop.step(order, "cancel")
    await set_status(db, order, "cancelled", cancelled_at=utc("2026-11-03 12:00"))

    found = await summary(shop, "2026-11-01", "2026-11-04")

    assert (found["orders"], found["revenue_cents"]) == (0, 0)
    assert [each["cancelled"] for each in found["periods"]] == [0, 0, 1, 0]
    assert (found["by_method"], found["top_products_by_revenue"]) == ([], [])


async def test_sales_of_other_shops_are_not_counted(
    shop: Shop, bruno: Person, db: Driver
) -> None:
    second = Shop(shop.owner, (await shop.owner.open_store("Outra"))["id"])
    theirs = await open_shop(bruno)
    for each, cents in ((shop, 1), (second, 10), (theirs, 100)):
        await sell(each, db, "2026-11-02 12:00", cents)

    assert (await summary(shop, "2026-11-02", "2026-11-02"))["revenue_cents"] == 1
    foreign = await bruno.request("GET", f"/v1/stores/{shop.store_id}/sales-summary")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    await shop.owner.delete(f"/v1/stores/{second.store_id}")
    path = f"/v1/stores/{second.store_id}/sales-summary"
    assert (await shop.owner.request("GET", path)).status_code == 404


async def test_a_product_that_was_deleted_goes_on_by_its_name(
    shop: Shop, db: Driver
) -> None:
    coffee = await shop.add_product()
    order = await shop.order((coffee, 2))
    await set_status(db, order, "confirmed", confirmed_at=utc("2026-11-02 12:00"))
    await shop.owner.delete(f"/v1/products/{coffee['id']}")

    found = await summary(shop, "2026-11-02", "2026-11-02")

    assert found["top_products_by_revenue"] == [
        {
            "product_id": None,
            "name": "Café Serra Azul 500 g",
            "quantity": 2,
            "revenue_cents": 5980,
        }
    ]


async def test_ten_products_are_named(shop: Shop, db: Driver) -> None:
    items = [ribbon(100 + n, name=f"Fita {n:02}", quantity=20 - n) for n in range(12)]
    order = await shop.order(items=items)
    await set_status(db, order, "confirmed", confirmed_at=utc("2026-11-02 12:00"))

    found = await summary(shop, "2026-11-02", "2026-11-02")

    names = [each["name"] for each in found["top_products_by_quantity"]]
    assert names == [f"Fita {n:02}" for n in range(10)]


async def test_what_was_confirmed_elsewhere_without_a_moment_counts_when_it_was_made(
    shop: Shop, db: Driver
) -> None:
    order = await shop.order()
    await set_status(db, order, "confirmed", created_at=utc("2026-11-02 12:00"))

    assert revenue(await summary(shop, "2026-11-01", "2026-11-04")) == {"2026-11-02": 500}


async def test_the_table_is_one_that_a_spreadsheet_reads(shop: Shop, db: Driver) -> None:
    await sell(shop, db, "2026-11-02 12:00", 123_456)
    await sell(shop, db, "2026-11-02 12:00", 5)

    response = await shop.owner.request(
        "GET",
        f"/v1/stores/{shop.store_id}/sales-summary",
        params={"from": "2026-11-01", "to": "2026-11-02", "format": "csv"},
    )

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    name = "vendas-2026-11-01-2026-11-02.csv"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    text = io.StringIO(response.content.decode("utf-8-sig"), newline="")
    assert list(csv.reader(text, delimiter=";")) == [
        ["from", "to", "orders", "revenue", "average_ticket", "cancelled"],
        ["2026-11-01", "2026-11-01", "0", "0,00", "0,00", "0"],
        ["2026-11-02", "2026-11-02", "2", "1234,61", "617,31", "0"],
    ]
