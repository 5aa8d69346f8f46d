"""How long it is remembered what an ERP sent."""

from datetime import timedelta

from vek1_api.core import clock
from vek1_api.core.db import Database
from vek1_api.stock import queries

KEYS_KEPT_FOR = timedelta(days=400)
"""So long an ``external_id`` has one effect: beyond any ERP's retries, and a yearly inventory."""

BATCH = 5_000


async def forget(database: Database) -> None:
    """Delete old ids of changes, a batch at a time, and dry runs that nobody applied."""
    now = clock.now()
    async with database.transaction() as tx:
        await queries.forget_plans(tx, now - queries.PLANS_LIVE)
    while True:
        async with database.transaction() as tx:
            if await queries.forget_keys(tx, now - KEYS_KEPT_FOR, BATCH) < BATCH:
                return
