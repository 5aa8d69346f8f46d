"""Products: every field, their ledger, and what stays when one goes."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.people import Person
from tests.products.shelf import COFFEE, add_product, movements
from vek1_api.core.db import Driver


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def test_product_keeps_every_field(ana: Person, store_id: str) -> None:
    product = await ana.post(f"/v1/stores/{store_id}/products", COFFEE)

    assert product.items() >= COFFEE.items()
    assert product["store_id"] == store_id
    assert await ana.get(f"/v1/products/{product['id']}") == product


async def test_new_product_has_the_seeds_defaults(ana: Person, store_id: str) -> None:
    product = await add_product(ana, store_id)

    assert (product["description"], product["stock"]) == (None, 0)
    assert (product["product_integration_id"], product["custom_props"]) == (None, None)


async def test_first_stock_and_every_change_are_movements(
    ana: Person, store_id: str, db: Driver
) -> None:
    product = await add_product(ana, store_id, stock=12)
    path = f"/v1/products/{product['id']}"

    await ana.patch(path, {"stock": 9, "name": "Café novo"})
    await ana.patch(path, {"stock": 9})
    changed = await ana.patch(path, {"stock": 10})

    assert (changed["stock"], changed["name"]) == (10, "Café novo")
    assert await movements(db, product["id"]) == [
        (12, "manual"),
        (-3, "manual"),
        (1, "manual"),
    ]


async def test_change_is_audited_with_both_values(ana: Person, store_id: str) -> None:
    product = await add_product(ana, store_id, stock=12)

    await ana.patch(f"/v1/products/{product['id']}", {"stock": 9, "price": 31.5})

    entries = await ana.audit(target_id=product["id"])
    assert [entry["action"] for entry in entries] == ["product.updated", "product.created"]
    assert entries[0]["meta"] == {"changes": {"stock": [12, 9], "price": [29.9, 31.5]}}


@pytest.mark.parametrize("reais", [0, 0.01, 0.29, 19.99, 1.1, 9_999_999.99])
async def test_price_is_exact_to_the_cent(ana: Person, store_id: str, reais: float) -> None:
    product = await add_product(ana, store_id, price=reais)

    assert product["price"] == reais


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", -0.01),
        ("price", 19.999),
        ("price", 10_000_000),
        ("price", 1e308),
        ("price", "29,90"),
        ("price", True),
        ("price", None),
        ("stock", -1),
        ("stock", 1.5),
        ("stock", 2**31),
        ("stock", "12"),
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("product_integration_id", ""),
        ("product_integration_id", " "),
        ("product_integration_id", "A "),
        ("product_integration_id", "A\n"),
        ("product_integration_id", "A\u00a01"),
        ("product_integration_id", "A\u200b1"),
        ("product_integration_id", "a\x00b"),
        ("product_integration_id", "cafe\u0301"),
        ("product_integration_id", "x" * 256),
        ("custom_props", [1]),
        ("custom_props", {"a": "\x00"}),
        ("cost", 1),
    ],
)
async def test_refused_field_is_named_and_nothing_changes(
    ana: Person, store_id: str, db: Driver, field: str, value: Any
) -> None:
    product = await add_product(ana, store_id, stock=3)
    body = {"name": "Café", "price": 1} | {field: value}

    refused = await ana.request("POST", f"/v1/stores/{store_id}/products", json=body)
    unchanged = await ana.request(
        "PATCH", f"/v1/products/{product['id']}", json={field: value}
    )

    for response in (refused, unchanged):
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert await ana.get(f"/v1/products/{product['id']}") == product
    count = "SELECT count(*) FROM products WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1


async def test_integration_id_names_one_product_of_a_store(
    ana: Person, store_id: str, db: Driver
) -> None:
    first = await add_product(ana, store_id, product_integration_id="A-1")
    other = await add_product(ana, store_id, product_integration_id="A-2", stock=2)
    elsewhere = (await ana.open_store("Outra"))["id"]

    created = await ana.request(
        "POST",
        f"/v1/stores/{store_id}/products",
        json={"name": "x", "price": 1, "product_integration_id": "A-1"},
    )
    renamed = await ana.request(
        "PATCH",
        f"/v1/products/{other['id']}",
        json={"product_integration_id": "A-1", "stock": 5},
    )
    await add_product(ana, elsewhere, product_integration_id="A-1")

    for response in (created, renamed):
        assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert await ana.get(f"/v1/products/{other['id']}") == other
    assert await movements(db, other["id"]) == [(2, "manual")]
    found = await ana.get(f"/v1/stores/{store_id}/products", product_integration_id="A-1")
    assert found["items"] == [first]


async def test_integration_id_that_was_given_up_is_free(ana: Person, store_id: str) -> None:
    product = await add_product(ana, store_id, product_integration_id="A-1")

    await ana.patch(f"/v1/products/{product['id']}", {"product_integration_id": None})
    second = await add_product(ana, store_id, product_integration_id="A-1")
    await ana.delete(f"/v1/products/{second['id']}")

    await add_product(ana, store_id, product_integration_id="A-1")


async def test_put_creates_then_replaces(ana: Person, store_id: str, db: Driver) -> None:
    path = f"/v1/stores/{store_id}/products/by-integration-id/REF/12%20B"
    path = path.replace("%20", "-")

    created = await ana.request(
        "PUT", path, json={"name": "Caneca", "price": 35, "stock": 4}
    )
    replaced = await ana.request("PUT", path, json={"name": "Caneca azul", "price": 36.5})
    again = await ana.request("PUT", path, json={"name": "Caneca azul", "price": 36.5})

    assert (created.status_code, replaced.status_code, again.status_code) == (201, 200, 200)
    before, after = created.json(), replaced.json()
    assert before["product_integration_id"] == "REF/12-B"
    assert after["id"] == before["id"]
    assert (after["name"], after["price"], after["stock"]) == ("Caneca azul", 36.5, 4)
    assert again.json() == after
    assert await movements(db, before["id"]) == [(4, "manual")]


async def test_put_at_once_makes_one_product(
    ana: Person, store_id: str, db: Driver
) -> None:
    path = f"/v1/stores/{store_id}/products/by-integration-id/SKU-1"

    answers = await asyncio.gather(
        *(
            ana.request("PUT", path, json={"name": f"Caneca {n}", "price": 35, "stock": n})
            for n in range(20)
        )
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 19 + [201]
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 1
    count = "SELECT count(*) FROM products WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1
    stock = (await ana.get(f"/v1/products/{ids.pop()}"))["stock"]
    total = "SELECT sum(delta) FROM stock_movements WHERE store_id = $1"
    assert await db.fetchval(total, store_id) == stock


async def test_put_needs_no_index_in_public(db: Driver) -> None:
    indexes = await db.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename = 'products' AND indexdef LIKE 'CREATE UNIQUE%'"
    )

    assert [row["indexdef"] for row in indexes] == [
        "CREATE UNIQUE INDEX products_pkey ON public.products USING btree (id)"
    ]


async def test_put_with_if_match_creates_nothing(
    ana: Person, store_id: str, db: Driver
) -> None:
    path = f"/v1/stores/{store_id}/products/by-integration-id/SKU-9"

    answer = await ana.request(
        "PUT", path, json={"name": "x", "price": 1}, headers={"If-Match": '"abc"'}
    )

    assert answer.status_code == 412
    count = "SELECT count(*) FROM products WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 0


async def test_stale_version_is_refused(ana: Person, store_id: str, db: Driver) -> None:
    product = await add_product(ana, store_id, stock=3)
    path = f"/v1/products/{product['id']}"
    tag = (await ana.request("GET", path)).headers["ETag"]
    changed = await ana.patch(path, {"stock": 2})

    for method, body in (("PATCH", {"stock": 9}), ("DELETE", None)):
        answer = await ana.request(method, path, json=body, headers={"If-Match": tag})
        assert answer.status_code == 412

    assert await ana.get(path) == changed
    assert await movements(db, product["id"]) == [(3, "manual"), (-1, "manual")]


async def test_stock_in_the_table_is_refused_to_others(
    ana: Person, store_id: str, db: Driver
) -> None:
    product = await add_product(ana, store_id, stock=3)

    with pytest.raises(asyncpg.CheckViolationError, match="stock changes through"):
        await db.execute("UPDATE products SET stock = 9 WHERE id = $1", product["id"])

    assert await ana.get(f"/v1/products/{product['id']}") == product


async def test_row_of_the_front_end_has_its_movement_and_its_key(
    ana: Person, store_id: str, db: Driver
) -> None:
    product_id = await db.fetchval(
        "INSERT INTO products (store_id, name, price, stock, product_integration_id)"
        " VALUES ($1, 'Caneca', 35, 7, 'SKU-7') RETURNING id",
        store_id,
    )
    path = f"/v1/stores/{store_id}/products/by-integration-id/SKU-7"

    answer = await ana.request("PUT", path, json={"name": "Caneca", "price": 36})

    assert (answer.status_code, answer.json()["id"]) == (200, str(product_id))
    assert await movements(db, product_id) == [(7, "manual")]


async def test_what_was_sold_stays_when_its_product_goes(
    ana: Person, store_id: str, db: Driver
) -> None:
    product = await add_product(ana, store_id, stock=3, product_integration_id="A-1")
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, number, subtotal_cents, shipping_cents,"
        " discount_cents, total_cents) VALUES ($1, 1, 2990, 0, 0, 2990) RETURNING id",
        store_id,
    )
    await db.execute(
        "INSERT INTO order_items (order_id, product_id, name, price_cents, quantity,"
        " subtotal_cents) VALUES ($1, $2, 'Café', 2990, 1, 2990)",
        order_id,
        product["id"],
    )

    await ana.delete(f"/v1/products/{product['id']}")

    item = await db.fetchrow("SELECT * FROM order_items WHERE order_id = $1", order_id)
    assert (item["product_id"], item["name"]) == (None, "Café")
    moved = await db.fetch("SELECT * FROM stock_movements WHERE store_id = $1", store_id)
    assert [(row["product_id"], row["delta"]) for row in moved] == [(None, 3)]
    for table in ("product_index", "product_keys"):
        left = f"SELECT count(*) FROM vek1_api.{table} WHERE store_id = $1"
        assert await db.fetchval(left, store_id) == 0
    response = await ana.request("GET", f"/v1/products/{product['id']}")
    assert response.status_code == 404


async def test_lists_filter_by_stock_and_time(ana: Person, store_id: str) -> None:
    sold_out = await add_product(ana, store_id, name="Esgotado")
    on_shelf = await add_product(ana, store_id, name="Na loja", stock=1)
    path = f"/v1/stores/{store_id}/products"

    assert (await ana.get(path, in_stock=True))["items"] == [on_shelf]
    assert (await ana.get(path, in_stock=False))["items"] == [sold_out]
    touched = await ana.patch(f"/v1/products/{sold_out['id']}", {"price": 5})
    newest = await ana.get(path, updated_since=touched["updated_at"])
    assert newest["items"] == [touched]
    assert [each["id"] for each in (await ana.get(path))["items"]] == [
        on_shelf["id"],
        sold_out["id"],
    ]


async def test_unknown_product_is_404(ana: Person) -> None:
    for method in ("GET", "DELETE"):
        answer = await ana.request(method, f"/v1/products/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
