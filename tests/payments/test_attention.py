"""What a person must look at, and ticks off."""

from typing import Any

import pytest

from tests.payments.till import Till, outcome


async def _late(till: Till, count: int = 1) -> list[Any]:
    """Have orders be cancelled before their money comes; return what is to be looked at."""
    for _ in range(count):
        order, charge_id = await till.charged()
        await till.step(order, "cancel")
        till.gateway.pay(charge_id)
        await till.sweep()
    return await till.attention()


async def test_item_says_what_happened_and_what_to_do(till: Till) -> None:
    [item] = await _late(till)

    assert (item["kind"], item["number"], item["amount_cents"]) == ("late_payment", 1, 7480)
    assert item["store_id"] == till.store_id
    assert "/refund" in item["advice"]
    assert item["created_at"].endswith("Z")
    assert item["resolved_at"] is None
    order = await till.owner.get(f"/v1/orders/{item['order_id']}")
    assert item["attempt_id"] == order["payment_attempts"][0]["id"]


async def test_pages_show_each_item_once_newest_first(till: Till) -> None:
    items = await _late(till, 5)
    path = f"/v1/stores/{till.store_id}/attention"
    seen: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = await till.owner.get(path, limit=2, **more)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        more["cursor"] = page["next_cursor"]

    assert seen == items
    assert [item["number"] for item in seen] == [5, 4, 3, 2, 1]


async def test_filters_choose_kind_order_and_what_is_dealt_with(till: Till) -> None:
    items = await _late(till, 2)

    assert await till.attention(kind="late_payment") == items
    assert await till.attention(kind="dispute") == []
    assert await till.attention(order_id=items[0]["order_id"]) == items[:1]
    assert await till.attention(resolved="true") == []
    path = f"/v1/stores/{till.store_id}/attention"
    response = await till.owner.request("GET", path, params={"kind": "weather"})
    assert outcome(response) == (422, "validation_failed")


async def test_ticking_off_is_audited_and_happens_once(till: Till) -> None:
    [item] = await _late(till)
    path = f"/v1/stores/{till.store_id}/attention/{item['id']}/resolve"

    first = await till.owner.post(path, None, 200)
    again = await till.owner.post(path, None, 200)

    assert first == again
    assert first["resolved_at"] is not None
    assert first | {"resolved_at": None} == item
    assert await till.attention() == []
    assert await till.attention(resolved="true") == [first]
    [entry] = await till.owner.audit(action="attention.resolved")
    assert entry["target_id"] == item["id"]
    assert entry["meta"] == {"kind": "late_payment", "order_id": item["order_id"]}
    # What is dealt with does not come back by itself.
    await till.sweep()
    assert await till.attention() == []


@pytest.mark.parametrize("is_in_own_store", [True, False])
async def test_anothers_item_is_not_found(
    is_in_own_store: bool,  # noqa: FBT001 - a parameter.
    till: Till,
    other_till: Till,
) -> None:
    [item] = await _late(other_till)
    store_id = (till if is_in_own_store else other_till).store_id
    path = f"/v1/stores/{store_id}/attention/{item['id']}/resolve"

    response = await till.owner.request("POST", path)

    assert outcome(response) == (404, "not_found")
    assert await other_till.attention() == [item]
    [entry] = await other_till.owner.audit(action="access.denied")
    wanted = item["id"] if is_in_own_store else other_till.store_id
    assert entry["target_id"] == wanted
