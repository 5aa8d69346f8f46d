"""How long a store keeps people's data, and applying that now."""

from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of, to_json
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.privacy import queries
from vek1_api.privacy.retention import cutoff
from vek1_api.privacy.schemas import PrivacyReplace
from vek1_api.stores.errors import StoreNotFoundError

RETAIN = "privacy.retain_store"
"""The job that applies a store's periods."""


async def get(database: Database, access: Access, store_id: UUID) -> Json:
    """Return a store's periods, or raise ``StoreNotFoundError``."""
    async with database.driver() as driver:
        return await _read(driver, access, store_id)


async def replace(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: PrivacyReplace,
    *,
    if_match: IfMatch,
) -> Answer:
    """Set a store's periods."""
    before = await _lock(tx, access, store_id)
    if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, wanted.model_dump())
    if not values:
        return Answer(200, before)
    after = await queries.change(tx, store_id, values)
    await _log(
        tx, access, "store.privacy_updated", store_id, audit_service.changed(old, values)
    )
    return Answer(200, after)


async def run(
    tx: AsyncConnection, access: Access, store_id: UUID, *, is_dry_run: bool
) -> Answer:
    """Return how much is too old now; unless it is a dry run, a job removes it."""
    settings = orjson.loads(await _read(await driver_of(tx), access, store_id))
    before = {name: cutoff(days) for name, days in settings.items()}
    counts = {"messages": 0, "leads": 0}
    if (said_before := before["messages_days"]) is not None:
        counts["messages"] = await queries.count_messages(tx, store_id, said_before)
    if (silent_since := before["leads_days"]) is not None:
        counts["leads"] = await queries.count_silent(tx, store_id, silent_since)
    if is_dry_run:
        return Answer(200, to_json(counts), has_etag=False)
    await enqueue(tx, store_id)
    await _log(tx, access, "store.retention_requested", store_id, counts)
    return Answer(202, to_json(counts), has_etag=False)


async def enqueue(tx: AsyncConnection, store_id: UUID) -> None:
    """Have a store's periods applied; of two that wait one is enough."""
    payload = {"store_id": str(store_id)}
    await jobs.enqueue(tx, RETAIN, payload, once=f"{RETAIN}:{store_id}")


async def _read(driver: Driver, access: Access, store_id: UUID) -> Json:
    row = await queries.SETTINGS.row(driver, store_id=store_id, **access.owner)
    if row is None:
        raise StoreNotFoundError(store_id)
    return str(row["body"])


async def _lock(tx: AsyncConnection, access: Access, store_id: UUID) -> Json:
    body = await queries.lock(tx, access, store_id)
    if body is None:
        raise StoreNotFoundError(store_id)
    return body


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    store_id: UUID,
    meta: audit_service.Meta,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "store", store_id, store_id=store_id, meta=meta
    )
