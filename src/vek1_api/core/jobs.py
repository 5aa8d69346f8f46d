"""Effects outside the database: rows of a queue, added by the transaction that causes them.

The queue is PgQueuer's, in our own schema. A job carries ids only and may run twice. It is
retried with backoff when it raises, and held for a person when it keeps failing. The id of the
request that enqueued it goes along.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.ports.driver import Driver
from sqlalchemy import ColumnElement, Integer, Interval, Text, bindparam, func
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core import context
from vek1_api.core.db import SCHEMA, driver_of
from vek1_api.core.hot import HotStatement

if TYPE_CHECKING:
    from vek1_api.core.resources import Resources

Payload = dict[str, Any]
"""Ids and small values; never personal data, which erasure would have to look for here."""

Handler = Callable[["Resources", Payload], Awaitable[None]]
Tick = Callable[["Resources"], Awaitable[None]]


class PermanentJobError(Exception):
    """Trying again cannot help: the job is held at once."""


@dataclass(frozen=True, slots=True)
class Handled:
    """How a kind of job is run."""

    run: Handler
    max_attempts: int
    concurrency: int
    """Jobs of the kind that run at once, over all workers; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """What runs again and again, on one worker at a time."""

    run: Tick
    cron: str


HANDLERS: dict[str, Handled] = {}
PERIODIC: dict[str, Periodic] = {}


def handles(
    name: str, *, max_attempts: int = 8, concurrency: int = 0
) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job, named ``<domain>.<verb>``."""

    def register(run: Handler) -> Handler:
        assert name not in HANDLERS, f"{name} has two handlers"
        HANDLERS[name] = Handled(run, max_attempts, concurrency)
        return run

    return register


def periodic(name: str, cron: str) -> Callable[[Tick], Tick]:
    """Register what runs at the times of a cron expression (UTC)."""

    def register(run: Tick) -> Tick:
        assert name not in PERIODIC, f"{name} is scheduled twice"
        PERIODIC[name] = Periodic(run, cron)
        return run

    return register


def enqueuing(
    name: str, payload: Mapping[str, Any], *, once: ColumnElement[str] | None = None
) -> ColumnElement[int | None]:
    """Return ``enqueue`` as a column of a hot statement: a job for each of its rows.

    Values of ``payload`` are columns or constants. The statement binds ``**values()``. Of
    several rows fetch all: one that is not fetched may add no job.
    """
    members = [part for pair in payload.items() for part in pair]
    added: ColumnElement[int | None] = func.vek1_api.enqueue(
        name, func.json_build_object(*members), once, _REQUEST_ID
    )
    return added


def values() -> dict[str, str | None]:
    """Return what a statement with ``enqueuing`` binds: the request that causes the job."""
    return {"request_id": context.request_id.get()}


async def enqueue(
    tx: AsyncConnection,
    name: str,
    payload: Payload | None = None,
    *,
    after: timedelta | None = None,
    once: str | None = None,
    priority: int = 0,
) -> None:
    """Add a job in the caller's transaction; it exists only if that commits.

    With ``once``, a waiting or running job of the same ``once`` makes this one unneeded.
    """
    await _ENQUEUE.row(
        await driver_of(tx),
        name=name,
        payload=payload or {},
        once=once,
        after=after or timedelta(),
        priority=priority,
        **values(),
    )


_REQUEST_ID = bindparam("request_id", type_=Text)
_ENQUEUE = HotStatement(
    func.vek1_api.enqueue(
        bindparam("name", type_=Text),
        bindparam("payload", type_=JSON),
        bindparam("once", type_=Text),
        _REQUEST_ID,
        bindparam("after", type_=Interval),
        bindparam("priority", type_=Integer),
    ).select()
)


@lru_cache
def queue_settings() -> DBSettings:
    """Return where PgQueuer's objects live."""
    return DBSettings(db_schema=SCHEMA)


def queries_of(driver: Driver) -> Queries:
    """Return PgQueuer's operations on a connection."""
    settings = queue_settings()
    return Queries(
        driver,
        qbe=qb.QueryBuilderEnvironment(settings),
        qbq=qb.QueryQueueBuilder(settings),
        qbs=qb.QuerySchedulerBuilder(settings),
    )
