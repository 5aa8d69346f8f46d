"""The jobs of the inbox."""

from datetime import timedelta

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.inbox import queries

KEPT_FOR = timedelta(days=90)
BATCH = 1_000


@jobs.periodic("inbox.forget", "20 6 * * *")
async def forget(resources: Resources) -> None:
    """Delete old webhooks that were handled: at night in Brazil, a batch at a time."""
    before = clock.now() - KEPT_FOR
    gone = BATCH
    while gone == BATCH:
        async with resources.database.transaction() as tx:
            gone = await queries.forget(tx, before, BATCH)
