"""Imports that run at once with each other and with the ERP's own requests."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.imports.files import products, send, statuses
from tests.jobs.running import until
from tests.people import Person
from tests.products.shelf import add_product
from vek1_api.core.resources import Resources

ROWS = 120


def catalogue(price: int, *, is_backwards: bool = False) -> str:
    numbers = range(ROWS)[::-1] if is_backwards else range(ROWS)
    lines = [f"K{number:03};Produto {number};{price};{price}" for number in numbers]
    return "\n".join(["sku;nome;preço;estoque", *lines])


async def assert_sound(resources: Resources, store_id: str) -> None:
    """Fail unless each code has one product, each product its ledger and its document."""
    statement = """
        SELECT product_integration_id, count(*), bool_and(key.product_id = product.id),
               bool_and(stock = (SELECT sum(delta) FROM stock_movements
                                 WHERE product_id = product.id)),
               bool_and(EXISTS (SELECT FROM documents WHERE product_id = product.id))
        FROM products AS product
        LEFT JOIN vek1_api.product_keys AS key USING (store_id, product_integration_id)
        WHERE store_id = $1 GROUP BY 1
    """
    async with resources.database.driver() as driver:
        rows = await driver.fetch(statement, UUID(store_id))
    assert [tuple(row)[1:] for row in rows] == [(1, True, True, True)] * ROWS


async def test_same_file_imported_at_once_makes_each_product_once(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    files = [catalogue(5), catalogue(5, is_backwards=True)] * 3

    answers = await asyncio.gather(*(send(ana, store["id"], each) for each in files))

    assert [answer.status_code for answer in answers] == [200] * 6
    verdicts = Counter(each for answer in answers for each in statuses(answer.json()))
    assert verdicts == {"created": ROWS, "unchanged": 5 * ROWS}
    await assert_sound(resources, store["id"])


async def test_imports_and_puts_at_once_agree_on_one_product_for_each_code(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/products/by-integration-id"

    async def put(number: int) -> httpx.Response:
        body = {"name": f"Produto {number}", "price": 9, "stock": 9}
        return await ana.request("PUT", f"{path}/K{number:03}", json=body)

    work: list[Any] = [put(number) for number in range(0, ROWS, 6)]
    work[10:10] = [
        send(ana, store["id"], catalogue(5)),
        send(ana, store["id"], catalogue(7, is_backwards=True)),
    ]
    answers = await asyncio.gather(*work)

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(await products(ana, store["id"])) == ROWS
    await assert_sound(resources, store["id"])


async def test_import_and_change_of_a_code_wait_for_each_other_in_one_direction(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    product = await add_product(ana, store["id"], name="Caneca")
    path = f"/v1/products/{product['id']}"
    content = f"id;sku;nome;preço\n;D1;Bule;1\n{product['id']};;Xícara;1\n"

    async def send_both() -> list[httpx.Response]:
        changing = ana.request("PATCH", path, json={"product_integration_id": "D1"})
        first = asyncio.create_task(changing)
        await until(lambda: waiting(1))
        second = asyncio.create_task(send(ana, store["id"], content))
        await until(lambda: waiting(2))
        await driver.execute("ROLLBACK")
        return [await first, await second]

    async def waiting(count: int) -> bool:
        blocked = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(await driver.fetchval(blocked) == count)

    async with resources.database.driver() as driver:
        await driver.execute("BEGIN")
        await driver.execute("SELECT FROM products WHERE id = $1 FOR UPDATE", product["id"])
        changed, imported = await send_both()

    assert (changed.status_code, changed.json()["product_integration_id"]) == (200, "D1")
    assert statuses(imported.json()) == ["updated", "error"]
    [left] = await products(ana, store["id"])
    assert (left["id"], left["name"]) == (product["id"], "Bule")


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_imports_that_change_the_same_products_in_other_orders_all_end(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    assert (await send(ana, store["id"], catalogue(1))).status_code == 200
    files = [catalogue(price, is_backwards=price % 2 == 0) for price in range(2, 10)]

    answers = await asyncio.gather(*(send(ana, store["id"], each) for each in files))

    assert [statuses(answer.json()) for answer in answers] == [["updated"] * ROWS] * 8
    assert len({each["price"] for each in await products(ana, store["id"])}) == 1
    await assert_sound(resources, store["id"])
