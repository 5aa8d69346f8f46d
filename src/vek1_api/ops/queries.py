"""What operations ask the database."""

from dataclasses import dataclass

from sqlalchemy import DateTime, Text, cast, column, func, select, table

from vek1_api.core.db import SCHEMA, Driver
from vek1_api.core.hot import HotStatement
from vek1_api.core.schema.migration import newest_revision

_JOBS = table(
    "pgqueuer", column("status", Text), column("execute_after", DateTime), schema=SCHEMA
)
_STATUS = cast(_JOBS.c.status, Text)
_WAITING = _STATUS == "queued"

_STATE = HotStatement(
    select(
        func.count().filter(_WAITING).label("queued"),
        func.count().filter(_STATUS == "picked").label("running"),
        func.count().filter(_STATUS == "failed").label("held"),
        func.coalesce(
            func.extract(
                "epoch", func.now() - func.min(_JOBS.c.execute_after).filter(_WAITING)
            ),
            0,
        ).label("oldest_seconds"),
    )
)

_REVISION = HotStatement(
    select(column("version_num", Text)).select_from(table("alembic_version", schema=SCHEMA))
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the job queue is doing."""

    queued: int
    running: int
    held: int
    oldest_seconds: float
    """How long the oldest job has been due; negative if none is."""


async def queue_state(driver: Driver) -> QueueState:
    """Return how the job queue is doing."""
    row = await _STATE.row(driver)
    assert row is not None
    return QueueState(
        row["queued"], row["running"], row["held"], float(row["oldest_seconds"])
    )


async def is_migrated(driver: Driver) -> bool:
    """Return whether the database is at the newest revision."""
    row = await _REVISION.row(driver)
    return row is not None and row["version_num"] == newest_revision()
