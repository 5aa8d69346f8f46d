"""Stores take turns: a merchant's large import does not silence the others."""

import pytest

from tests.conftest import RunJobs
from tests.jobs.running import count_jobs, forget_jobs
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect
from vek1_api.documents import jobs
from vek1_api.documents.jobs import INDEX_STORE

TURN = 16


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TURN", TURN)
    monkeypatch.setattr(jobs, "AT_ONCE", 8)


async def add_products(driver: Driver, store_id: str, count: int) -> None:
    await driver.execute(
        "INSERT INTO products (store_id, name, price)"
        " SELECT $1, 'Caneca número ' || n, 35 FROM generate_series(1, $2::int) AS n",
        store_id,
        count,
    )


async def statuses(driver: Driver, store_id: str) -> dict[str, int]:
    rows = await driver.fetch(
        "SELECT status, count(*) FROM vek1_api.document_index WHERE store_id = $1 GROUP BY 1",
        store_id,
    )
    return {row["status"]: row["count"] for row in rows}


async def test_store_that_comes_second_is_ready_first_if_it_has_less(
    ana: Person, bruno: Person, db: Driver, run_jobs: RunJobs
) -> None:
    many, few = (await ana.open_store())["id"], (await bruno.open_store())["id"]
    await add_products(db, many, 8 * TURN)
    await add_products(db, few, TURN + 8)

    await run_jobs()

    assert await statuses(db, many) == {"ready": 8 * TURN}
    assert await statuses(db, few) == {"ready": TURN + 8}
    last = "SELECT max(updated_at) FROM vek1_api.document_index WHERE store_id = $1"
    half = (
        "SELECT percentile_disc(0.75) WITHIN GROUP (ORDER BY updated_at)"
        " FROM vek1_api.document_index WHERE store_id = $1"
    )
    assert await db.fetchval(last, few) < await db.fetchval(half, many)


async def test_batches_of_one_store_wait_as_one_job(
    ana: Person, bruno: Person, db: Driver, resources: Resources
) -> None:
    one, other = (await ana.open_store())["id"], (await bruno.open_store())["id"]
    for _ in range(3):
        await add_products(db, one, 21)
    await add_products(db, other, 21)

    assert await count_jobs(resources, name=INDEX_STORE) == 2
    await forget_jobs(resources)


async def test_what_is_committed_after_its_job_ran_is_indexed_all_the_same(
    ana: Person, db: Driver, resources: Resources, database_url: str
) -> None:
    store_id = (await ana.open_store())["id"]
    await add_products(db, store_id, 21)
    late = await connect(database_url)
    await late.execute("BEGIN")
    await add_products(late, store_id, 21)  # It counts on the job that waits already.
    await db.execute("UPDATE vek1_api.pgqueuer SET status = 'picked'")

    while (await statuses(db, store_id)).get("pending"):
        await jobs.index_store(resources, {"store_id": store_id})
    assert await count_jobs(resources, name=INDEX_STORE) == 1
    await late.execute("COMMIT")
    await late.close()

    await db.execute("UPDATE vek1_api.pgqueuer SET status = 'picked'")
    while (await statuses(db, store_id)).get("pending"):
        await jobs.index_store(resources, {"store_id": store_id})
    assert await statuses(db, store_id) == {"ready": 42}
    await forget_jobs(resources)


async def test_change_while_the_last_job_ends_gets_a_job_of_its_own(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await add_products(db, store_id, 21)
    await db.execute("UPDATE vek1_api.pgqueuer SET status = 'picked'")
    while (await statuses(db, store_id)).get("pending"):
        await jobs.index_store(resources, {"store_id": store_id})
    await db.execute("DELETE FROM vek1_api.pgqueuer WHERE status = 'queued'")

    # PgQueuer has not deleted the one that ran.
    await add_products(db, store_id, 21)

    assert await count_jobs(resources, "picked", INDEX_STORE) == 1
    assert await count_jobs(resources, "queued", INDEX_STORE) == 1
    await forget_jobs(resources)


async def test_job_without_anything_left_ends(
    ana: Person, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    store_id = (await ana.open_store())["id"]
    await add_products(db, store_id, 2 * TURN)

    await run_jobs()

    assert await statuses(db, store_id) == {"ready": 2 * TURN}
    assert await count_jobs(resources, name=INDEX_STORE) == 0


async def test_document_that_cannot_be_helped_is_not_tried_for_ever(
    ana: Person, db: Driver, resources: Resources, run_jobs: RunJobs
) -> None:
    store_id = (await ana.open_store())["id"]
    await add_products(db, store_id, 21)
    await db.execute("ALTER TABLE documents DISABLE TRIGGER USER")
    try:
        await db.execute("DELETE FROM documents WHERE title = 'Caneca número 1'")
    finally:
        await db.execute("ALTER TABLE documents ENABLE TRIGGER USER")

    await run_jobs()

    assert await statuses(db, store_id) == {"ready": 20, "pending": 1}
    assert await count_jobs(resources, name=INDEX_STORE) == 0
