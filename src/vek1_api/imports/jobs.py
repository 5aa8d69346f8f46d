"""The jobs of imports."""

from datetime import timedelta
from uuid import UUID

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.imports import queries, running, service

KEPT_FOR = timedelta(days=7)
BATCH = 20


@jobs.handles(service.RUN, concurrency=2)
async def run(resources: Resources, payload: jobs.Payload) -> None:
    """Work through the rows of an import; a second run goes on where the first was."""
    await running.run(resources.database, UUID(payload["import_id"]))


@jobs.periodic("imports.forget", "20 * * * *")
async def forget(resources: Resources) -> None:
    """Remove the imports that ended a week ago, one at a time: they have many rows."""
    before = clock.now() - KEPT_FOR
    async with resources.database.read() as connection:
        ended = await queries.finished_before(connection, before, BATCH)
    for import_id in ended:
        async with resources.database.transaction() as tx:
            await queries.remove(tx, import_id)
