"""Effects outside the database: rows of a queue, added by the transaction that causes them.

The queue is PgQueuer's, in our own schema. A job carries ids only and may run twice. It is
retried with backoff when it raises, and held for a person when it keeps failing. The id of the
request that enqueued it goes along.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.ports.driver import Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core import context
from vek1_api.core.db import SCHEMA, driver_of

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
    request_id = context.request_id.get()
    await queries_of(AsyncpgDriver(await driver_of(tx))).enqueue(
        name,
        orjson.dumps(payload or {}),
        priority,
        after,
        once,
        {"request_id": request_id} if request_id else None,
        on_conflict=_ON_CONFLICT,
    )


_ON_CONFLICT: Literal["skip"] = "skip"


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
