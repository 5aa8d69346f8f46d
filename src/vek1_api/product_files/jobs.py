"""The jobs of product files."""

from datetime import timedelta
from uuid import UUID

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.files import service as files
from vek1_api.product_files import queries, service, texts

FORM_GRACE = timedelta(minutes=5)
"""What began before a form expired may still be on its way, and then be completed."""

FORGOTTEN_AFTER = timedelta(hours=1)
BATCH = 200


@jobs.handles(service.READING, concurrency=2)
async def extract(resources: Resources, payload: jobs.Payload) -> None:
    """Read the text of a file."""
    await texts.extract(resources, UUID(payload["file_id"]))


@jobs.handles("files.lost")
async def fail_lost(resources: Resources, payload: jobs.Payload) -> None:
    """Mark the files whose objects are missing from the bucket."""
    async with resources.database.transaction() as tx:
        await queries.fail_lost(tx, payload["keys"])


@jobs.periodic("product_files.sweep", "*/5 * * * *")
async def sweep(resources: Resources) -> None:
    """Give up the uploads that were never completed: their room is free again."""
    async with resources.database.transaction() as tx:
        keys = await queries.sweep_staged(tx, clock.now() - FORM_GRACE, BATCH)
        if keys:
            await files.discard(tx, keys)


@jobs.periodic("product_files.resume", "41 * * * *")
async def resume(resources: Resources) -> None:
    """Read what the front end wrote itself, and what has waited for too long."""
    async with resources.database.transaction() as tx:
        for file_id in await queries.waiting(tx, clock.now() - FORGOTTEN_AFTER, BATCH):
            await service.enqueue_reading(tx, file_id)
