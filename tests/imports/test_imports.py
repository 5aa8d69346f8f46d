"""Imports that a job works through."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.imports.files import export, products, run_import, send
from tests.jobs.running import count_jobs
from tests.people import Person
from vek1_api.core import clock
from vek1_api.core.jobs import PermanentJobError
from vek1_api.core.resources import Resources
from vek1_api.imports import jobs, running

LINE_COUNT = 1_203
NOTHING = {"created": 0, "updated": 0, "unchanged": 0, "error": 0}


def catalogue(lines: int = LINE_COUNT, price: str = "9,90") -> str:
    rows = [f"P{number};Produto {number};{price};{number % 7}" for number in range(lines)]
    rows[-2:] = ["P0;Outra vez;1;1", "X;Ruim;-1;1"]
    return "\n".join(["código;nome;preço;estoque", *rows])


async def begun(person: Person, store_id: str, content: str, **params: str) -> str:
    """Send a file that a job imports, and return the id of the import."""
    response = await send(person, store_id, content, params=params)
    assert response.status_code == 202, response.text
    assert response.json().keys() == {"import_id"}
    return str(response.json()["import_id"])


async def run(resources: Resources, import_id: str) -> None:
    """Do what the job does, without other jobs of the queue."""
    await jobs.run(resources, {"import_id": import_id})


async def rows_of(person: Person, import_id: str, **params: Any) -> list[Any]:
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await person.get(f"/v1/imports/{import_id}", limit=200, **params, **cursor)
        found += page["rows"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def kept_values(resources: Resources, import_id: str) -> int:
    statement = (
        "SELECT count(*) FROM vek1_api.import_rows"
        " WHERE import_id = $1 AND values IS NOT NULL"
    )
    async with resources.database.driver() as driver:
        return int(await driver.fetchval(statement, UUID(import_id)))


async def test_large_file_waits_for_its_job_and_shows_its_progress(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()

    import_id = await begun(ana, store["id"], catalogue())

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    rows, cursor = shown.pop("rows"), shown.pop("next_cursor")
    assert (rows, cursor) == ([{"row": 1, "status": "pending"}], "1")
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": import_id,
        "store_id": store["id"],
        "kind": "products",
        "dry_run": False,
        "status": "pending",
        "total_rows": LINE_COUNT,
        "done_rows": 2,
        "summary": NOTHING | {"error": 2},
        "finished_at": None,
    }
    assert await products(ana, store["id"]) == []
    assert await count_jobs(resources, "queued", "imports.run") >= 1


async def test_job_imports_every_row_and_keeps_only_verdicts(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())

    await run(resources, import_id)

    shown = await ana.get(f"/v1/imports/{import_id}")
    assert shown["status"] == "done"
    assert shown["done_rows"] == LINE_COUNT
    assert shown["summary"] == NOTHING | {"created": LINE_COUNT - 2, "error": 2}
    assert shown["finished_at"] >= shown["created_at"]
    rows = await rows_of(ana, import_id)
    assert [row["row"] for row in rows] == list(range(1, LINE_COUNT + 1))
    found = {each["id"]: each for each in await products(ana, store["id"])}
    assert len(found) == LINE_COUNT - 2
    named = [found[row["product_id"]]["name"] for row in rows[:-2]]
    assert named == [f"Produto {number}" for number in range(LINE_COUNT - 2)]
    assert await kept_values(resources, import_id) == 0


async def test_rows_of_an_import_are_filtered_by_their_verdict(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())
    await run(resources, import_id)

    errors = await rows_of(ana, import_id, status="error")

    assert [(row["row"], row["errors"][0]["code"]) for row in errors] == [
        (LINE_COUNT - 1, "duplicate"),
        (LINE_COUNT, "greater_than_equal"),
    ]
    assert await rows_of(ana, import_id, status="updated") == []


async def test_large_dry_run_tells_what_the_import_then_does(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    await run_import(ana, store["id"], "sku,name,price\nP1,Produto 1,1\n")
    before = await products(ana, store["id"])
    dry = await begun(ana, store["id"], catalogue(), dry_run="true")

    await run(resources, dry)

    shown = await ana.get(f"/v1/imports/{dry}")
    assert (shown["status"], shown["dry_run"]) == ("done", True)
    expected = {"created": LINE_COUNT - 3, "updated": 1, "unchanged": 0, "error": 2}
    assert shown["summary"] == expected
    assert await products(ana, store["id"]) == before
    assert len(await ana.audit(action="products.imported")) == 1
    real = await begun(ana, store["id"], catalogue())
    await run(resources, real)
    assert (await ana.get(f"/v1/imports/{real}"))["summary"] == expected


async def test_audit_entry_names_who_asked(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())

    await run(resources, import_id)

    [entry] = await ana.audit(action="products.imported")
    assert entry["actor_user_id"] == ana.user_id
    assert (entry["target_id"], entry["store_id"]) == (import_id, store["id"])
    assert entry["meta"]["summary"]["created"] == LINE_COUNT - 2


async def test_run_that_is_killed_between_batches_is_taken_up_where_it_was(
    ana: Person, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 500)
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())
    first = await running._step(resources.database, UUID(import_id), 0)  # noqa: SLF001

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert (first, shown["status"], shown["done_rows"]) == (500, "running", 502)
    assert len(await products(ana, store["id"])) == 500

    await run(resources, import_id)
    await run(resources, import_id)

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert shown["summary"] == NOTHING | {"created": LINE_COUNT - 2, "error": 2}
    assert len(await products(ana, store["id"])) == LINE_COUNT - 2
    assert len(await ana.audit(action="products.imported")) == 1


async def test_two_runs_at_once_do_each_row_once(
    ana: Person, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 100)
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())

    await asyncio.gather(*(run(resources, import_id) for _ in range(3)))

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert shown["done_rows"] == LINE_COUNT
    assert shown["summary"] == NOTHING | {"created": LINE_COUNT - 2, "error": 2}
    assert len(await ana.audit(action="products.imported")) == 1


async def test_import_into_a_store_that_is_closed_meanwhile_fails(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())
    await ana.delete(f"/v1/stores/{store['id']}")

    await run(resources, import_id)

    async with resources.database.driver() as driver:
        status = await driver.fetchval(
            "SELECT status FROM vek1_api.imports WHERE id = $1", UUID(import_id)
        )
    assert status == "failed"
    assert await kept_values(resources, import_id) == 0
    assert (await ana.request("GET", f"/v1/imports/{import_id}")).status_code == 404


async def test_import_that_cannot_go_on_says_so_and_its_job_is_held(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())
    async with resources.database.driver() as driver:
        # What no reader would have let through.
        await driver.execute(
            "UPDATE vek1_api.import_rows SET values = values || $2 WHERE import_id = $1"
            " AND row = 5",
            UUID(import_id),
            '["no row"]',
        )

    with pytest.raises(PermanentJobError):
        await run(resources, import_id)

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert (shown["status"], shown["done_rows"]) == ("failed", 2)
    assert await products(ana, store["id"]) == []
    assert await kept_values(resources, import_id) == 0


async def test_same_key_begins_one_import(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    headers = {"Idempotency-Key": f"large-{uuid4()}"}

    first = await send(ana, store["id"], catalogue(), headers=headers)
    second = await send(ana, store["id"], catalogue(), headers=headers)

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    async with resources.database.driver() as driver:
        count = await driver.fetchval(
            "SELECT count(*) FROM vek1_api.imports WHERE store_id = $1", UUID(store["id"])
        )
    assert count == 1


async def test_file_that_is_refused_leaves_no_import(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()

    response = await send(ana, store["id"], catalogue() + '\n"aberto;1;1;1')

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "malformed_csv"
    async with resources.database.driver() as driver:
        count = await driver.fetchval(
            "SELECT count(*) FROM vek1_api.imports WHERE store_id = $1", UUID(store["id"])
        )
    assert count == 0


async def test_import_of_another_company_is_not_found(ana: Person, bruno: Person) -> None:
    store = await bruno.open_store()
    import_id = await begun(bruno, store["id"], catalogue())

    foreign = await ana.request("GET", f"/v1/imports/{import_id}")
    unknown = await ana.request("GET", f"/v1/imports/{uuid4()}")

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["detail"] == unknown.json()["detail"]


async def test_cursor_that_is_none_is_refused(ana: Person) -> None:
    store = await ana.open_store()
    import_id = await begun(ana, store["id"], catalogue())

    response = await ana.request("GET", f"/v1/imports/{import_id}?cursor=x")

    assert response.status_code == 422


async def test_imports_that_ended_a_week_ago_are_forgotten(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    old, new = [await begun(ana, store["id"], catalogue()) for _ in range(2)]
    for import_id in (old, new):
        await run(resources, import_id)
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.imports SET finished_at = $2 WHERE id = $1",
            UUID(old),
            clock.now() - timedelta(days=7, minutes=1),
        )

    await jobs.forget(resources)

    assert (await ana.request("GET", f"/v1/imports/{old}")).status_code == 404
    assert (await ana.get(f"/v1/imports/{new}"))["status"] == "done"
    async with resources.database.driver() as driver:
        left = await driver.fetchval(
            "SELECT count(*) FROM vek1_api.import_rows WHERE import_id = $1", UUID(old)
        )
    assert left == 0


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_twenty_thousand_rows_are_imported_by_the_job_and_come_back_unchanged(
    ana: Person, resources: Resources
) -> None:
    """Slow: 20,000 products, each with its document, twice."""
    store = await ana.open_store()
    async with resources.database.driver() as driver:
        await driver.execute("DELETE FROM vek1_api.pgqueuer")  # Of the tests before.
    import_id = await begun(ana, store["id"], catalogue(20_000))
    await run(resources, import_id)

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert shown["summary"] == NOTHING | {"created": 19_998, "error": 2}
    again = await begun(ana, store["id"], await export(ana, store["id"]))
    await run(resources, again)
    shown = await ana.get(f"/v1/imports/{again}", limit=1)
    assert shown["summary"] == NOTHING | {"unchanged": 19_998}
