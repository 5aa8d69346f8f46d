"""Who is erased is nowhere any more, and comes back as somebody new."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.access.rows import rows_about
from tests.conftest import RunJobs
from tests.leads.people_of import add_lead
from tests.people import Person
from tests.privacy.lives import Life, Someone, live, store_object
from tests.privacy.searching import places
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources

BEFORE = {
    "public.leads.name",
    "public.leads.email",
    "public.leads.street_address",
    "public.leads.custom_attributes",
    "public.lead_events.data",
    "public.messages_history.content",
    "public.messages_history.user_id",
    "public.orders.customer_phone",
    "public.orders.shipping_address",
    "public.order_events.data",
    "public.order_items.custom_props",
    "public.payment_attempts.payload",
    "vek1_api.idempotency_keys.body",
    "vek1_api.import_rows.errors",
    "vek1_api.lead_contact.reply_to",
    "vek1_api.lead_identity.identity",
    "vek1_api.lead_profiles.profile_summary",
    "vek1_api.message_key.provider_message_id",
    "vek1_api.message_terms.terms",
    "vek1_api.order_proofs.content",
    "vek1_api.order_proofs.facts",
    "vek1_api.order_proofs.filename",
    "vek1_api.order_proofs.reason",
    "vek1_api.pgqueuer_log.traceback",
}


async def erase(person: Person, lead_id: str, **headers: str) -> Any:
    return await person.request("DELETE", f"/v1/leads/{lead_id}", headers=headers)


@pytest.fixture
async def life(ana: Person, resources: Resources, db: Driver) -> Life:
    return await live(ana, resources, db)


async def test_nothing_of_an_erased_person_is_left_anywhere(
    life: Life, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    await run_jobs()
    known = await places(db, resources.bucket, life.who.words)
    assert set(known) >= BEFORE | set(life.keys)
    payments = "SELECT count(*) FROM vek1_api.proof_payments WHERE store_id = $1"
    assert await db.fetchval(payments, life.store_id) == 1

    with capture_logs() as log:
        answer = await erase(life.person, life.lead["id"])
        await run_jobs()

    assert (answer.status_code, answer.content) == (204, b"")
    assert await places(db, resources.bucket, life.who.words) == {}
    assert [word for word in life.who.words if word in json.dumps(log, default=str)] == []
    named = await rows_about(db, life.lead["id"], life.merged_id)
    assert named == {}
    # Its letters are digits that look alike: no word is found in it.
    assert await db.fetchval(payments, life.store_id) == 0
    vectors = "SELECT count(*) FROM vek1_api.lead_vectors WHERE lead_id = $1"
    assert await db.fetchval(vectors, life.lead["id"]) == 0
    used = await life.person.get(f"/v1/stores/{life.store_id}/usage")
    assert used["used_bytes"] == 0


async def test_orders_stay_without_the_person(life: Life, db: Driver) -> None:
    kept = (
        "SELECT number, status, payment_method, payment_br_code, subtotal_cents, total_cents,"
        " agent_id FROM orders WHERE store_id = $1 ORDER BY number"
    )
    before = await db.fetch(kept, life.store_id)

    await erase(life.person, life.lead["id"])

    assert await db.fetch(kept, life.store_id) == before
    blank = (
        "SELECT count(*) FROM orders WHERE store_id = $1 AND num_nonnulls(lead_id,"
        " customer_name, customer_phone, customer_email, customer_tax_id, shipping_address,"
        " notes, proof_file_url, proof_mime_type, proof_external_id) = 0"
    )
    assert await db.fetchval(blank, life.store_id) == 2
    item = await db.fetchrow(
        "SELECT name, price_cents, quantity, custom_props FROM order_items"
        " WHERE order_id = $1",
        life.order_ids[0],
    )
    assert tuple(item) == ("Café Serra Azul 500 g", 2990, 2, None)
    events = await db.fetch(
        "SELECT type, data::text FROM order_events WHERE order_id = $1 ORDER BY type",
        life.order_ids[0],
    )
    assert [tuple(event) for event in events] == [
        ("created", None),
        ("note", '{"step": "proof_received"}'),
    ]


async def test_receipt_counts_and_names_nobody(life: Life) -> None:
    await erase(life.person, life.lead["id"])

    (entry,) = await life.person.audit(action="lead.erased")
    assert (entry["target_id"], entry["store_id"]) == (life.lead["id"], life.store_id)
    assert entry["actor_user_id"] == life.person.user_id
    assert entry["meta"] == {
        "erased": {
            "answers": 8,
            "events": 2,
            "files": 3,
            "identities": 2,
            "import_rows": 2,
            "jobs": 4,
            "leads": 2,
            "messages": 5,
            "orders": 2,
            "profiles": 2,
        }
    }


async def test_who_is_erased_is_not_found_any_more(life: Life) -> None:
    await erase(life.person, life.lead["id"])

    for lead_id in (life.lead["id"], life.merged_id):
        again = await erase(life.person, lead_id)
        assert (again.status_code, again.json()["code"]) == (404, "not_found")
        assert (await life.person.request("GET", f"/v1/leads/{lead_id}")).status_code == 404
    assert len(await life.person.audit(action="lead.erased")) == 1


async def test_id_of_a_merged_lead_erases_the_person(
    life: Life, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    assert (await erase(life.person, life.merged_id)).status_code == 204
    await run_jobs()

    assert await places(db, resources.bucket, life.who.words) == {}


async def test_stale_version_erases_nothing(life: Life, db: Driver) -> None:
    before = await rows_about(db, life.lead["id"])

    refused = await erase(life.person, life.lead["id"], **{"If-Match": '"old"'})

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert await rows_about(db, life.lead["id"]) == before
    current = await life.person.request("GET", life.path)
    erased = await erase(
        life.person, life.lead["id"], **{"If-Match": current.headers["ETag"]}
    )
    assert erased.status_code == 204


async def test_anothers_person_is_not_found_and_stays(
    life: Life, bruno: Person, db: Driver
) -> None:
    before = await rows_about(db, life.lead["id"])

    for answer in (
        await erase(bruno, life.lead["id"]),
        await bruno.request("GET", f"{life.path}/export"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    assert await rows_about(db, life.lead["id"]) == before
    denied = await life.person.audit(action="access.denied")
    assert [(entry["target_id"], entry["actor_user_id"]) for entry in denied] == [
        (life.lead["id"], bruno.user_id)
    ] * 2


async def test_what_was_said_before_and_arrives_late_is_not_kept(
    life: Life, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    said_at = clock.now().isoformat()
    await erase(life.person, life.lead["id"])
    path = f"/v1/stores/{life.store_id}/messages"

    for external_id in (life.who.phone, life.who.typed_phone, life.who.lid):
        late = await life.person.request(
            "POST",
            path,
            json={
                "channel": "whatsapp",
                "external_id": external_id,
                "role": "user",
                "content": life.who.secret,
                "timestamp": said_at,
            },
        )
        assert (late.status_code, late.json()["code"]) == (409, "conflict")

    await run_jobs()
    assert await places(db, resources.bucket, life.who.words) == {}


async def test_who_writes_again_is_somebody_new(life: Life) -> None:
    await erase(life.person, life.lead["id"])
    body = {
        "channel": "whatsapp",
        "external_id": life.who.old_phone,
        "role": "user",
        "content": "Oi",
    }

    said = await life.person.post(f"/v1/stores/{life.store_id}/messages", body)

    lead = await life.person.get(f"/v1/leads/{said['lead_id']}")
    assert lead["id"] not in (life.lead["id"], life.merged_id)
    assert (lead["external_id"], lead["total_messages"]) == (life.who.phone, 1)
    assert (lead["name"], lead["profile_summary"], lead["notes"]) == (None, None, None)
    assert (await life.person.get(f"/v1/leads/{lead['id']}/messages"))["items"] == [said]
    # A second time, the digests are known already.
    assert (await erase(life.person, lead["id"])).status_code == 204


async def test_repeated_requests_of_an_erased_person_have_no_effect(
    life: Life, db: Driver
) -> None:
    path, key = f"/v1/stores/{life.store_id}/leads", {"Idempotency-Key": uuid4().hex}
    body = {"channel": "whatsapp", "external_id": "5531900000001", "name": "Rui"}
    other = await life.person.request("POST", path, json=body, headers=key)
    await erase(life.person, life.lead["id"])

    for sent_path, sent, headers in life.sent:
        again = await life.person.request("POST", sent_path, json=sent, headers=headers)
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert "LGPD" in again.json()["detail"]

    assert await db.fetchval(
        "SELECT array_agg(id::text) FROM leads WHERE store_id = $1", life.store_id
    ) == [other.json()["id"]]
    repeated = await life.person.request("POST", path, json=body, headers=key)
    assert (repeated.status_code, repeated.content) == (201, other.content)


async def test_people_with_like_data_elsewhere_stay(
    life: Life, ana: Person, bruno: Person, db: Driver, resources: Resources
) -> None:
    here = await add_lead(ana, life.store_id, "5531900000001", name="Joana")
    elsewhere = await live(ana, resources, db, life.who)
    theirs = await live(bruno, resources, db, life.who)
    ids = [here["id"], elsewhere.lead["id"], theirs.lead["id"]]
    before = await rows_about(db, *ids)

    await erase(ana, life.lead["id"])

    after = await rows_about(db, *ids)
    assert after.pop("jobs") != before.pop("jobs")
    assert after == before
    stay = "SELECT count(*) FROM messages_history WHERE content = $1"
    assert await db.fetchval(stay, life.who.secret) == 10
    for key in elsewhere.keys + theirs.keys:
        assert await resources.bucket.exists(key)


async def test_objects_that_are_not_the_persons_stay(
    ana: Person, bruno: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    mine, theirs = (
        str((await ana.open_store())["id"]),
        str((await bruno.open_store())["id"]),
    )
    foreign = await store_object(resources, bruno, theirs, b"a proof", "proofs")
    original = await store_object(resources, ana, mine, b"a manual", "documents")
    lead = await add_lead(ana, mine)
    await ana.post(
        f"/v1/stores/{mine}/messages",
        {
            "lead_id": lead["id"],
            "role": "user",
            "content": "Oi",
            "metadata": {"a": foreign, "b": [resources.bucket.public_url(original)]},
        },
    )

    copy = await ana.get(f"/v1/leads/{lead['id']}/export")
    await erase(ana, lead["id"])
    await run_jobs()

    assert copy["files"] == []
    assert await resources.bucket.exists(foreign)
    assert await resources.bucket.exists(original)


async def test_row_of_an_import_that_waits_does_not_bring_the_person_back(
    life: Life, db: Driver
) -> None:
    waiting = await db.fetchval(
        "INSERT INTO vek1_api.imports (store_id, kind, dry_run, status, total_rows)"
        " VALUES ($1, 'leads', false, 'pending', 2) RETURNING id",
        life.store_id,
    )
    await db.execute(
        "INSERT INTO vek1_api.import_rows (import_id, row, values)"
        " VALUES ($1, 1, $2), ($1, 2, $3)",
        waiting,
        json.dumps({"external_id": life.who.typed_phone, "name": "Jô"}),
        json.dumps({"external_id": "31 90000-0001"}),
    )

    await erase(life.person, life.lead["id"])

    rows = await db.fetch(
        "SELECT row, values::text, status FROM vek1_api.import_rows WHERE import_id = $1"
        " ORDER BY row",
        waiting,
    )
    assert [tuple(row) for row in rows] == [
        (1, None, "error"),
        (2, '{"external_id": "31 90000-0001"}', None),
    ]
    counted = await db.fetchrow(
        "SELECT done_rows, summary::text FROM vek1_api.imports WHERE id = $1", waiting
    )
    assert tuple(counted) == (1, '{"error": 1}')


@pytest.mark.parametrize("attempt", range(8))
async def test_message_that_comes_at_the_same_moment_is_erased_or_of_somebody_new(
    attempt: int, ana: Person, db: Driver
) -> None:
    who, store_id = Someone(), str((await ana.open_store())["id"])
    lead = await add_lead(ana, store_id, who.phone, name=who.name)

    async def say(number: int) -> Any:
        await asyncio.sleep(0.002 * ((number + attempt) % 5))
        body = {
            "channel": "whatsapp",
            "external_id": who.typed_phone if number % 2 else who.phone,
            "role": "user",
            "content": f"Mensagem {number}",
            "provider_message_id": f"{who.mark}-{number}",
        }
        return await ana.request("POST", f"/v1/stores/{store_id}/messages", json=body)

    *said, erased = await asyncio.gather(*map(say, range(12)), erase(ana, lead["id"]))

    assert erased.status_code == 204
    assert {answer.status_code for answer in said} == {201}
    leads = await db.fetch(
        "SELECT id, name, total_messages FROM leads WHERE store_id = $1", store_id
    )
    messages = await db.fetch(
        "SELECT lead_id FROM messages_history WHERE store_id = $1", store_id
    )
    assert len(leads) <= 1
    assert [(row["name"], row["total_messages"]) for row in leads] == (
        [(None, len(messages))] if messages else []
    )
    assert {row["lead_id"] for row in messages} == {row["id"] for row in leads}
    assert lead["id"] not in {str(row["id"]) for row in leads}
    for table in ("lead_identity", "lead_contact"):
        ids = await db.fetch(
            f"SELECT lead_id FROM vek1_api.{table} WHERE lead_id = ANY ($1)"
            " OR lead_id::text = $2",
            [row["id"] for row in leads],
            lead["id"],
        )
        assert {row["lead_id"] for row in ids} == {row["id"] for row in leads}


async def test_two_erasures_at_once_are_one(ana: Person) -> None:
    lead = await add_lead(ana, str((await ana.open_store())["id"]))

    answers = await asyncio.gather(*(erase(ana, lead["id"]) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]
    assert len(await ana.audit(action="lead.erased")) == 1
