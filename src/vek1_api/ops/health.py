"""Is each part there, and if not, what to do."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from vek1_api.core.embedding import EmbeddingError
from vek1_api.core.resources import Resources
from vek1_api.core.schema import missing
from vek1_api.core.storage import StorageError
from vek1_api.ops import queries
from vek1_api.ops.schemas import Part, Ready

PATIENCE_SECONDS = 5
OLDEST_JOB_SECONDS = 300
"""A job that is due for longer means that no worker keeps up."""

_OK = Part(status="ok", detail=None)
_FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    SQLAlchemyError,
    StorageError,
    EmbeddingError,
    OSError,
    TimeoutError,
)


async def ready(resources: Resources) -> Ready:
    """Look at every part at once."""
    checks: dict[str, Callable[[Resources], Awaitable[Part]]] = {
        "database": _database,
        "migrations": _migrations,
        "critical_indexes": _indexes,
        "storage": _storage,
        "embedder": _embedder,
        "queue": _queue,
    }
    found = await asyncio.gather(
        *(_checked(partial(run, resources)) for run in checks.values())
    )
    parts = dict(zip(checks, found, strict=True))
    states = {part.status for part in parts.values()}
    overall = next(state for state in ("failed", "degraded", "ok") if state in states)
    return Ready(status=overall, parts=parts)


async def _checked(check: Callable[[], Awaitable[Part]]) -> Part:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check()
    except _FAILURES as error:
        return Part(status="failed", detail=f"{type(error).__name__}: not reachable")


async def _database(resources: Resources) -> Part:
    async with resources.database.driver() as driver:
        await driver.fetchval("SELECT 1")
    return _OK


async def _migrations(resources: Resources) -> Part:
    async with resources.database.driver() as driver:
        if await queries.is_migrated(driver):
            return _OK
    return Part(status="failed", detail="Run `vek1-api migrate`.")


async def _indexes(resources: Resources) -> Part:
    async with resources.database.driver() as driver:
        findings = await missing(driver)
    if not findings:
        return _OK
    names = ", ".join(finding.name for finding in findings)
    detail = f"{names}: the worker heals this within a minute; or `vek1-api doctor --fix`."
    return Part(status="degraded", detail=detail)


async def _storage(resources: Resources) -> Part:
    if await resources.bucket.healthy():
        return _OK
    return Part(status="failed", detail="The object store or its bucket does not answer.")


async def _embedder(resources: Resources) -> Part:
    await resources.embedder.ready()
    return _OK


async def _queue(resources: Resources) -> Part:
    async with resources.database.driver() as driver:
        state = await queries.queue_state(driver)
    if state.oldest_seconds > OLDEST_JOB_SECONDS:
        detail = (
            f"The oldest due job waits for {state.oldest_seconds:.0f} s; start a worker."
        )
        return Part(status="degraded", detail=detail)
    if state.held:
        detail = f"{state.held} jobs failed for good and are held; see /ops/jobs."
        return Part(status="degraded", detail=detail)
    return _OK
