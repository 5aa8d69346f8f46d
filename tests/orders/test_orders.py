from typing import Any

from tests.people import Person
from vek1_api.core.resources import Resources


async def add_product(person: Person, store_id: str, **more: Any) -> Any:
    body = {"name": "Café Serra Azul 500 g", "price": 29.9, "stock": 10, **more}
    return await person.post(f"/v1/stores/{store_id}/products", body)


async def test_an_order_takes_prices_and_stock_of_its_moment(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]
    coffee = await add_product(ana, store_id)
    order = await ana.post(
        f"/v1/stores/{store_id}/orders",
        {
            "items": [
                {"product_id": coffee["id"], "quantity": 2},
                {"name": "Embalagem", "price_cents": 500},
                {"product_id": coffee["id"]},
            ],
            "shipping_cents": 1500,
            "discount_cents": 70,
            "customer_name": "Joana Ribeiro",
        },
    )

    assert order["number"] == 1
    assert order["status"] == "draft"
    assert [each["name"] for each in order["items"]] == [
        "Café Serra Azul 500 g",
        "Embalagem",
        "Café Serra Azul 500 g",
    ]
    assert [each["subtotal_cents"] for each in order["items"]] == [5980, 500, 2990]
    assert order["total_cents"] == 5980 + 500 + 2990 + 1500 - 70
    assert [each["type"] for each in order["events"]] == ["created"]
    assert (await ana.get(f"/v1/products/{coffee['id']}"))["stock"] == 7
    assert await ana.get(f"/v1/orders/{order['id']}") == order
    page = await ana.get(f"/v1/stores/{store_id}/orders", q="joana", status="draft")
    assert [each["id"] for each in page["items"]] == [order["id"]]
    assert (await ana.audit(action="order.created"))[0]["target_id"] == order["id"]


async def test_a_draft_moves_stock_by_the_difference_and_a_cancel_gives_it_back(
    ana: Person,
) -> None:
    store_id = (await ana.open_store())["id"]
    coffee, mug = (
        await add_product(ana, store_id),
        await add_product(ana, store_id, name="Caneca", price=35, stock=3),
    )
    order = await ana.post(
        f"/v1/stores/{store_id}/orders",
        {"items": [{"product_id": coffee["id"], "quantity": 2}]},
    )
    await ana.patch(f"/v1/products/{coffee['id']}", {"price": 99})
    changed = await ana.patch(
        f"/v1/orders/{order['id']}",
        {
            "items": [
                {"product_id": coffee["id"], "quantity": 5},
                {"product_id": mug["id"], "quantity": 3},
            ]
        },
    )

    assert changed["subtotal_cents"] == 5 * 2990 + 3 * 3500
    assert (await ana.get(f"/v1/products/{coffee['id']}"))["stock"] == 5
    assert (await ana.get(f"/v1/products/{mug['id']}"))["stock"] == 0
    short = await ana.request(
        "PATCH",
        f"/v1/orders/{order['id']}",
        json={"items": [{"product_id": coffee["id"], "quantity": 11}]},
    )
    assert (short.status_code, short.json()["code"]) == (409, "insufficient_stock")
    for _ in range(2):
        gone = await ana.post(f"/v1/orders/{order['id']}/cancel", None, 200)
        assert gone["status"] == "cancelled"
    assert (await ana.get(f"/v1/products/{coffee['id']}"))["stock"] == 10
    assert (await ana.get(f"/v1/products/{mug['id']}"))["stock"] == 3
    refused = await ana.request("POST", f"/v1/orders/{order['id']}/confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
