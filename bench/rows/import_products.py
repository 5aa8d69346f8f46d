"""``import``: a new catalogue as CSV, by HTTP and its job, against raw COPY and SQL.

The floor has the values ready, writes them into a staging table by COPY, and from there into
``products`` in batches as the service does (one statement for all of them is slower). Both set
off the same triggers: ledger, search words, generated documents. No other job runs.
"""

import time
from datetime import timedelta
from statistics import median
from typing import NamedTuple
from uuid import UUID

import asyncpg
import httpx
import orjson
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.domain.models import Job
from pgqueuer.types import QueueExecutionMode

from bench.report import Section
from bench.run import Bench
from bench.shops import Shop, open_shops
from bench.world import World
from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.domains import routers
from vek1_api.imports import jobs as import_jobs
from vek1_api.imports.service import RUN
from vek1_api.opening import open_resources

COLUMNS = ("row", "service, rows/s", "floor, rows/s", "ratio", "target")
TARGET = 0.30
ROWS, QUICK_ROWS = 20_000, 5_000
ROUNDS, QUICK_ROUNDS = 3, 2
BATCH = 1_000
PATIENCE_SECONDS = 120
LOOK = timedelta(seconds=0.05)

_STAGE = """
    CREATE TABLE IF NOT EXISTS vek1_api.bench_staging (
        number int PRIMARY KEY, key text, name text, description text,
        price float8, stock int, custom_props jsonb
    );
    TRUNCATE vek1_api.bench_staging
"""
_INSERT = """
    INSERT INTO products (store_id, name, description, price, stock,
                          product_integration_id, custom_props)
    SELECT $1, name, description, price, stock, key, custom_props
    FROM vek1_api.bench_staging WHERE number >= $2 AND number < $2 + $3
"""


class Product(NamedTuple):
    """A row of the catalogue, as COPY takes it."""

    number: int
    key: str
    name: str
    description: str
    price: float
    stock: int
    custom_props: str


async def run(bench: Bench) -> list[Section]:
    """Import the same catalogue into new shops, by the service and by the floor in turns."""
    wanted = QUICK_ROWS if bench.is_quick else ROWS
    rounds = QUICK_ROUNDS if bench.is_quick else ROUNDS
    shops = await open_shops(bench.world, "import", 2 * rounds)
    catalogue = [_product(number) for number in range(wanted)]
    resources = open_resources(bench.world.settings)
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        turns = []
        for number in range(rounds):
            bench.say(f"import: round {number + 1} of {rounds}")
            mine, its = shops[2 * number : 2 * number + 2]
            service = await _service(bench.world, resources, connection, mine, catalogue)
            turns.append((service, await _floor(connection, its.store_id, catalogue)))
        await connection.execute("DROP TABLE vek1_api.bench_staging")
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
    finally:
        await connection.close()
        await resources.close()
    return [_section([(wanted / mine, wanted / its) for mine, its in turns], wanted)]


async def _service(
    world: World,
    resources: Resources,
    connection: asyncpg.Connection,
    shop: Shop,
    catalogue: list[Product],
) -> float:
    """Return the seconds from sending the file to its import being done."""
    content = _csv(catalogue)
    queuer = _importing(connection, resources)
    async with httpx.AsyncClient(
        base_url=world.app_url,
        headers=world.headers(shop.user_id),
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    ) as http:
        began = time.perf_counter()
        sent = await http.post(
            f"/v1/stores/{shop.store_id}/products/import",
            files={"file": ("catalogo.csv", content, "text/csv")},
        )
        sent.raise_for_status()
        await queuer.qm.run(mode=QueueExecutionMode.drain, dequeue_timeout=LOOK)
        elapsed = time.perf_counter() - began
        done = (await http.get(f"/v1/imports/{sent.json()['import_id']}")).json()
    assert done["status"] == "done", done
    assert done["summary"]["created"] == len(catalogue), done
    return elapsed


def _importing(connection: asyncpg.Connection, resources: Resources) -> PgQueuer:
    """Return a worker that runs imports and leaves every other job in the queue."""
    routers()  # Importing them makes the importers known.
    driver = AsyncpgDriver(connection)
    queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))

    @queuer.entrypoint(RUN)
    async def _run(job: Job) -> None:
        await import_jobs.run(resources, orjson.loads(job.payload or b"{}"))

    return queuer


async def _floor(
    connection: asyncpg.Connection, store_id: UUID, catalogue: list[Product]
) -> float:
    await connection.execute(_STAGE)
    began = time.perf_counter()
    await connection.copy_records_to_table(
        "bench_staging", schema_name="vek1_api", records=catalogue
    )
    for first in range(0, len(catalogue), BATCH):
        await connection.execute(_INSERT, store_id, first, BATCH)
    return time.perf_counter() - began


def _product(number: int) -> Product:
    return Product(
        number,
        f"CAF-{number:05}",
        f"Café Serra Azul, lote {number}, 500 g",
        "Torra média, notas de chocolate e caramelo; moagem na hora para coado ou espresso.",
        10 + number % 9_000 / 100,
        number % 90,
        '{"torra": "média", "peso": "500 g"}',
    )


def _csv(catalogue: list[Product]) -> bytes:
    lines = [
        f'{each.key};{each.name};"{each.description}";'
        + f"{each.price:.2f}".replace(".", ",")
        + f';{each.stock};"{each.custom_props.replace(chr(34), chr(34) * 2)}"'
        for each in catalogue
    ]
    header = "código;nome;descrição;preço;estoque;propriedades"
    return "\r\n".join([header, *lines]).encode()


def _section(rates: list[tuple[float, float]], rows: int) -> Section:
    ratios = [mine / its for mine, its in rates]
    ratio = median(ratios)
    row = (
        f"import {rows:,} products",
        _spread([mine for mine, _ in rates]),
        _spread([its for _, its in rates]),
        f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        f"≥ {TARGET:.2f}",
    )
    missed = [f"import: {ratio:.2f} of raw COPY and SQL, {TARGET:.2f} wanted."]
    note = (
        "Both from an empty shop; the service from the file that is sent to the end of its "
        "job, the floor from values in memory, by COPY and batches of SQL with the same "
        "triggers."
    )
    return Section("Import", COLUMNS, [row], note, missed if ratio < TARGET else [])


def _spread(rates: list[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
