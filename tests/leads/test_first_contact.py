"""A new lead, by one statement or, with an ``Idempotency-Key``, in a transaction: the same."""

from typing import Any
from uuid import uuid4

import pytest

from tests.leads.people_of import JOANA
from tests.people import Person
from vek1_api.core.db import Driver

SPELLED = "+55 (31) 9999-8888"
OF_ONE_LEAD = {
    "id",
    "store_id",
    "first_contact_at",
    "last_contact_at",
    "created_at",
    "updated_at",
}
OF_ONE_ENTRY = {"id", "at", "store_id", "target_id", "request_id"}


async def written(
    db: Driver, person: Person, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    """Return the answer to a first contact in a new store, and all that it left."""
    store_id = (await person.open_store(name=uuid4().hex))["id"]
    answer = await person.request(
        "POST",
        f"/v1/stores/{store_id}/leads",
        json={"channel": "whatsapp", "external_id": SPELLED} | body,
        headers=headers,
    )
    assert answer.status_code == 201, answer.text
    lead = answer.json()
    assert await person.get(f"/v1/leads/{lead['id']}") == lead
    assert lead["store_id"] == store_id
    events = (await person.get(f"/v1/leads/{lead['id']}/events"))["items"]
    entries = await person.audit(target_id=lead["id"])
    assert {entry["store_id"] for entry in entries} == {store_id}
    return {
        "lead": {name: lead[name] for name in lead.keys() - OF_ONE_LEAD},
        "has_etag": "etag" in answer.headers,
        "identities": await db.fetch(
            "SELECT channel, identity FROM vek1_api.lead_identity WHERE lead_id = $1",
            lead["id"],
        ),
        "reply_to": await db.fetchval(
            "SELECT reply_to FROM vek1_api.lead_contact WHERE lead_id = $1", lead["id"]
        ),
        "events": [(event["type"], event["data"]) for event in events],
        "entries": [
            {name: entry[name] for name in entry.keys() - OF_ONE_ENTRY} for entry in entries
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "Joana", "email": None, "status": "new"},
        {"status": "qualified"},
        {"aliases": ["5531988887777"]},
        {"custom_attributes": {"a": {"b": None, "c": 1}, "d": None}, "preferences": None},
        JOANA,
        JOANA | {"status": "new"},
    ],
    ids=str,
)
async def test_both_ways_leave_the_same(
    body: dict[str, Any], ana: Person, db: Driver
) -> None:
    at_once = await written(db, ana, body, {})

    with_key = await written(db, ana, body, {"Idempotency-Key": uuid4().hex})

    assert at_once == with_key
    assert at_once["reply_to"] == SPELLED
    assert [entry["action"] for entry in at_once["entries"]] == ["lead.created"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"external_id": ""}, 422),
        ({"status": "nobody-knows-this"}, 422),
        ({"custom_attributes": {"a": "x" * 70_000}}, 422),
    ],
)
async def test_refused_person_is_not_written(
    body: dict[str, Any], status: int, ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]

    answer = await first_contact(ana, store_id, **body)

    assert answer.status_code == status
    assert await left_in(db, store_id) == 0


async def test_foreign_store_is_out_of_reach(
    ana: Person, bruno: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]

    answer = await first_contact(bruno, store_id, name="Joana")

    assert answer.status_code == 404
    assert await left_in(db, store_id) == 0


async def test_known_person_is_changed_and_not_made(ana: Person, db: Driver) -> None:
    store_id = (await ana.open_store())["id"]
    first = (await first_contact(ana, store_id, name="Joana")).json()

    again = await first_contact(ana, store_id, external_id="5531999998888", city="Betim")

    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert (again.json()["name"], again.json()["city"]) == ("Joana", "Betim")
    assert await left_in(db, store_id) == 2


async def first_contact(person: Person, store_id: str, **body: Any) -> Any:
    return await person.request(
        "POST",
        f"/v1/stores/{store_id}/leads",
        json={"channel": "whatsapp", "external_id": SPELLED} | body,
    )


async def left_in(db: Driver, store_id: str) -> int:
    """Return how many leads and identities a store has."""
    count: int = await db.fetchval(
        "SELECT (SELECT count(*) FROM leads WHERE store_id = $1)"
        " + (SELECT count(*) FROM vek1_api.lead_identity WHERE store_id = $1)",
        store_id,
    )
    return count
