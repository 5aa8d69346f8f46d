"""A store keeps people's data as long as it says, and no longer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.access.rows import rows_about
from tests.conftest import RunJobs
from tests.jobs.running import count_jobs
from tests.leads.people_of import add_lead
from tests.people import Person
from tests.privacy.lives import store_object
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.privacy import jobs, retention

FOREVER = {"messages_days": None, "leads_days": None}


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def keep(person: Person, store_id: str, status: int = 200, **days: Any) -> Any:
    answer = await person.request(
        "PUT", f"/v1/stores/{store_id}/privacy", json=FOREVER | days
    )
    assert answer.status_code == status, answer.text
    return answer.json()


async def run(person: Person, store_id: str, *, dry_run: bool = False) -> Any:
    path = f"/v1/stores/{store_id}/privacy/run?dry_run={str(dry_run).lower()}"
    return await person.post(path, None, status=200 if dry_run else 202)


async def add_silent(
    person: Person, db: Driver, store_id: str, external_id: str, days: int
) -> str:
    """Add somebody who wrote a message so many days ago, and nothing since."""
    said = {
        "channel": "whatsapp",
        "external_id": external_id,
        "role": "user",
        "content": "Vocês abrem no feriado?",
        "timestamp": (clock.now() - timedelta(days=days)).isoformat(),
    }
    answer = await person.post(f"/v1/stores/{store_id}/messages", said)
    await db.execute(
        "UPDATE leads SET last_contact_at = now() - make_interval(days => $2) WHERE id = $1",
        answer["lead_id"],
        days,
    )
    return str(answer["lead_id"])


async def add_order(
    db: Driver, store_id: str, lead_id: str, status: str, days: int
) -> None:
    await db.execute(
        "INSERT INTO orders (store_id, lead_id, number, status, customer_name, updated_at)"
        " SELECT $1, $2, count(*) + 1, $3, 'Joana', now() - make_interval(days => $4)"
        " FROM orders WHERE store_id = $1",
        store_id,
        lead_id,
        status,
        days,
    )


async def leads_of(db: Driver, store_id: str) -> set[str]:
    rows = await db.fetch("SELECT id FROM leads WHERE store_id = $1", store_id)
    return {str(row["id"]) for row in rows}


async def messages_of(db: Driver, store_id: str) -> int:
    count = "SELECT count(*) FROM messages_history WHERE store_id = $1"
    return int(await db.fetchval(count, store_id))


async def test_everything_is_kept_until_a_store_says_otherwise(
    ana: Person, store_id: str
) -> None:
    path = f"/v1/stores/{store_id}/privacy"
    assert await ana.get(path) == FOREVER

    kept = await keep(ana, store_id, messages_days=365)

    assert kept == {"messages_days": 365, "leads_days": None}
    assert await ana.get(path) == kept
    (entry,) = await ana.audit(action="store.privacy_updated")
    assert entry["meta"] == {"changes": {"messages_days": [None, 365]}}
    assert await keep(ana, store_id, messages_days=365) == kept
    assert len(await ana.audit(action="store.privacy_updated")) == 1
    assert await keep(ana, store_id) == FOREVER


@pytest.mark.parametrize("days", [29, 3651, 0, -1, True, "90", 30.5])
@pytest.mark.parametrize("name", list(FOREVER))
async def test_period_that_makes_no_sense_is_refused(
    ana: Person, store_id: str, name: str, days: Any
) -> None:
    problem = await keep(ana, store_id, status=422, **{name: days})

    assert problem["errors"][0]["pointer"] == f"/{name}"
    assert await ana.get(f"/v1/stores/{store_id}/privacy") == FOREVER


async def test_both_periods_are_said_each_time(ana: Person, store_id: str) -> None:
    answer = await ana.request(
        "PUT", f"/v1/stores/{store_id}/privacy", json={"leads_days": 90}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/messages_days"


async def test_stale_version_of_the_periods_changes_nothing(
    ana: Person, store_id: str
) -> None:
    path = f"/v1/stores/{store_id}/privacy"
    old = (await ana.request("GET", path)).headers["ETag"]
    kept = await keep(ana, store_id, leads_days=90)

    refused = await ana.request("PUT", path, json=FOREVER, headers={"If-Match": old})

    assert refused.status_code == 412
    assert await ana.get(path) == kept


async def test_periods_of_anothers_store_are_not_found(
    ana: Person, bruno: Person, store_id: str, db: Driver
) -> None:
    before = await rows_about(db, store_id)
    path = f"/v1/stores/{store_id}/privacy"

    answers = [
        await bruno.request("GET", path),
        await bruno.request("PUT", path, json=FOREVER | {"leads_days": 30}),
        await bruno.request("POST", f"{path}/run"),
        await bruno.request("POST", f"{path}/run", params={"dry_run": "true"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert await rows_about(db, store_id) == before
    assert len(await ana.audit(action="access.denied")) == 4


async def test_dry_run_counts_and_removes_nothing(
    ana: Person, store_id: str, db: Driver, resources: Resources
) -> None:
    for number, days in enumerate((10, 40, 100, 400)):
        await add_silent(ana, db, store_id, f"553190000000{number}", days)
    nothing = {"messages": 0, "leads": 0}
    assert await run(ana, store_id, dry_run=True) == nothing
    await keep(ana, store_id, messages_days=30, leads_days=365)
    before = await rows_about(db, store_id)

    assert await run(ana, store_id, dry_run=True) == {"messages": 3, "leads": 1}

    assert await rows_about(db, store_id) == before
    assert await count_jobs(resources, name="privacy.retain_store") == 0


async def test_what_is_too_old_goes(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    fresh, old, silent = [
        await add_silent(ana, db, store_id, f"553190000000{number}", days)
        for number, days in enumerate((10, 40, 400))
    ]
    await keep(ana, store_id, messages_days=30, leads_days=365)

    assert await run(ana, store_id) == {"messages": 2, "leads": 1}
    await run_jobs()

    assert await leads_of(db, store_id) == {fresh, old}
    assert await messages_of(db, store_id) == 1
    totals = [
        (await ana.get(f"/v1/leads/{each}"))["total_messages"] for each in (fresh, old)
    ]
    assert totals == [1, 0]
    found = await ana.get(f"/v1/stores/{store_id}/messages", q="feriado")
    assert [each["lead_id"] for each in found["items"]] == [fresh]
    terms = "SELECT count(*) FROM vek1_api.message_terms WHERE store_id = $1"
    assert await db.fetchval(terms, UUID(store_id)) == 1
    (receipt,) = await ana.audit(action="lead.erased")
    assert (receipt["target_id"], receipt["actor_user_id"]) == (silent, None)
    (asked,) = await ana.audit(action="store.retention_requested")
    assert asked["meta"] == {"messages": 2, "leads": 1}
    assert await run(ana, store_id) == {"messages": 0, "leads": 0}


async def test_people_who_wait_for_an_order_stay(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    done, recent, waiting = [
        await add_silent(ana, db, store_id, f"553190000000{number}", 400)
        for number in range(3)
    ]
    await add_order(db, store_id, done, "fulfilled", 300)
    await add_order(db, store_id, recent, "cancelled", 20)
    await add_order(db, store_id, waiting, "shipping", 300)
    await keep(ana, store_id, leads_days=90)

    assert await run(ana, store_id) == {"messages": 0, "leads": 1}
    await run_jobs()

    assert await leads_of(db, store_id) == {recent, waiting}
    orders = await db.fetch(
        "SELECT lead_id::text, customer_name FROM orders WHERE store_id = $1"
        " ORDER BY number",
        store_id,
    )
    assert [tuple(row) for row in orders] == [
        (None, None),
        (recent, "Joana"),
        (waiting, "Joana"),
    ]


async def test_files_of_old_messages_leave_the_bucket(
    ana: Person, store_id: str, resources: Resources, run_jobs: RunJobs
) -> None:
    key = await store_object(resources, ana, store_id, b"a picture", "media")
    lead = await add_lead(ana, store_id)
    said = {
        "lead_id": lead["id"],
        "role": "user",
        "content": "",
        "metadata": {"media": {"key": key}},
        "timestamp": (clock.now() - timedelta(days=31)).isoformat(),
    }
    await ana.post(f"/v1/stores/{store_id}/messages", said)
    await keep(ana, store_id, messages_days=30)

    await run(ana, store_id)
    await run_jobs()

    assert not await resources.bucket.exists(key)
    assert (await ana.get(f"/v1/stores/{store_id}/usage"))["used_bytes"] == 0


async def test_every_night_each_store_applies_its_own_periods(
    ana: Person, store_id: str, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    other = str((await ana.open_store("Outra"))["id"])
    closed = str((await ana.open_store("Fechada"))["id"])
    for each in (store_id, other, closed):
        await add_silent(ana, db, each, "5531900000000", 100)
    await keep(ana, store_id, leads_days=90)
    await keep(ana, other, leads_days=120)
    await keep(ana, closed, leads_days=90)
    await ana.delete(f"/v1/stores/{closed}")

    await jobs.retain(resources)
    await jobs.retain(resources)
    await run_jobs()

    counts = [len(await leads_of(db, each)) for each in (store_id, other, closed)]
    assert counts == [0, 1, 0]


async def test_run_that_breaks_off_is_taken_up_where_it_was(
    ana: Person,
    store_id: str,
    db: Driver,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "BATCH_LEADS", 2)
    monkeypatch.setattr(retention, "BATCH_MESSAGES", 2)
    people = [
        await add_silent(ana, db, store_id, f"553190000000{number}", 100)
        for number in range(5)
    ]
    lead = await add_lead(ana, store_id, "5531911111111")
    for _ in range(5):
        said = {
            "lead_id": lead["id"],
            "role": "assistant",
            "content": "Oi",
            "timestamp": (clock.now() - timedelta(days=100)).isoformat(),
        }
        await ana.post(f"/v1/stores/{store_id}/messages", said)
    await keep(ana, store_id, messages_days=30, leads_days=90)
    await db.execute(
        "CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'killed'; END $$;"
        " CREATE TRIGGER break_off BEFORE DELETE ON leads FOR EACH ROW"
        f" WHEN (OLD.id = '{people[3]}') EXECUTE FUNCTION break_off()"
    )
    try:
        with pytest.raises(Exception, match="killed"):
            await retention.retain(resources.database, UUID(store_id))
    finally:
        await db.execute("DROP FUNCTION break_off() CASCADE")
    assert people[3] in await leads_of(db, store_id)
    assert await messages_of(db, store_id) >= 6

    await retention.retain(resources.database, UUID(store_id))

    assert await leads_of(db, store_id) == {lead["id"]}
    assert await messages_of(db, store_id) == 0
    erased = [entry["target_id"] for entry in await ana.audit(action="lead.erased")]
    assert sorted(erased) == sorted(people)
