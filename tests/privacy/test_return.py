"""What an erased person said or bought before does not bring them back."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.leads.people_of import MOBILE, add_lead
from tests.people import Person
from vek1_api.core import clock
from vek1_api.core.db import Driver

VISITOR = "Anon-AbC-123456"
SECRET = "O aniversário é no sábado"


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def say(ana: Person, store_id: str, **said: Any) -> Any:
    body = {"role": "user", "content": SECRET} | said
    return await ana.request("POST", f"/v1/stores/{store_id}/messages", json=body)


async def messages(db: Driver, store_id: str) -> int:
    counted: int = await db.fetchval(
        "SELECT count(*) FROM messages_history WHERE store_id = $1", store_id
    )
    return counted


async def test_ids_of_every_channel_of_a_merged_person_are_remembered(
    ana: Person, store_id: str, db: Driver
) -> None:
    before = clock.now().isoformat()
    phone = await add_lead(ana, store_id)
    visitor = await ana.post(
        f"/v1/stores/{store_id}/leads", {"channel": "website", "external_id": VISITOR}
    )
    await ana.post(f"/v1/leads/{phone['id']}/merge", {"lead_id": visitor["id"]}, status=200)
    for user_id in (VISITOR, MOBILE, VISITOR.lower()):
        await db.execute(
            "INSERT INTO messages_history (user_id, store_id, agent_type, role, content)"
            " VALUES ($1, $2, 'sales', 'user', $3)",
            user_id,
            store_id,
            SECRET,
        )

    copy = await ana.get(f"/v1/leads/{phone['id']}/export")
    await ana.delete(f"/v1/leads/{phone['id']}")
    late = [
        await say(ana, store_id, channel=channel, external_id=who, timestamp=before)
        for channel, who in (("website", VISITOR), ("whatsapp", MOBILE))
    ]

    assert {each["user_id"] for each in copy["unlinked_messages"]} == {VISITOR, MOBILE}
    assert [answer.status_code for answer in late] == [409, 409]
    left = "SELECT array_agg(user_id) FROM messages_history WHERE store_id = $1"
    assert await db.fetchval(left, store_id) == [VISITOR.lower()]


async def test_message_that_its_provider_sends_again_is_not_kept(
    ana: Person, store_id: str, db: Driver
) -> None:
    said = {
        "channel": "whatsapp",
        "external_id": MOBILE,
        "provider_message_id": "WAID1",
    }
    first = await say(ana, store_id, **said)
    await ana.delete(f"/v1/leads/{first.json()['lead_id']}")
    back = await add_lead(ana, store_id)

    again = await say(ana, store_id, **said)
    by_lead = await say(ana, store_id, lead_id=back["id"], provider_message_id="WAID1")
    other = await say(ana, store_id, **said | {"provider_message_id": "WAID2"})

    assert [each.status_code for each in (again, by_lead, other)] == [409, 409, 201]
    assert again.json()["code"] == "conflict"
    assert await messages(db, store_id) == 1


async def test_message_of_a_lead_from_before_the_erasure_is_not_kept(
    ana: Person, store_id: str, db: Driver
) -> None:
    before = clock.now().isoformat()
    await ana.delete(f"/v1/leads/{(await add_lead(ana, store_id))['id']}")
    back = await add_lead(ana, store_id)

    old = await say(ana, store_id, lead_id=back["id"], timestamp=before)
    batch = await ana.request(
        "POST",
        f"/v1/stores/{store_id}/messages",
        json={
            "messages": [
                {"lead_id": back["id"], "role": "user", "content": "Oi"},
                {
                    "lead_id": back["id"],
                    "role": "user",
                    "content": SECRET,
                    "timestamp": before,
                },
            ]
        },
    )
    assert [old.status_code, batch.status_code] == [409, 409]
    assert await messages(db, store_id) == 0

    now: datetime = clock.now()
    new = await say(ana, store_id, lead_id=back["id"], timestamp=now.isoformat())
    assert new.status_code == 201


async def test_request_whose_key_says_who_it_is_about_does_not_bring_them_back(
    ana: Person, store_id: str, db: Driver
) -> None:
    who = {"channel": "whatsapp", "external_id": MOBILE, "name": "Joana Ribeiro"}
    request = {
        "json": who,
        "headers": {"Idempotency-Key": f"joana-ribeiro-{MOBILE}-{store_id}"},
    }
    path = f"/v1/stores/{store_id}/leads"
    first = await ana.request("POST", path, **request)
    assert first.status_code == 201

    await ana.delete(f"/v1/leads/{first.json()['id']}")
    again = await ana.request("POST", path, **request)

    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert (await ana.get(path))["items"] == []
    kept = "SELECT array_agg(key) FROM vek1_api.idempotency_keys WHERE actor = $1"
    [key] = await db.fetchval(kept, ana.user_id)
    assert "joana" not in key
    assert MOBILE not in key


@pytest.mark.parametrize("name", ["Eva Qzí", "Zé", "Ana Sá", "D'Ávila (Bia)"])
async def test_short_name_leaves_the_items_of_their_orders(
    name: str, ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_lead(ana, store_id, name=name)
    first = name.split(maxsplit=1)[0]
    items = await _buy(
        db,
        store_id,
        lead["id"],
        [
            (f"Bolo para {name.upper()}", f"Com {first}!", {"texto": f"Oi, {name}."}),
            ("Bolo da Evania", "Aveia e mel", {"sabor": "Banana"}),
        ],
    )

    await ana.delete(f"/v1/leads/{lead['id']}")

    kept = await db.fetch(
        "SELECT name, description, custom_props FROM order_items WHERE order_id = $1"
        " ORDER BY name DESC",
        items,
    )
    assert [tuple(row) for row in kept] == [
        ("Item", None, None),
        ("Bolo da Evania", "Aveia e mel", {"sabor": "Banana"}),
    ]


async def test_what_the_catalogue_says_is_about_nobody(
    ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_lead(ana, store_id, name="Rosa Lima")
    order_id = await _buy(db, store_id, lead["id"], [("Bolo rosa", "Rosa", {})])
    product_id = await db.fetchval(
        "INSERT INTO products (store_id, name, price) VALUES ($1, 'Bolo rosa', 10)"
        " RETURNING id",
        store_id,
    )
    await db.execute(
        "UPDATE order_items SET product_id = $1 WHERE order_id = $2", product_id, order_id
    )

    await ana.delete(f"/v1/leads/{lead['id']}")

    kept = await db.fetchrow(
        "SELECT name, description FROM order_items WHERE order_id = $1", order_id
    )
    assert tuple(kept) == ("Bolo rosa", None)


async def _buy(
    db: Driver, store_id: str, lead_id: str, items: list[tuple[str, str, Any]]
) -> Any:
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, lead_id, number, status, subtotal_cents,"
        " total_cents) VALUES ($1, $2, 1, 'fulfilled', 0, 0) RETURNING id",
        store_id,
        lead_id,
    )
    for name, description, props in items:
        await db.execute(
            "INSERT INTO order_items (id, order_id, name, description, price_cents,"
            " quantity, subtotal_cents, custom_props) VALUES ($1, $2, $3, $4, 0, 1, 0, $5)",
            uuid4(),
            order_id,
            name,
            description,
            json.dumps(props),
        )
    return order_id


async def test_answers_about_somebody_are_found_by_the_ids_that_they_name(
    db: Driver,
) -> None:
    lead_id, order_id = str(uuid4()), str(uuid4())
    named = {"id": lead_id, "lead_id": None, "nome": "José", "order_id": order_id}
    ids = "SELECT vek1_api.ids_named(convert_to($1, 'UTF8'))"

    for colon in (":", ": ", " : "):
        body = json.dumps(named, ensure_ascii=False, separators=(",", colon))
        assert await db.fetchval(ids, body) == [lead_id, order_id]
    assert await db.fetchval(ids, '{"external_id":"5531999998888"}') == []
    assert await db.fetchval("SELECT vek1_api.ids_named($1)", b"\xff") == []


async def test_jobs_about_an_order_stay_and_those_about_the_person_go(
    ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_lead(ana, store_id)
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, lead_id, number, status, subtotal_cents, total_cents)"
        " VALUES ($1, $2, 1, 'draft', 0, 0) RETURNING id",
        store_id,
        lead["id"],
    )
    for payload in ({"order_id": str(order_id)}, {"lead_id": lead["id"]}):
        await db.execute(
            "INSERT INTO vek1_api.pgqueuer (priority, status, entrypoint, payload, dedupe_key)"
            " VALUES (0, 'queued', 'tests.of_nobody', $1, $2)",
            json.dumps(payload).encode(),
            uuid4().hex,
        )

    await ana.delete(f"/v1/leads/{lead['id']}")

    rows = await db.fetch(
        "DELETE FROM vek1_api.pgqueuer WHERE entrypoint = 'tests.of_nobody' RETURNING payload"
    )
    assert [json.loads(row["payload"]) for row in rows] == [{"order_id": str(order_id)}]
