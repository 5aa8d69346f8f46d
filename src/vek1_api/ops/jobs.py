"""What operations do again and again."""

import structlog

from vek1_api.core import idempotency, jobs
from vek1_api.core.resources import Resources
from vek1_api.core.schema import heal_database
from vek1_api.opening import database_url

log = structlog.get_logger()


@jobs.periodic("ops.heal", "* * * * *")
async def heal_schema(resources: Resources) -> None:
    """Put back the indexes, triggers and functions that a push of the front end removed."""

    def report(line: str) -> None:
        log.warning("schema_healed", step=line)

    await heal_database(database_url(resources.settings), report)


@jobs.periodic("ops.forget_idempotency_keys", "17 * * * *")
async def forget_idempotency_keys(resources: Resources) -> None:
    """Delete the keys that are older than a day."""
    async with resources.database.transaction() as tx:
        await idempotency.forget_old(tx)
