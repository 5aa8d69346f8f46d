"""Keeping people's data no longer than a store says: in small steps, each of which stands."""

from datetime import datetime, timedelta
from uuid import UUID

from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.db import Database, driver_of
from vek1_api.files import service as files
from vek1_api.privacy import erasing, queries

BATCH_MESSAGES = 1_000
BATCH_LEADS = 100


def cutoff(days: int | None) -> datetime | None:
    """Return the moment before which things are too old; none if they never are."""
    return None if days is None else clock.now() - timedelta(days=days)


async def retain(database: Database, store_id: UUID) -> None:
    """Erase who was silent too long and delete what was said too long ago.

    A run that was killed is taken up where it was: each person and each batch of messages is
    a transaction of its own, and what is gone is not found again.
    """
    async with database.read() as connection:
        periods = await queries.periods(connection, store_id)
    if periods is None:
        return
    access = accesses.system(periods.company_id)
    if before := cutoff(periods.leads_days):
        await _erase_silent(database, access, store_id, before)
    if before := cutoff(periods.messages_days):
        await _forget_messages(database, store_id, before)


async def _erase_silent(
    database: Database, access: Access, store_id: UUID, before: datetime
) -> None:
    while True:
        async with database.read() as connection:
            batch = await queries.silent(connection, store_id, before, BATCH_LEADS)
        for lead_id in batch:
            async with database.transaction() as tx:
                await queries.HOLD.row(await driver_of(tx), lead_id=lead_id)
                # They may have written since.
                if await queries.is_silent(tx, lead_id, before):
                    await erasing.forget(tx, access, lead_id, store_id)
        if len(batch) < BATCH_LEADS:
            return


async def _forget_messages(database: Database, store_id: UUID, before: datetime) -> None:
    said_before = before.replace(tzinfo=None)
    while True:
        async with database.transaction() as tx:
            row = await queries.FORGET_MESSAGES.row(
                await driver_of(tx),
                store_id=store_id,
                before=said_before,
                row_limit=BATCH_MESSAGES,
            )
            assert row is not None
            await files.discard(tx, row["objects"])
        if row["messages"] < BATCH_MESSAGES:
            return
