"""Large files of leads: a job's work, and what it leaves behind."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import RunJobs
from tests.leads.csv_of import NOTHING, leads, run_import, send, statuses, traces
from tests.leads.people_of import JOANA, MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver

ROWS = 2_100
MANY = 12_000


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


def phone(number: int) -> str:
    return f"55319{90000000 + number}"


def large(*more: str) -> str:
    lines = [f"{phone(number)},Pessoa {number}" for number in range(ROWS)]
    return "\n".join(["telefone,nome", *lines, *more]) + "\n"


async def accepted(person: Person, store_id: str, content: str, **params: Any) -> str:
    response = await send(person, store_id, content, params=params)
    assert response.status_code == 202, response.text
    return str(response.json()["import_id"])


async def values_left(db: Driver, import_id: str) -> int:
    left: int = await db.fetchval(
        "SELECT count(*) FROM vek1_api.import_rows"
        ' WHERE import_id = $1 AND "values" IS NOT NULL',
        UUID(import_id),
    )
    return left


async def test_large_file_is_imported_by_a_job_that_keeps_no_cells(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    known = await add_lead(ana, store_id, phone(1), name="Pessoa 1")
    # The same people in other spellings, further on than a batch reaches.
    content = large("31 9000-0007,Outra", "(31) 99000-0008,", ",Ninguém", f"{MOBILE}@lid,")

    import_id = await accepted(ana, store_id, content)
    assert await values_left(db, import_id) == ROWS + 2
    await run_jobs()

    done = await ana.get(f"/v1/imports/{import_id}", status="error")
    assert (done["kind"], done["status"]) == ("leads", "done")
    assert (done["total_rows"], done["done_rows"]) == (ROWS + 4, ROWS + 4)
    assert done["summary"] == {
        "created": ROWS,
        "updated": 0,
        "unchanged": 1,
        "error": 3,
    }
    assert [(row["row"], row["errors"][0]["code"]) for row in done["rows"]] == [
        (ROWS + 1, "duplicate"),
        (ROWS + 2, "duplicate"),
        (ROWS + 3, "missing"),
    ]
    assert "Row 8 is" in done["rows"][0]["errors"][0]["message"]
    first = (await ana.get(f"/v1/imports/{import_id}", limit=2))["rows"]
    assert [row["status"] for row in first] == ["created", "unchanged"]
    assert first[1]["lead_id"] == known["id"]
    assert await values_left(db, import_id) == 0
    assert (await traces(db, store_id))[:2] == [ROWS + 1, ROWS + 1]
    [entry] = await ana.audit(action="leads.imported")
    assert entry["meta"] == {"summary": done["summary"]}
    assert entry["target_id"] == import_id


async def test_next_large_file_is_taken_when_the_statistics_know_only_the_first(
    ana: Person, store_id: str, db: Driver
) -> None:
    await accepted(ana, store_id, large())
    # Of an import that they have not seen they tell that it has no rows. As many rows as took
    # longer than a statement may: looking for twins was quadratic.
    await db.execute("ANALYZE vek1_api.import_rows")
    people = [f"{phone(number)},Pessoa {number}" for number in range(MANY)]

    content = "\n".join(["telefone,nome", *people, "31 9000-0007,Outra"]) + "\n"
    import_id = await accepted(ana, store_id, content)

    refused = (await ana.get(f"/v1/imports/{import_id}", status="error"))["rows"]
    assert [(row["row"], row["errors"][0]["message"]) for row in refused] == [
        (MANY + 1, "Row 8 is about the same external_id.")
    ]


async def test_dry_run_of_a_large_file_tells_the_same_and_writes_nothing(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    content = large("31 9000-0007,Outra")

    import_id = await accepted(ana, store_id, content, dry_run="true")
    await run_jobs()

    done = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert done["summary"] == NOTHING | {"created": ROWS, "error": 1}
    assert "lead_id" not in done["rows"][0]
    assert await values_left(db, import_id) == 0
    assert (await traces(db, store_id))[:2] == [0, 0]


async def test_person_who_is_erased_while_the_file_waits_stays_erased(
    ana: Person, store_id: str, db: Driver, run_jobs: RunJobs
) -> None:
    joana = await add_lead(ana, store_id, MOBILE, **JOANA)
    import_id = await accepted(ana, store_id, large("31 9999-8888,Joana Ribeiro"))

    await ana.delete(f"/v1/leads/{joana['id']}")
    await run_jobs()

    done = await ana.get(f"/v1/imports/{import_id}", status="error")
    assert [row["row"] for row in done["rows"]] == [ROWS + 1]
    assert done["summary"] == NOTHING | {"created": ROWS, "error": 1}
    found = "SELECT count(*) FROM leads WHERE store_id = $1 AND name = 'Joana Ribeiro'"
    assert await db.fetchval(found, UUID(store_id)) == 0


async def test_people_imported_at_once_are_one_lead_each(
    ana: Person, store_id: str, db: Driver
) -> None:
    """The same people in opposite orders and other spellings, beside single requests."""
    numbers = list(range(60))
    spelled = [
        [phone(number) for number in numbers],
        [f"(31) {90000000 + number}" for number in reversed(numbers)],
        [f"5531{90000000 + number}" for number in numbers[30:] + numbers[:30]],
        [f"031 9 {90000000 + number}" for number in numbers[::-2]],
    ]
    files = ["telefone,nome\n" + "".join(f"{each},A\n" for each in ids) for ids in spelled]

    answers, _ = await asyncio.gather(
        asyncio.gather(*(run_import(ana, store_id, file) for file in files * 2)),
        asyncio.gather(
            *(
                ana.request(
                    "POST",
                    f"/v1/stores/{store_id}/leads",
                    json={"channel": "whatsapp", "external_id": phone(number)},
                )
                for number in numbers[::3]
            )
        ),
    )

    assert sum(answer["summary"]["error"] for answer in answers) == 0
    assert [lead["external_id"] for lead in await leads(ana, store_id)] == sorted(
        phone(number) for number in numbers
    )
    assert {lead["name"] for lead in await leads(ana, store_id)} == {"A"}
    assert (await traces(db, store_id))[1] == len(numbers)


async def test_import_that_is_repeated_at_once_creates_each_once(
    ana: Person, store_id: str
) -> None:
    content = "telefone,status\n" + "".join(f"{phone(n)},lost\n" for n in range(50))

    answers = await asyncio.gather(*(run_import(ana, store_id, content) for _ in range(6)))

    created = [row for answer in answers for row in statuses(answer)].count("created")
    assert created == 50
    assert sum(answer["summary"]["unchanged"] for answer in answers) == 250
