"""What an order may become: every status with every step, over HTTP and below it."""

from typing import Any
from uuid import UUID

import pytest

from tests.orders.shop import Shop, kept, outcome, set_status
from vek1_api.access import access as accesses
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.orders import held, moving, transitions
from vek1_api.orders.errors import InvalidTransitionError
from vek1_api.orders.status import Actor, OrderStatus
from vek1_api.orders.transitions import STEPS, Step

STATUSES = [each.value for each in OrderStatus]
TABLE: dict[str, tuple[set[str], str]] = {
    "awaiting_proof": ({"draft"}, "awaiting_proof"),
    "cash_on_delivery": ({"draft"}, "confirmed"),
    "proof_received": ({"awaiting_proof"}, "proof_received"),
    "proof_rejected": ({"proof_received"}, "awaiting_proof"),
    "confirmed": ({"awaiting_proof", "proof_received"}, "confirmed"),
    "shipping": ({"confirmed"}, "shipping"),
    "fulfilled": ({"shipping"}, "fulfilled"),
    "cancelled": (set(STATUSES) - {"cancelled"}, "cancelled"),
}
"""The contract, written down a second time: from which statuses, to which one."""

VERBS = {
    "confirm": ("confirmed", "order.confirmed", ["payment_paid", "confirmed"]),
    "ship": ("shipping", "order.shipped", ["note"]),
    "fulfill": ("fulfilled", "order.fulfilled", ["fulfilled"]),
    "cancel": ("cancelled", "order.cancelled", ["cancelled"]),
}


def test_the_table_is_the_contracts() -> None:
    assert {each.name: (set(each.sources), each.target.value) for each in STEPS} == TABLE
    assert transitions.allowed_from(OrderStatus.DRAFT) == [
        "awaiting_proof",
        "confirmed",
        "cancelled",
    ]
    assert transitions.allowed_from(OrderStatus.CANCELLED) == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", STATUSES)
async def test_a_step_is_taken_once_or_refused_without_a_trace(
    shop: Shop, db: Driver, status: str, verb: str
) -> None:
    name, action, types = VERBS[verb]
    sources, target = TABLE[name]
    order = await shop.order((await shop.add_product(), 2))
    await set_status(db, order, status)
    before = await kept(db, order)

    first = await shop.owner.request("POST", f"/v1/orders/{order['id']}/{verb}")

    after = await kept(db, order)
    if status == target:
        assert first.json()["status"] == target
        assert after == before
    elif status in sources:
        found = first.json()
        assert (first.status_code, found["status"]) == (200, target)
        assert [each["type"] for each in found["events"]] == ["created", *types]
        assert {each["actor"] for each in found["events"][1:]} == {"user"}
        [entry] = await shop.owner.audit(action=action)
        assert entry["target_id"] == order["id"]
        assert entry["actor_user_id"] == shop.owner.user_id
        assert entry["meta"] == {"number": 1, "status": [status, target]}
        again = await shop.owner.request("POST", f"/v1/orders/{order['id']}/{verb}")
        assert again.json() == found
        assert await kept(db, order) == after
    else:
        assert outcome(first) == (409, "invalid_transition")
        assert after == before


@pytest.mark.parametrize("step", STEPS, ids=lambda each: each.name)
@pytest.mark.parametrize("status", STATUSES)
async def test_every_status_with_every_step(
    shop: Shop, db: Driver, resources: Resources, status: str, step: Step
) -> None:
    sources, target = TABLE[step.name]
    order = await shop.order()
    await set_status(db, order, status)
    before = await kept(db, order)
    access = accesses.system(shop.owner.user_id)

    async def take() -> bool:
        async with resources.database.transaction() as tx:
            order_in_hand = await held.hold(tx, access, UUID(order["id"]))
            return await moving.take(tx, access, order_in_hand, step, Actor.SYSTEM)

    if status == target:
        assert not await take()
        assert await kept(db, order) == before
    elif status in sources:
        assert await take()
        found = await shop.owner.get(f"/v1/orders/{order['id']}")
        assert found["status"] == target
        assert found["events"][-1]["actor"] == "system"
        if found["events"][-1]["type"] == "note":
            assert found["events"][-1]["data"] == {"step": step.name}
    else:
        with pytest.raises(InvalidTransitionError) as refused:
            await take()
        assert status in str(refused.value)
        assert await kept(db, order) == before


async def test_the_refusal_says_what_the_order_may_become(shop: Shop) -> None:
    order = await shop.order()

    refused = await shop.owner.request("POST", f"/v1/orders/{order['id']}/ship")

    assert refused.json()["detail"] == (
        "An order that is draft does not become shipping; it may become awaiting_proof, "
        "confirmed, cancelled."
    )


async def test_the_refusal_says_by_which_other_step_the_order_gets_there(
    shop: Shop,
) -> None:
    order = await shop.order()

    refused = await shop.owner.request("POST", f"/v1/orders/{order['id']}/confirm")

    assert refused.json()["detail"] == (
        "An order that is draft becomes confirmed only by cash_on_delivery; it may become "
        "awaiting_proof, confirmed, cancelled."
    )


async def test_each_step_leaves_its_moment(shop: Shop, db: Driver) -> None:
    order = await shop.order()
    await set_status(db, order, "awaiting_proof")

    found: Any = None
    for verb, column in (
        ("confirm", "confirmed_at"),
        ("ship", "shipping_at"),
        ("fulfill", "fulfilled_at"),
        ("cancel", "cancelled_at"),
    ):
        assert found is None or found[column] is None
        found = await shop.step(order, verb)
        assert found[column] is not None
    moments = [found[name] for name in ("paid_at", "confirmed_at", "shipping_at")]
    assert moments == sorted(moments)
    created = [each["created_at"] for each in found["events"]]
    assert created == sorted(created)
    assert [each["type"] for each in found["events"]] == [
        "created",
        "payment_paid",
        "confirmed",
        "note",
        "fulfilled",
        "cancelled",
    ]


async def test_a_note_is_written_with_who_wrote_it(shop: Shop) -> None:
    order = await shop.order(source="manual")

    noted = await shop.owner.post(
        f"/v1/orders/{order['id']}/notes", {"text": "Ligar antes"}, 201
    )

    event = noted["events"][-1]
    assert (event["type"], event["actor"]) == ("note", "user")
    assert event["data"] == {"text": "Ligar antes"}
    [entry] = await shop.owner.audit(action="order.noted")
    assert entry["meta"] == {"number": 1}
