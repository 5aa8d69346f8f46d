"""A person's copy of everything that is held about them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.leads.people_of import add_lead
from tests.people import Person
from tests.privacy.lives import Life, live
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.privacy.export_schemas import LeadExportResult


@pytest.fixture
async def life(ana: Person, resources: Resources, db: Driver) -> Life:
    return await live(ana, resources, db)


async def copy_of(life: Life) -> Any:
    return await life.person.get(f"{life.path}/export")


async def test_copy_has_everything_that_is_held(life: Life) -> None:
    copy = await copy_of(life)

    assert list(copy) == list(LeadExportResult.model_fields)
    assert (copy["format"], copy["version"]) == ("vek1.lead", 1)
    assert copy["lead"] == life.lead
    assert {each["identity"] for each in copy["identities"]} == {
        life.who.phone,
        life.who.lid,
    }
    assert copy["reply_to"] == life.who.phone
    assert copy["merged_lead_ids"] == [life.merged_id]
    assert [each["profile_summary"] for each in copy["profile_versions"]] == [
        life.who.summary,
        "Gosta de café.",
    ]
    assert [each["type"] for each in copy["events"]] == ["visit", "merged"]
    assert [each["role"] for each in copy["messages"]] == ["debug", "assistant", "user"]
    assert {each["content"] for each in copy["messages"]} == {life.who.secret}
    assert {each["user_id"] for each in copy["unlinked_messages"]} == {
        life.who.old_phone,
        f"+{life.who.phone}",
    }


async def test_copy_has_orders_with_all_that_they_say(life: Life) -> None:
    by_hand, order = (await copy_of(life))["orders"]

    assert (by_hand["number"], by_hand["customer_phone"]) == (2, life.who.typed_phone)
    assert (order["number"], order["customer_tax_id"]) == (1, life.who.tax_id)
    assert order["shipping_address"] == {"street": life.who.street}
    assert order["created_at"].endswith("Z")
    (item,) = order["items"]
    assert (item["name"], item["quantity"]) == ("Café Serra Azul 500 g", 2)
    assert [event["type"] for event in order["events"]] == ["created", "note"]
    (proof,) = by_hand["proofs"]
    assert (proof["version"], proof["source"], proof["review"]) == (1, "upload", "rejected")
    assert proof["filename"] == f"Pix de {life.who.name}.pdf"
    assert proof["file"] == life.keys[2].rpartition("/")[2]
    assert order["proofs"] == []
    (payment,) = order["payment_attempts"]
    assert payment["payload"] == {"payer": {"taxId": life.who.tax_id}}


async def test_links_of_a_copy_open_the_files(life: Life) -> None:
    files = (await copy_of(life))["files"]

    assert {each["name"] for each in files} == {key.rpartition("/")[2] for key in life.keys}
    async with httpx.AsyncClient() as browser:
        contents = {(await browser.get(each["url"])).content for each in files}
    assert contents >= {life.who.name.encode(), life.who.email.encode()}
    assert len(contents) == 3


async def test_copy_is_a_file_and_taking_it_is_written_down(life: Life) -> None:
    answer = await life.person.request("GET", f"/v1/leads/{life.merged_id}/export")

    assert answer.headers["Content-Disposition"].startswith(
        f'attachment; filename="lead-{life.merged_id}.json"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    (entry,) = await life.person.audit(action="lead.exported")
    assert (entry["target_id"], entry["store_id"], entry["meta"]) == (
        life.lead["id"],
        life.store_id,
        None,
    )
    noted = answer.json()["audit"]
    assert noted[0] == {
        "action": "lead.exported",
        "at": entry["at"],
        "actor_user_id": life.person.user_id,
    }
    assert {each["action"] for each in noted} == {
        "lead.created",
        "lead.event_added",
        "lead.exported",
        "lead.merged",
        "lead.profile_updated",
    }


async def test_copy_of_somebody_new_is_short(ana: Person) -> None:
    lead = await add_lead(ana, str((await ana.open_store())["id"]))

    copy = await ana.get(f"/v1/leads/{lead['id']}/export")

    empty = (
        "merged_lead_ids",
        "profile_versions",
        "events",
        "orders",
        "files",
        "messages",
        "unlinked_messages",
    )
    assert {name: copy[name] for name in empty} == {name: [] for name in empty}
    assert copy["reply_to"] == lead["external_id"]


async def test_copy_has_all_of_a_long_conversation(ana: Person, db: Driver) -> None:
    store_id = str((await ana.open_store())["id"])
    lead = await add_lead(ana, store_id)
    await db.execute(
        "INSERT INTO messages_history (user_id, store_id, lead_id, agent_type, role,"
        " content, timestamp) SELECT 'x', $1, $2, 'sales', 'user', n::text,"
        " timestamp '2026-03-02' + make_interval(secs => n / 7) FROM"
        " generate_series(1, 2345) AS n",
        store_id,
        lead["id"],
    )

    copy = await ana.get(f"/v1/leads/{lead['id']}/export")

    said = [int(each["content"]) for each in copy["messages"]]
    assert sorted(said) == list(range(1, 2346))
    times = [each["timestamp"] for each in copy["messages"]]
    assert times == sorted(times, reverse=True)


async def test_copy_of_nobody_is_not_found_and_leaves_no_trace(ana: Person) -> None:
    answer = await ana.request("GET", f"/v1/leads/{uuid4()}/export")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await ana.audit(action="lead.exported") == []
