"""Making an order: all of it, or nothing and a pointer to what is wrong."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.orders.shop import Shop, moved, open_shop, outcome, pointers, ribbon
from tests.people import Person
from vek1_api.core.db import Driver

LARGEST = 2_147_483_647


async def counts(db: Driver, shop: Shop) -> list[int]:
    """Return how much there is of everything that an order would add."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM orders WHERE store_id = $1),
               (SELECT count(*) FROM order_items), (SELECT count(*) FROM order_events),
               (SELECT count(*) FROM stock_movements WHERE store_id = $1),
               (SELECT count(*) FROM audit_log WHERE store_id = $1),
               (SELECT count(*) FROM vek1_api.order_state WHERE store_id = $1),
               (SELECT coalesce(sum(last), 0) FROM vek1_api.order_counters WHERE store_id = $1),
               (SELECT coalesce(sum(stock), 0) FROM products WHERE store_id = $1)
        """,
        UUID(shop.store_id),
    )
    assert row is not None
    return list(row.values())


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"items": []}, "/items", "too_short"),
        ({"items": [ribbon()] * 201}, "/items", "too_long"),
        ({}, "/items", "missing"),
        ({"items": [{}]}, "/items/0", "value_error"),
        ({"items": [{"name": "Laço"}]}, "/items/0", "value_error"),
        ({"items": [{"price_cents": 5}]}, "/items/0", "value_error"),
        ({"items": [ribbon(-1)]}, "/items/0/price_cents", "greater_than_equal"),
        ({"items": [ribbon(LARGEST + 1)]}, "/items/0/price_cents", "less_than_equal"),
        ({"items": [ribbon() | {"price_cents": 1.0}]}, "/items/0/price_cents", "int_type"),
        ({"items": [ribbon(quantity=0)]}, "/items/0/quantity", "greater_than_equal"),
        ({"items": [ribbon(quantity=1_000_001)]}, "/items/0/quantity", "less_than_equal"),
        ({"items": [ribbon(quantity="2")]}, "/items/0/quantity", "int_type"),
        ({"items": [ribbon(name="a\x00b")]}, "/items/0/name", "value_error"),
        ({"items": [ribbon(colour="red")]}, "/items/0/colour", "extra_forbidden"),
        ({"items": [ribbon()], "total_cents": 1}, "/total_cents", "extra_forbidden"),
        ({"items": [ribbon()], "number": 7}, "/number", "extra_forbidden"),
        ({"items": [ribbon()], "status": "confirmed"}, "/status", "extra_forbidden"),
        (
            {"items": [ribbon()], "shipping_cents": -1},
            "/shipping_cents",
            "greater_than_equal",
        ),
        (
            {"items": [ribbon()], "discount_cents": -1},
            "/discount_cents",
            "greater_than_equal",
        ),
        ({"items": [ribbon()], "source": "robot"}, "/source", "enum"),
        ({"items": [ribbon(LARGEST), ribbon(1)]}, "/items", "too_large"),
        ({"items": [ribbon(LARGEST, quantity=1_000_000)] * 200}, "/items", "too_large"),
        ({"items": [ribbon(LARGEST)], "shipping_cents": 1}, "/items", "too_large"),
        (
            {"items": [ribbon(500)], "shipping_cents": 100, "discount_cents": 601},
            "/discount_cents",
            "too_large",
        ),
    ],
)
async def test_an_order_that_cannot_be_is_refused(
    shop: Shop, db: Driver, body: dict[str, Any], pointer: str, code: str
) -> None:
    await shop.add_product()
    before = await counts(db, shop)

    response = await shop.owner.request("POST", shop.orders, json=body)

    assert outcome(response) == (422, "validation_failed"), response.text
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert await counts(db, shop) == before


@pytest.mark.parametrize(
    "more",
    [{"price_cents": 1}, {"name": "Outro"}, {"description": "x"}, {"custom_props": {}}],
)
async def test_a_product_brings_its_own_price_and_name(
    shop: Shop, db: Driver, more: dict[str, Any]
) -> None:
    coffee = await shop.add_product()
    before = await counts(db, shop)

    line = {"product_id": coffee["id"], **more}
    response = await shop.owner.request("POST", shop.orders, json={"items": [line]})

    assert outcome(response) == (422, "validation_failed")
    assert pointers(response) == ["/items/0"]
    [error] = response.json()["errors"]
    assert error["message"].startswith("a product_id brings name, price")
    assert await counts(db, shop) == before


async def test_an_order_may_be_as_large_as_the_columns(shop: Shop) -> None:
    order = await shop.order(items=[ribbon(LARGEST - 1)], shipping_cents=1)
    free = await shop.order(items=[ribbon(5)], shipping_cents=5, discount_cents=10)
    many = await shop.order(items=[ribbon(1, quantity=1_000_000)] * 200)

    assert order["total_cents"] == LARGEST
    assert free["total_cents"] == 0
    assert (len(many["items"]), many["total_cents"]) == (200, 200_000_000)


@pytest.mark.parametrize("kind", ["lead", "agent", "product"])
async def test_what_is_of_another_store_is_as_unknown_as_what_is_nowhere(
    shop: Shop, bruno: Person, db: Driver, kind: str
) -> None:
    theirs = await open_shop(bruno)
    second = Shop(shop.owner, (await shop.owner.open_store("Outra"))["id"])
    before = await counts(db, shop)
    answers = []
    for other in (theirs, second):
        if kind == "lead":
            made = await other.add_lead()
        elif kind == "product":
            made = await other.add_product()
        else:
            made = await other.owner.add_agent(other.store_id)
        answers.append(str(made["id"]))
    for wanted in (*answers, str(uuid4())):
        body: dict[str, Any] = {"items": [ribbon()]}
        if kind == "product":
            body = {"items": [ribbon(), {"product_id": wanted}, {"product_id": wanted}]}
        else:
            body[f"{kind}_id"] = wanted

        response = await shop.owner.request("POST", shop.orders, json=body)

        assert outcome(response) == (422, "validation_failed"), response.text
        assert pointers(response) == (
            ["/items/1/product_id", "/items/2/product_id"]
            if kind == "product"
            else [f"/{kind}_id"]
        )
        assert await counts(db, shop) == before


async def test_lines_of_one_product_are_counted_together(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product(stock=3)
    mug = await shop.add_product(name="Caneca", stock=0)
    before = await counts(db, shop)

    short = await shop.try_order((mug, 1), (coffee, 2), (coffee, 2))
    together = await shop.order((coffee, 2), (coffee, 1))

    assert outcome(short) == (409, "insufficient_stock")
    errors = short.json()["errors"]
    assert sorted(each["pointer"] for each in errors) == [
        "/items/0/quantity",
        "/items/1/quantity",
    ]
    assert {each["message"] for each in errors} == {
        f"Of product {mug['id']} 1 are wanted and 0 are in stock.",
        f"Of product {coffee['id']} 4 are wanted and 3 are in stock.",
    }
    assert [each["quantity"] for each in together["items"]] == [2, 1]
    assert together["number"] == 1
    assert await shop.stock(coffee) == 0
    assert await moved(db, coffee) == 0
    after = await counts(db, shop)
    assert after[3] == before[3] + 1  # One movement for both lines.


async def test_an_order_says_who_bought_by_what_the_lead_says(shop: Shop) -> None:
    lead = await shop.add_lead(name="Joana Ribeiro", email="joana@example.com")

    order = await shop.order(lead_id=lead["id"], customer_name="Dona Joana")

    assert order["lead_id"] == lead["id"]
    assert order["customer_name"] == "Dona Joana"
    assert order["customer_email"] == "joana@example.com"
    assert order["customer_phone"] == lead["phone_number"]


async def test_an_order_of_a_lead_that_was_joined_is_the_others(shop: Shop) -> None:
    lead = await shop.add_lead()
    other = await shop.add_lead("5531977776666")
    await shop.owner.post(
        f"/v1/leads/{lead['id']}/merge", {"lead_id": other["id"]}, status=200
    )

    order = await shop.order(lead_id=other["id"])

    assert order["lead_id"] == lead["id"]


async def test_a_line_stays_when_its_product_goes(shop: Shop) -> None:
    coffee = await shop.add_product()
    order = await shop.order((coffee, 2))
    await shop.owner.delete(f"/v1/products/{coffee['id']}")

    found = await shop.owner.get(f"/v1/orders/{order['id']}")
    gone = await shop.step(order, "cancel")

    assert found["items"] == [order["items"][0] | {"product_id": None}]
    assert found["total_cents"] == order["total_cents"]
    assert gone["status"] == "cancelled"


async def test_a_price_that_no_order_can_hold_is_no_crash(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product()
    await db.execute("UPDATE products SET price = 1e300 WHERE id = $1", UUID(coffee["id"]))
    before = await counts(db, shop)

    response = await shop.try_order((coffee, 1))

    assert outcome(response) == (422, "validation_failed")
    assert pointers(response) == ["/items"]
    assert await counts(db, shop) == before
