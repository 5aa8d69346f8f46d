"""Working through a large import: a batch of rows, its verdicts and its progress at a time.

Each batch is one transaction that holds the import's row, so two runs never do the same rows,
and a run that was killed is taken up after the last batch that it finished.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.core.db import Database, driver_of
from vek1_api.core.errors import NotFoundError
from vek1_api.core.jobs import PermanentJobError
from vek1_api.imports import queries, service
from vek1_api.imports.importers import Importer, importer_of
from vek1_api.imports.judging import Row, Verdict
from vek1_api.imports.limits import BATCH_ROWS
from vek1_api.imports.sieving import UNSTORABLE, refuse, unstorable
from vek1_api.imports.status import ImportStatus

_PASSING = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,
    LookupError,
    OSError,
    TimeoutError,
)
"""What is over when the job is tried again; a worker of another release may know the kind."""


@dataclass(frozen=True, slots=True)
class _Work:
    """An import that this run holds."""

    import_id: UUID
    importer: Importer
    access: Access
    store_id: UUID
    is_dry_run: bool
    done_rows: int
    summary: service.Summary


async def run(database: Database, import_id: UUID) -> None:
    """Do what is left of an import; one that is finished stays as it is.

    An import whose store is gone is ``failed``, and so is one that cannot go on by a fault of
    ours, whose job is held; what was done stays done.
    """
    after = 0
    try:
        while (reached := await _step(database, import_id, after)) is not None:
            after = reached
    except _PASSING:
        raise
    except NotFoundError:
        await _give_up(database, import_id)
    except Exception as error:
        await _give_up(database, import_id)
        message = f"import {import_id} cannot go on"
        raise PermanentJobError(message) from error


async def _give_up(database: Database, import_id: UUID) -> None:
    async with database.transaction() as tx:
        await queries.give_up(tx, import_id)


async def _step(database: Database, import_id: UUID, after: int) -> int | None:
    """Do the next batch and return its last row; none when there is no more."""
    try:
        return await _do(database, import_id, after)
    except UNSTORABLE:
        refused = await _unstorable(database, import_id, after)
        return await _do(database, import_id, after, refused)


async def _unstorable(database: Database, import_id: UUID, after: int) -> set[int]:
    """Return the rows of the next batch that the database cannot hold."""
    async with database.transaction() as tx:
        work = await _lock(tx, import_id)
        rows = await _next_rows(tx, import_id, after)
    if work is None:
        return set()
    trial = partial(service.rehearse, database, work.access, work.importer, work.store_id)
    return {row.number for row in await unstorable(rows, trial)}


async def _do(
    database: Database, import_id: UUID, after: int, refused: Collection[int] = ()
) -> int | None:
    async with database.transaction() as tx:
        work = await _lock(tx, import_id)
        if work is None:
            return None
        rows = await _next_rows(tx, import_id, after)
        for row in rows:
            if row.number in refused:
                refuse(row)
        verdicts = await _verdicts(database, tx, work, rows) if rows else []
        is_last = len(rows) < BATCH_ROWS
        await _settle(tx, work, verdicts, is_last=is_last)
        return None if is_last else rows[-1].number


async def _lock(tx: AsyncConnection, import_id: UUID) -> _Work | None:
    row = await queries.LOCK.row(await driver_of(tx), import_id=import_id)
    if row is None:
        return None
    return _Work(
        import_id=import_id,
        importer=importer_of(row["kind"]),
        access=accesses.system(row["company_id"], row["actor_user_id"]),
        store_id=row["store_id"],
        is_dry_run=row["dry_run"],
        done_rows=row["done_rows"],
        summary=orjson.loads(row["summary"]),
    )


async def _next_rows(tx: AsyncConnection, import_id: UUID, after: int) -> list[Row]:
    rows = await queries.WAITING.rows(
        await driver_of(tx), import_id=import_id, after=after, row_limit=BATCH_ROWS
    )
    return [Row(row["row"], orjson.loads(row["values"])) for row in rows]


async def _verdicts(
    database: Database, tx: AsyncConnection, work: _Work, rows: list[Row]
) -> list[Verdict]:
    if work.is_dry_run:
        return await service.rehearse(
            database, work.access, work.importer, work.store_id, rows
        )
    return await service.decide(
        tx, work.access, work.importer, work.store_id, work.import_id, rows
    )


async def _settle(
    tx: AsyncConnection, work: _Work, verdicts: list[Verdict], *, is_last: bool
) -> None:
    driver = await driver_of(tx)
    summary = service.summed(work.summary, verdicts)
    recorded: list[dict[str, Any]] = list(service.recorded(verdicts))
    if recorded:
        rows = [each["row"] for each in recorded]
        await queries.SETTLE.rows(
            driver,
            import_id=work.import_id,
            verdicts=recorded,
            first=min(rows),
            last=max(rows),
        )
    await queries.PROGRESS.rows(
        driver,
        import_id=work.import_id,
        status=ImportStatus.DONE if is_last else ImportStatus.RUNNING,
        done_rows=work.done_rows + len(verdicts),
        summary=summary,
    )
    if is_last and not work.is_dry_run:
        await service.log(
            tx, work.access, work.importer, work.store_id, work.import_id, summary
        )
