"""The ids that ERPs give to products: which can be, and who has which."""

from urllib.parse import quote

import pytest

from tests.imports.files import products, run_import, statuses
from tests.people import Person
from tests.products.shelf import add_product
from vek1_api.core.db import Driver


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


@pytest.mark.parametrize("name", ["PÃO 12 FATIAS", "12 B", "a/b c", "é", "ç" * 255, "日本"])
async def test_id_of_an_erp_may_have_accents_and_blanks(
    ana: Person, store_id: str, name: str
) -> None:
    path = f"/v1/stores/{store_id}/products/by-integration-id/{quote(name)}"

    made = await ana.request("PUT", path, json={"name": "Pão", "price": 8})

    assert made.status_code == 201
    assert made.json()["product_integration_id"] == name
    assert await ana.get(path) == made.json()
    found = await ana.get(f"/v1/stores/{store_id}/products", product_integration_id=name)
    assert found["items"] == [made.json()]


@pytest.mark.parametrize(
    "name", ["x%0A", "x%0Ay", "x%20", "%20x", "x%00", "x%E2%80%8B", "e%CC%81", "x" * 256]
)
async def test_put_of_an_id_that_cannot_be_says_so_and_makes_nothing(
    ana: Person, store_id: str, db: Driver, name: str
) -> None:
    path = f"/v1/stores/{store_id}/products/by-integration-id/{name}"

    refused = await ana.request("PUT", path, json={"name": "x", "price": 1})
    unknown = await ana.request("GET", path)

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/path/product_integration_id"
    assert unknown.status_code == 404
    count = "SELECT count(*) FROM products WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 0


async def test_put_to_a_store_whose_id_is_none_is_not_found(ana: Person) -> None:
    path = "/v1/stores/nowhere/products/by-integration-id/x"

    answer = await ana.request("PUT", path, json={"name": "x", "price": 1})

    assert answer.status_code == 404


async def test_change_of_an_id_that_is_refused_gives_it_back(
    ana: Person, store_id: str, db: Driver
) -> None:
    product = await add_product(ana, store_id, product_integration_id="A-1")

    answer = await ana.request(
        "PATCH",
        f"/v1/products/{product['id']}",
        json={"product_integration_id": "A-2"},
        headers={"If-Match": '"abc"'},
    )

    assert answer.status_code == 412
    keys = "SELECT product_integration_id FROM vek1_api.product_keys WHERE store_id = $1"
    assert [row[0] for row in await db.fetch(keys, store_id)] == ["A-1"]
    kept = await ana.request(
        "PATCH", f"/v1/products/{product['id']}", json={"product_integration_id": "A-1"}
    )
    assert (kept.status_code, kept.json()) == (200, product)


async def test_codes_with_accents_and_blanks_name_products(ana: Person) -> None:
    store = await ana.open_store()
    content = "sku;nome;preço\nPÃO 12 FATIAS;Pão;8\n  é ;Outro;1\n"

    made = await run_import(ana, store["id"], content)
    again = await run_import(ana, store["id"], content)

    assert (statuses(made), statuses(again)) == (["created"] * 2, ["unchanged"] * 2)
    codes = [each["product_integration_id"] for each in await products(ana, store["id"])]
    assert codes == ["é", "PÃO 12 FATIAS"]
