"""Changing an order: a draft's lines move the stock by the difference, in every direction."""

import asyncio
from typing import Any

import pytest

from tests.orders.shop import Shop, kept, moved, outcome, pointers, ribbon, set_status
from tests.people import Person
from vek1_api.core.db import Driver


def lines(*wanted: tuple[Any, int]) -> dict[str, Any]:
    return {"items": [{"product_id": each["id"], "quantity": n} for each, n in wanted]}


async def test_every_direction_moves_the_stock_by_the_difference(
    shop: Shop, db: Driver
) -> None:
    coffee, mug, filters = [
        await shop.add_product(name=name, price=price)
        for name, price in (("Café", 30), ("Caneca", 40), ("Filtros", 50))
    ]
    order = await shop.order((coffee, 4), (mug, 4))
    path = f"/v1/orders/{order['id']}"
    steps = (
        ((coffee, 6), (mug, 2)),  # More of one, less of another.
        ((coffee, 6), (mug, 2)),  # The same again.
        ((filters, 10),),  # Others instead.
        ((coffee, 1), (coffee, 2), (mug, 10)),  # One product on two lines.
        ((coffee, 10), (mug, 10), (filters, 10)),  # All that there is.
        ((mug, 1),),
    )
    for step in steps:
        changed = await shop.owner.patch(path, lines(*step))

        for product in (coffee, mug, filters):
            wanted = sum(n for each, n in step if each is product)
            assert await shop.stock(product) == 10 - wanted
            assert await moved(db, product) == 10 - wanted
        total = sum(n * int(each["price"] * 100) for each, n in step)
        assert (changed["subtotal_cents"], changed["total_cents"]) == (total, total)
        assert [each["quantity"] for each in changed["items"]] == [n for _, n in step]


async def test_a_line_that_stays_keeps_its_price_and_a_new_one_has_todays(
    shop: Shop,
) -> None:
    coffee, mug = [await shop.add_product(name=name) for name in ("Café", "Caneca")]
    order = await shop.order((coffee, 1))
    for product in (coffee, mug):
        await shop.owner.patch(f"/v1/products/{product['id']}", {"price": 99})

    changed = await shop.owner.patch(
        f"/v1/orders/{order['id']}", lines((coffee, 2), (mug, 1))
    )

    assert [each["price_cents"] for each in changed["items"]] == [2990, 9900]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": []}, "/items"),
        ({"items": [ribbon(2_147_483_647), ribbon()]}, "/items"),
        ({"shipping_cents": 2_147_483_647}, "/items"),
        ({"discount_cents": 2991}, "/discount_cents"),
        ({"items": [ribbon(1)], "discount_cents": 2}, "/discount_cents"),
        ({"number": 2}, "/number"),
        ({"status": "confirmed"}, "/status"),
        (
            {"items": [ribbon()], "lead_id": "00000000-0000-4000-8000-000000000000"},
            "/lead_id",
        ),
        ({"agent_id": "00000000-0000-4000-8000-000000000000"}, "/agent_id"),
        (
            {"items": [{"product_id": "00000000-0000-4000-8000-000000000000"}]},
            "/items/0/product_id",
        ),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(
    shop: Shop, db: Driver, body: dict[str, Any], pointer: str
) -> None:
    coffee = await shop.add_product()
    order = await shop.order((coffee, 1))
    before = await kept(db, order)

    response = await shop.owner.request("PATCH", f"/v1/orders/{order['id']}", json=body)

    assert outcome(response) == (422, "validation_failed"), response.text
    assert pointers(response) == [pointer]
    assert await kept(db, order) == before


async def test_stock_that_is_short_changes_nothing(shop: Shop, db: Driver) -> None:
    coffee, mug = [await shop.add_product(name=name) for name in ("Café", "Caneca")]
    order = await shop.order((coffee, 4))
    before = await kept(db, order)

    response = await shop.owner.request(
        "PATCH", f"/v1/orders/{order['id']}", json=lines((coffee, 11), (mug, 2))
    )

    assert outcome(response) == (409, "insufficient_stock")
    assert pointers(response) == ["/items/0/quantity"]
    assert await kept(db, order) == before


@pytest.mark.parametrize(
    "status", ["awaiting_proof", "confirmed", "fulfilled", "cancelled"]
)
@pytest.mark.parametrize(
    ("body", "is_changed"),
    [
        ({"items": [ribbon()]}, False),
        ({"shipping_cents": 100}, False),
        ({"discount_cents": 100}, False),
        ({"shipping_cents": 0}, True),  # As it is: nothing to refuse.
        ({"notes": "Ligar antes"}, True),
        ({"customer_name": "Joana"}, True),
    ],
)
async def test_what_was_bought_changes_only_while_it_is_a_draft(
    shop: Shop, db: Driver, status: str, body: dict[str, Any], *, is_changed: bool
) -> None:
    order = await shop.order((await shop.add_product(), 1))
    await set_status(db, order, status)
    before = await kept(db, order)

    response = await shop.owner.request("PATCH", f"/v1/orders/{order['id']}", json=body)

    if is_changed:
        assert response.status_code == 200, response.text
        assert response.json().items() >= body.items()
    else:
        assert outcome(response) == (409, "conflict")
        assert await kept(db, order) == before


async def test_what_is_sent_changes_and_null_clears(shop: Shop) -> None:
    order = await shop.order(
        shipping_cents=700, customer_name="Joana", notes="Portão verde", discount_cents=200
    )

    changed = await shop.owner.patch(
        f"/v1/orders/{order['id']}", {"notes": None, "discount_cents": 0}
    )

    assert changed["notes"] is None
    assert changed["customer_name"] == "Joana"
    assert changed["total_cents"] == 1200
    [entry] = await shop.owner.audit(action="order.updated")
    assert entry["meta"] == {"number": 1, "fields": ["discount_cents", "notes"]}


async def test_a_change_to_what_it_is_leaves_no_trace(shop: Shop, db: Driver) -> None:
    order = await shop.order(notes="Portão verde")
    before = await kept(db, order)

    same = await shop.owner.patch(f"/v1/orders/{order['id']}", {"notes": "Portão verde"})

    assert same == order
    assert await kept(db, order) == before


async def test_a_version_that_is_not_the_newest_changes_nothing(
    shop: Shop, db: Driver
) -> None:
    order = await shop.order()
    path = f"/v1/orders/{order['id']}"
    etag = (await shop.owner.request("GET", path)).headers["etag"]
    await shop.owner.post(f"{path}/notes", {"text": "Ligou"})
    before = await kept(db, order)

    stale = [
        await shop.owner.request(method, url, headers={"If-Match": etag}, json=body)
        for method, url, body in (
            ("PATCH", path, {"notes": "x"}),
            ("POST", f"{path}/cancel", None),
        )
    ]

    assert {outcome(each) for each in stale} == {(412, "precondition_failed")}
    assert await kept(db, order) == before
    newest = (await shop.owner.request("GET", path)).headers["etag"]
    fresh = await shop.owner.request("POST", f"{path}/cancel", headers={"If-Match": newest})
    assert fresh.json()["status"] == "cancelled"


async def test_a_change_and_a_cancel_at_once_leave_the_stock_whole(
    shop: Shop, db: Driver
) -> None:
    coffee = await shop.add_product()
    for quantity in range(1, 9):
        order = await shop.order((coffee, 2))
        path = f"/v1/orders/{order['id']}"

        changed, gone = await asyncio.gather(
            shop.owner.request("PATCH", path, json=lines((coffee, quantity))),
            shop.owner.request("POST", f"{path}/cancel"),
        )

        assert gone.status_code == 200, gone.text
        assert outcome(changed) in {(200, ""), (409, "conflict")}
        assert await shop.stock(coffee) == await moved(db, coffee) == 10


async def test_nobody_changes_the_order_of_another_company(
    shop: Shop, bruno: Person, db: Driver
) -> None:
    order = await shop.order((await shop.add_product(), 1))
    path = f"/v1/orders/{order['id']}"
    before = await kept(db, order)

    answers = [
        await bruno.request("GET", path),
        await bruno.request("GET", f"{path}/events"),
        await bruno.request("PATCH", path, json={"notes": "x"}),
        await bruno.request("POST", f"{path}/notes", json={"text": "x"}),
        *[
            await bruno.request("POST", f"{path}/{verb}")
            for verb in ("confirm", "ship", "fulfill", "cancel")
        ],
        await bruno.request("GET", shop.orders),
        await bruno.request("POST", shop.orders, json={"items": [ribbon()]}),
    ]

    assert {outcome(each) for each in answers} == {(404, "not_found")}
    after = await kept(db, order)
    assert after | {"audit": []} == before | {"audit": []}  # Denials are written down.
    await shop.owner.delete(f"/v1/stores/{shop.store_id}")
    assert outcome(await shop.owner.request("GET", path)) == (404, "not_found")
    assert outcome(await shop.owner.request("POST", f"{path}/cancel")) == (404, "not_found")
