"""Finding orders, and reading what happened to one."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.orders.shop import Shop, outcome, pointers, set_status
from vek1_api.core.db import Driver


async def ids(shop: Shop, **params: Any) -> list[str]:
    page = await shop.owner.get(shop.orders, **params)
    return [each["id"] for each in page["items"]]


async def test_filters_narrow_and_go_together(shop: Shop, db: Driver) -> None:
    lead = await shop.add_lead()
    first = await shop.order(lead_id=lead["id"], customer_name="Joana Ribeiro")
    second = await shop.order(
        customer_name="José d'Ávila", customer_phone="5531977776666",
        customer_email="jose@example.com", customer_tax_id="52998224725",
    )  # fmt: skip
    third = await shop.order(lead_id=lead["id"], customer_name="100% Café_")
    await set_status(db, second, "confirmed")
    a, b, c = first["id"], second["id"], third["id"]

    assert await ids(shop) == [c, b, a]
    assert await ids(shop, status="draft") == [c, a]
    assert await ids(shop, status="cancelled") == []
    assert await ids(shop, lead_id=lead["id"]) == [c, a]
    assert await ids(shop, lead_id=lead["id"], number=1) == [a]
    assert await ids(shop, number=2) == [b]
    assert await ids(shop, created_from=second["created_at"]) == [c, b]
    assert await ids(shop, created_to=second["created_at"]) == [a]
    for words in ("JOSE D'AVILA", "vila", "77776666", "JOSE@", "529982"):
        assert await ids(shop, q=words) == [b], words
    # Nothing is a wildcard.
    assert await ids(shop, q="%") == [c]
    assert await ids(shop, q="é_") == [c]
    assert await ids(shop, q="joana", status="draft") == [a]


async def test_a_lead_that_was_joined_is_found_by_either_id(shop: Shop) -> None:
    lead, other = await shop.add_lead(), await shop.add_lead("5531977776666")
    order = await shop.order(lead_id=other["id"])
    await shop.owner.post(f"/v1/leads/{lead['id']}/merge", {"lead_id": other["id"]}, 200)

    assert await ids(shop, lead_id=other["id"]) == [order["id"]]
    assert await ids(shop, lead_id=lead["id"]) == [order["id"]]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"status": "lost"}, "/query/status"),
        ({"number": 0}, "/query/number"),
        ({"number": 2**31}, "/query/number"),
        ({"created_from": "2026-11-01T10:00:00"}, "/query/created_from"),
        ({"lead_id": str(uuid4())}, "/query/lead_id"),
        ({"lead_id": "7"}, "/query/lead_id"),
        ({"q": ""}, "/query/q"),
        ({"q": "a\x00"}, "/query/q"),
        ({"cursor": "x"}, "/query/cursor"),
        ({"limit": 201}, "/query/limit"),
        ({"colour": "red"}, "/query/colour"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    shop: Shop, params: dict[str, Any], pointer: str
) -> None:
    response = await shop.owner.request("GET", shop.orders, params=params)

    assert outcome(response) == (422, "validation_failed"), response.text
    assert pointers(response) == [pointer]


async def test_pages_of_orders_neither_repeat_nor_skip(shop: Shop) -> None:
    made = [(await shop.order())["id"] for _ in range(7)]

    seen: list[str] = []
    params: dict[str, Any] = {"limit": 3}
    for _ in range(3):
        page = await shop.owner.get(shop.orders, **params)
        seen += [each["id"] for each in page["items"]]
        params["cursor"] = page["next_cursor"]
        await shop.order()  # Comes before all that is still to be seen.

    assert seen == made[::-1]
    assert params["cursor"] is None


async def test_a_page_shows_what_the_order_itself_shows(shop: Shop) -> None:
    order = await shop.order((await shop.add_product(), 1), customer_name="Joana")

    [shown] = (await shop.owner.get(shop.orders))["items"]

    own = {"items", "events", "payment_attempts"}
    assert shown == {name: value for name, value in order.items() if name not in own}


async def test_events_come_in_pages_newest_first(shop: Shop, db: Driver) -> None:
    order = await shop.order()
    path = f"/v1/orders/{order['id']}"
    for number in range(4):
        await shop.owner.post(f"{path}/notes", {"text": str(number)})
    await shop.step(order, "cancel")

    first = await shop.owner.get(f"{path}/events", limit=4)
    rest = await shop.owner.get(f"{path}/events", limit=4, cursor=first["next_cursor"])
    notes = await shop.owner.get(f"{path}/events", type="note")

    events = first["items"] + rest["items"]
    whole = (await shop.owner.get(path))["events"]
    assert events == whole[::-1]
    assert [each["type"] for each in events] == ["cancelled", *["note"] * 4, "created"]
    assert rest["next_cursor"] is None
    assert [each["data"]["text"] for each in notes["items"]] == ["3", "2", "1", "0"]
    assert await db.fetchval(
        "SELECT count(*) FROM order_events WHERE order_id = $1", UUID(order["id"])
    ) == len(events)
