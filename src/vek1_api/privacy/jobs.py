"""The jobs of privacy."""

from uuid import UUID

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.privacy import queries, retention, service


@jobs.handles(service.RETAIN, concurrency=1)
async def retain_store(resources: Resources, payload: jobs.Payload) -> None:
    """Remove what a store keeps no longer; a second run goes on where the first was."""
    await retention.retain(resources.database, UUID(payload["store_id"]))


@jobs.periodic("privacy.retain", "40 5 * * *")
async def retain(resources: Resources) -> None:
    """Have every store's periods applied: at night in Brazil, one store at a time."""
    async with resources.database.transaction() as tx:
        for store_id in await queries.with_periods(tx):
            await service.enqueue(tx, store_id)
