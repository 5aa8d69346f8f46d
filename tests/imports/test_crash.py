"""A process that is killed in the middle of an import: nothing is lost, nothing is done twice."""

import asyncio
import sys
from uuid import UUID

import pytest

from tests.imports.files import products, send
from tests.jobs.running import until
from tests.people import Person
from vek1_api.core.resources import Resources
from vek1_api.imports import jobs

ROWS = 1_500
PROGRAM = """
import asyncio, sys
from uuid import UUID
from vek1_api.core.db import Database
from vek1_api.imports import running
from vek1_api.products import import_rows

running.BATCH_ROWS = 50
asyncio.run(running.run(Database(sys.argv[1]), UUID(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_import_of_a_killed_process_is_finished_by_another_run(
    ana: Person, resources: Resources, database_url: str
) -> None:
    """Slow: a process of its own starts."""
    store = await ana.open_store()
    lines = [f"K{number};Produto {number};1;{number % 5 + 1}" for number in range(ROWS)]
    content = "\n".join(["sku;nome;preço;estoque", *lines])
    sent = await send(ana, store["id"], content)
    import_id = sent.json()["import_id"]

    async def has_begun() -> bool:
        shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
        return bool(shown["done_rows"])

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, database_url, import_id
    )
    try:
        await until(has_begun, seconds=40)
    finally:
        process.kill()
        await process.wait()
    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert shown["status"] == "running"
    assert 0 < shown["done_rows"] < ROWS

    await jobs.run(resources, {"import_id": import_id})

    shown = await ana.get(f"/v1/imports/{import_id}", limit=1)
    assert (shown["status"], shown["done_rows"]) == ("done", ROWS)
    assert shown["summary"] == {"created": ROWS, "updated": 0, "unchanged": 0, "error": 0}
    assert len(await products(ana, store["id"])) == ROWS
    async with resources.database.driver() as driver:
        moved = await driver.fetchval(
            "SELECT sum(delta) = (SELECT sum(stock) FROM products WHERE store_id = $1)"
            " FROM stock_movements WHERE store_id = $1",
            UUID(store["id"]),
        )
    assert moved is True
    assert len(await ana.audit(action="products.imported")) == 1
