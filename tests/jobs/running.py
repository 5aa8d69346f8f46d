"""Running jobs in a test: all that is due, or a worker for as long as a block lasts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.types import QueueExecutionMode

from vek1_api import worker
from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect

LOOK_SECONDS = 0.02
DEQUEUE_TIMEOUT = timedelta(seconds=0.05)
"""A retry may be queued just after the queue was seen empty, and nobody is told of it."""


async def drain(resources: Resources, database_url: str) -> None:
    """Run every job that waits, retries included, with these resources."""
    connection = await connect(database_url)
    try:
        driver = AsyncpgDriver(connection)
        queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))
        worker.register(queuer, resources)
        await queuer.qm.run(
            dequeue_timeout=DEQUEUE_TIMEOUT, mode=QueueExecutionMode.drain, batch_size=5
        )
    finally:
        await connection.close()


@asynccontextmanager
async def working(resources: Resources, database_url: str) -> AsyncGenerator[None]:
    """Run a whole worker in this loop during the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(resources, database_url=database_url, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], Awaitable[object]], *, seconds: float = 8) -> None:
    """Return when ``holds`` does; give up after so many seconds."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - Another process sets no event of ours.
            await asyncio.sleep(LOOK_SECONDS)


async def count_jobs(
    resources: Resources,
    status: str = "queued",
    name: str | None = None,
    *,
    about: str = "",
) -> int:
    """Return how many jobs have a status, of one kind or of all, and name an id."""
    statement = (
        "SELECT count(*) FROM vek1_api.pgqueuer"
        " WHERE status::text = $1 AND entrypoint = coalesce($2, entrypoint)"
        " AND convert_from(payload, 'UTF8') LIKE '%' || $3 || '%'"
    )
    async with resources.database.driver() as driver:
        return int(await driver.fetchval(statement, status, name, about))


async def forget_jobs(resources: Resources) -> None:
    """Empty the queue, of held jobs too, for the tests that come after."""
    async with resources.database.driver() as driver:
        await driver.execute("DELETE FROM vek1_api.pgqueuer")
