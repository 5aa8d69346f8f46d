"""Ledger, level and the ERP's last word, side by side."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.fakes.erp import Erp
from tests.stock.shelves import Shop, fill, sell
from vek1_api.core.db import Driver


async def report(shop: Shop, **params: Any) -> Any:
    return await shop.owner.get(
        f"/v1/stores/{shop.store_id}/stock-reconciliation", **params
    )


async def test_products_whose_witnesses_differ_come_first(
    shop: Shop, erp: Erp, db: Driver
) -> None:
    now = datetime.now(UTC).isoformat()
    await erp.send(
        [
            erp.item("CAF-A", stock=10, occurred_at=now, external_id="m-1"),
            {"product_integration_id": "CAF-C", "stock": -2},
        ]
    )
    await sell(db, shop, "CAF-A", 3)

    page = await report(shop)

    shown = {each["product_integration_id"]: each for each in page["items"]}
    assert next(iter(shown)) == "CAF-C"
    assert page["next_cursor"] is None
    assert [
        (each["stock"], each["ledger"], each["expected"], each["difference"])
        for each in (shown["CAF-A"], shown["CAF-B"], shown["CAF-C"])
    ] == [(7, 7, 7, 0), (20, 20, None, None), (0, 0, -2, 2)]
    word = shown["CAF-A"]["erp"]
    assert (word["level"], word["external_id"]) == (10, "m-1")
    assert datetime.fromisoformat(word["occurred_at"]) == datetime.fromisoformat(now)
    assert word["received_at"].endswith("Z")
    assert shown["CAF-B"]["erp"] is None
    assert shown["CAF-A"]["name"] == "Café CAF-A"


async def test_a_hole_in_the_ledger_is_a_difference(shop: Shop, db: Driver) -> None:
    await db.execute(
        "DELETE FROM stock_movements WHERE product_id = $1", shop.products["CAF-B"]
    )

    [first, *rest] = (await report(shop))["items"]

    assert (first["product_integration_id"], first["stock"], first["ledger"]) == (
        "CAF-B",
        20,
        0,
    )
    assert all(each["stock"] == each["ledger"] for each in rest)


async def test_pages_of_the_report_hide_nothing(shop: Shop, erp: Erp, db: Driver) -> None:
    keys = await fill(db, shop, 9)
    await erp.send([{"product_integration_id": key, "stock": -1} for key in keys[:4]])
    seen: list[Any] = []
    cursor: dict[str, str] = {}

    while True:
        page = await report(shop, limit=3, **cursor)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert len({each["product_id"] for each in seen}) == len(seen) == 12
    assert [each["difference"] for each in seen] == [6] * 4 + [None] * 8
    bad = await shop.owner.request(
        "GET",
        f"/v1/stores/{shop.store_id}/stock-reconciliation",
        params={"cursor": "2-abc"},
    )
    assert bad.status_code == 422


async def test_the_report_as_csv_opens_in_a_spreadsheet(
    shop: Shop, erp: Erp, db: Driver
) -> None:
    await db.execute(
        "UPDATE products SET name = '=HYPERLINK(1)' WHERE id = $1", shop.products["CAF-A"]
    )
    await erp.send([{"product_integration_id": "CAF-A", "stock": -1}])

    response = await shop.owner.request(
        "GET",
        f"/v1/stores/{shop.store_id}/stock-reconciliation",
        params={"format": "csv"},
    )

    assert response.headers["content-type"].startswith("text/csv")
    assert response.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(response.text.lstrip("\ufeff")), delimiter=";"))
    assert len(rows) == 3
    assert rows[0] | {"erp_occurred_at": "", "erp_received_at": ""} == {
        "product_id": shop.products["CAF-A"],
        "product_integration_id": "CAF-A",
        "name": "'=HYPERLINK(1)",
        "stock": "10",
        "ledger": "10",
        "erp_level": "-1",
        "erp_occurred_at": "",
        "erp_received_at": "",
        "erp_external_id": "",
        "expected": "-1",
        "difference": "11",
    }


async def test_a_batch_without_times_leaves_no_difference(shop: Shop, erp: Erp) -> None:
    await erp.send(
        [
            {"product_integration_id": "CAF-A", "stock": 30},
            {"product_integration_id": "CAF-A", "delta": -2},
            {"product_integration_id": "CAF-B", "delta": -1},
            {"product_integration_id": "CAF-B", "stock": 15},
            {"product_integration_id": "CAF-B", "delta": -1},
        ]
    )

    page = await report(shop)

    shown = {each["product_integration_id"]: each for each in page["items"]}
    assert [
        (shown[key]["stock"], shown[key]["expected"]) for key in ("CAF-A", "CAF-B")
    ] == [
        (28, 28),
        (14, 14),
    ]


async def test_a_sale_after_a_level_of_a_clock_that_is_ahead_is_no_difference(
    shop: Shop, db: Driver, http: httpx.AsyncClient
) -> None:
    erp = Erp(http, shop.store_id, shop.secret, clock_is_ahead=timedelta(minutes=3))
    level = erp.item("CAF-A", stock=10)
    await erp.send([level])
    await sell(db, shop, "CAF-A", 1)

    # The same snapshot under another id brings nothing back either.
    [again] = await erp.verdicts([level | {"external_id": "again"}])

    shown = {each["product_integration_id"]: each for each in (await report(shop))["items"]}
    assert again == "unchanged"
    assert (shown["CAF-A"]["stock"], shown["CAF-A"]["expected"]) == (9, 9)
