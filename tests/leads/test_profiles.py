"""What is remembered of a person: kept in versions, and found by meaning."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import RunJobs
from tests.leads.people_of import add_lead
from tests.people import Person
from vek1_api.core.db import Driver

CAKE = "Perguntou de bolo de casamento para 80 pessoas, em maio."
COFFEE = "Compra café em grãos toda semana e mói em casa."


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def remember(person: Person, lead_id: str, summary: str, **more: Any) -> Any:
    body = {"profile_summary": summary, **more}
    answer = await person.request("PUT", f"/v1/leads/{lead_id}/profile", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def search(person: Person, store_id: str, query: str, **more: Any) -> list[str]:
    path = f"/v1/stores/{store_id}/leads/search"
    found = await person.post(path, {"query": query, **more}, status=200)
    return [hit["lead"]["id"] for hit in found["items"]]


async def test_versions_are_kept_with_the_messages_they_came_from(
    ana: Person, store_id: str
) -> None:
    lead = await add_lead(ana, store_id)
    first, last = [
        (
            await ana.post(
                f"/v1/stores/{store_id}/messages",
                {"lead_id": lead["id"], "role": "user", "content": text},
            )
        )["id"]
        for text in ("Oi", "Quero um bolo")
    ]

    await remember(ana, lead["id"], COFFEE, interests=["café"])
    after = await remember(
        ana, lead["id"], CAKE, first_message_id=first, last_message_id=last
    )

    assert (after["profile_summary"], after["interests"]) == (CAKE, ["café"])
    assert after["profile_updated_at"] is not None
    versions = (await ana.get(f"/v1/leads/{lead['id']}/profile/versions"))["items"]
    assert [(v["version"], v["profile_summary"]) for v in versions] == [
        (2, CAKE),
        (1, COFFEE),
    ]
    assert (versions[0]["first_message_id"], versions[0]["last_message_id"]) == (
        first,
        last,
    )
    page = await ana.get(f"/v1/leads/{lead['id']}/profile/versions", limit=1)
    rest = await ana.get(
        f"/v1/leads/{lead['id']}/profile/versions", limit=1, cursor=page["next_cursor"]
    )
    assert [v["version"] for v in page["items"] + rest["items"]] == [2, 1]


async def test_memory_of_messages_that_are_not_the_leads_is_refused(
    ana: Person, store_id: str
) -> None:
    lead = await add_lead(ana, store_id)
    other = await add_lead(ana, store_id, "5531911110000")
    said = await ana.post(
        f"/v1/stores/{store_id}/messages",
        {"lead_id": other["id"], "role": "user", "content": "Oi"},
    )

    for message_id in (said["id"], str(uuid4())):
        answer = await ana.request(
            "PUT",
            f"/v1/leads/{lead['id']}/profile",
            json={"profile_summary": CAKE, "last_message_id": message_id},
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/last_message_id"

    versions = (await ana.get(f"/v1/leads/{lead['id']}/profile/versions"))["items"]
    assert versions == []


async def test_memory_that_was_merged_is_found(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    await remember(ana, gone["id"], CAKE)
    await ana.post(f"/v1/leads/{kept['id']}/merge", {"lead_id": gone["id"]}, status=200)
    await run_jobs()

    assert await search(ana, store_id, "bolo de casamento") == [kept["id"]]


async def test_what_is_remembered_already_makes_no_version(
    ana: Person, store_id: str
) -> None:
    lead = await add_lead(ana, store_id)

    first = await remember(ana, lead["id"], CAKE)
    again = await remember(ana, lead["id"], CAKE)

    assert again == first
    versions = (await ana.get(f"/v1/leads/{lead['id']}/profile/versions"))["items"]
    assert [version["version"] for version in versions] == [1]


async def test_leads_are_found_by_meaning_with_filters_beside(
    ana: Person, store_id: str, run_jobs: RunJobs
) -> None:
    bride = await add_lead(ana, store_id, "5531911110000", city="Betim")
    barista = await add_lead(ana, store_id, "5531922220000", city="Contagem")
    elsewhere = await add_lead(ana, (await ana.open_store("Outra"))["id"])
    await remember(ana, bride["id"], CAKE)
    await remember(ana, barista["id"], COFFEE)
    await remember(ana, elsewhere["id"], CAKE)
    await run_jobs()

    query = "quem quer bolo de casamento?"
    assert await search(ana, store_id, query) == [bride["id"], barista["id"]]
    assert await search(ana, store_id, query, limit=1) == [bride["id"]]
    assert await search(ana, store_id, query, city="contagem") == [barista["id"]]
    assert await search(ana, store_id, query, status="customer") == []
    assert await search(
        ana, store_id, query, last_contact_from=barista["last_contact_at"]
    ) == [barista["id"]]


async def test_newest_version_is_what_is_found(
    ana: Person, store_id: str, run_jobs: RunJobs, db: Driver
) -> None:
    lead = await add_lead(ana, store_id)
    await remember(ana, lead["id"], COFFEE)
    await remember(ana, lead["id"], CAKE)
    await run_jobs()
    await run_jobs()

    row = await db.fetchrow(
        "SELECT version, embedding = profile_embedding AS is_same"
        " FROM vek1_api.lead_vectors JOIN leads ON leads.id = lead_id WHERE lead_id = $1",
        lead["id"],
    )
    assert (row["version"], row["is_same"]) == (2, True)


async def test_merge_keeps_both_memories(ana: Person, store_id: str) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    await remember(ana, kept["id"], CAKE)
    await remember(ana, gone["id"], COFFEE)

    await ana.post(f"/v1/leads/{kept['id']}/merge", {"lead_id": gone["id"]}, status=200)

    versions = (await ana.get(f"/v1/leads/{kept['id']}/profile/versions"))["items"]
    assert [(v["version"], v["profile_summary"]) for v in versions] == [
        (2, CAKE),
        (1, COFFEE),
    ]
    assert (await ana.get(f"/v1/leads/{kept['id']}"))["profile_summary"] == CAKE


@pytest.mark.parametrize("summary", ["", "  ", "x" * 20_001, "a\x00b", None, 7])
async def test_refused_profile_changes_nothing(
    ana: Person, store_id: str, summary: Any
) -> None:
    lead = await add_lead(ana, store_id)

    answer = await ana.request(
        "PUT", f"/v1/leads/{lead['id']}/profile", json={"profile_summary": summary}
    )

    assert answer.status_code == 422
    assert await ana.get(f"/v1/leads/{lead['id']}") == lead
