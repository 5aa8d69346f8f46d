"""The catalogue as CSV, and back."""

import csv
import io
from typing import Any
from uuid import UUID

from tests.imports.files import export, products, run_import, statuses
from tests.people import Person
from vek1_api.access.access import system
from vek1_api.core.resources import Resources
from vek1_api.products import export as exporting

NASTY: list[dict[str, Any]] = [
    {"name": '=cmd|"/c calc"!A1', "description": "+55 31 99999-0000"},
    {"name": "@home", "description": "-1\n=2\r\n'=3"},
    {"name": "'=already", "description": "''=twice", "product_integration_id": "=A1"},
    {"name": "'plain", "description": "'", "product_integration_id": "007"},
    {"name": 'a;b,c"d\te', "description": '"', "product_integration_id": "-5"},
    {"name": "Café ☕ 👩🏽‍🍳", "description": "linha 1\nlinha 2\r\nlinha 3\rfim"},
    {"name": "espaços", "description": "  antes e depois  ", "price": 0},
    {
        "name": "propriedades",
        "custom_props": {"a": {"b": [1, 2.5, None, True, "x;y\n\"z'"]}, "=c": "ç"},
        "stock": 1_000_000_000,
        "price": 9999999.99,
    },
    {"name": "vazio", "custom_props": {}, "description": ""},
]


async def test_exported_catalogue_imports_back_unchanged(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    for each in NASTY:
        body = {"price": 10.1} | each
        await ana.post(f"/v1/stores/{store['id']}/products", body)
    async with resources.database.driver() as driver:
        # As the front end writes: fractions of a cent, blanks round a name, a code twice.
        await driver.execute(
            "INSERT INTO products (store_id, name, price, product_integration_id,"
            " custom_props) VALUES ($1, ' Soma ', 0.30000000000000004, '007', NULL),"
            " ($1, 'Meio centavo', 1.005, NULL, 'null')",
            UUID(store["id"]),
        )
    before = await products(ana, store["id"])

    answer = await run_import(ana, store["id"], await export(ana, store["id"]))

    assert statuses(answer) == ["unchanged"] * 11
    assert await products(ana, store["id"]) == before


async def test_export_opens_as_a_table_without_formulas(ana: Person) -> None:
    store = await ana.open_store()
    for each in NASTY:
        await ana.post(f"/v1/stores/{store['id']}/products", {"price": 1234.5} | each)

    response = await ana.request("GET", f"/v1/stores/{store['id']}/products/export")

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="produtos-{store["slug"]}-20')
    assert disposition.endswith('.csv"')
    assert response.content.startswith(b"\xef\xbb\xbfid;product_integration_id;name;")
    text = io.StringIO(response.content.decode("utf-8-sig"), newline="")
    header, *rows = csv.reader(text, delimiter=";")
    assert header == [
        "id",
        "product_integration_id",
        "name",
        "description",
        "price",
        "stock",
        "custom_props",
    ]
    assert [row[2] for row in rows][:2] == ['\'=cmd|"/c calc"!A1', "'@home"]
    assert rows[0][4] == "1234,50"
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r"))]


async def test_export_of_many_products_has_each_of_them_once_the_oldest_first(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    async with resources.database.driver() as driver:
        await driver.execute(
            "INSERT INTO products (store_id, name, price, created_at)"
            " SELECT $1, 'P' || n, n, '2026-01-01'::timestamp + n / 7 * interval '1 s'"
            " FROM generate_series(0, 2000) AS n",
            UUID(store["id"]),
        )

    text = (await export(ana, store["id"])).removeprefix("\ufeff")

    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    numbers = [int(row["name"].removeprefix("P")) for row in rows]
    assert sorted(numbers) == list(range(2001))
    assert [number // 7 for number in numbers] == sorted(number // 7 for number in numbers)


async def test_connection_is_free_while_the_caller_takes_the_export(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    await run_import(ana, store["id"], "name,price\nCafé,10\n")
    access = system(ana.user_id)
    lent = resources.database.pool_status()["lent"]

    async for _ in exporting.lines(resources.database, access, UUID(store["id"])):
        assert resources.database.pool_status()["lent"] == lent


async def test_empty_catalogue_is_its_header(ana: Person) -> None:
    store = await ana.open_store()

    assert len((await export(ana, store["id"])).splitlines()) == 1


async def test_catalogue_of_another_company_is_not_found(
    ana: Person, bruno: Person
) -> None:
    store = await bruno.open_store()

    response = await ana.request("GET", f"/v1/stores/{store['id']}/products/export")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
