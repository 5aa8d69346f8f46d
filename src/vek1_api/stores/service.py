"""Opening, changing and closing stores; their room."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.companies.errors import CompanyNotFoundError
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.slugs import candidates, slug_of
from vek1_api.stores import queries
from vek1_api.stores.errors import StoreNotFoundError, StoreSlugTakenError
from vek1_api.stores.schemas import StoreCreate, StoreFilters, StoreUpdate
from vek1_api.stores.status import StoreStatus


async def page(database: Database, access: Access, filters: StoreFilters) -> bytes:
    """Return a page of the company's stores, newest first."""
    async with database.driver() as driver:
        return await queries.PAGE.fetch(driver, filters, **access.owner)


async def get(database: Database, access: Access, store_id: UUID) -> Json:
    """Return a store, or raise ``StoreNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(driver, store_id=store_id, **access.owner)
    if row is None:
        raise StoreNotFoundError(store_id)
    return str(row["body"])


async def usage(database: Database, access: Access, store_id: UUID) -> Json:
    """Return how much of a store's room is used, and by how many rows."""
    async with database.driver() as driver:
        row = await queries.USAGE.row(driver, store_id=store_id, **access.owner)
    if row is None:
        raise StoreNotFoundError(store_id)
    return str(row["body"])


async def create(tx: AsyncConnection, access: Access, wanted: StoreCreate) -> Answer:
    """Open a store, under the slug that was asked for or one made from its name."""
    if not await queries.company_exists(tx, access):
        raise CompanyNotFoundError
    store_id = uuid4()
    base = slug_of(wanted.name, fallback="loja")
    slug = await _claim(
        tx, access, store_id, [wanted.slug] if wanted.slug else candidates(base)
    )
    values = wanted.model_dump() | {
        "id": store_id,
        "company_id": access.company_id,
        "slug": slug,
    }
    body = await queries.add(tx, values)
    await _log(tx, access, "store.created", store_id)
    return Answer(201, body)


async def update(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: StoreUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent."""
    before = await _lock(tx, access, store_id)
    if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, wanted.changes())
    if not values:
        return Answer(200, before)
    if "slug" in values:
        await _claim(tx, access, store_id, [values["slug"]])
        await queries.free_slugs(tx, access, store_id, but=values["slug"])
    after = await queries.change(tx, access, store_id, values)
    meta = audit_service.changed(old, values)
    await _log(tx, access, "store.updated", store_id, meta)
    return Answer(200, after)


async def delete(
    tx: AsyncConnection, access: Access, store_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Close a store for good: it and everything below it is out of reach at once."""
    if_match.check(await _lock(tx, access, store_id))
    await queries.change(tx, access, store_id, {"status": StoreStatus.DELETED})
    await queries.free_slugs(tx, access, store_id)
    await _log(tx, access, "store.deleted", store_id)
    return Answer(204)


async def _lock(tx: AsyncConnection, access: Access, store_id: UUID) -> Json:
    body = await queries.lock(tx, access, store_id)
    if body is None:
        raise StoreNotFoundError(store_id)
    return body


async def _claim(
    tx: AsyncConnection, access: Access, store_id: UUID, choice: Iterable[str]
) -> str:
    for slug in choice:
        if await queries.claim_slug(tx, access, store_id, slug):
            return slug
    raise StoreSlugTakenError(slug)


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    store_id: UUID,
    meta: dict[str, Any] | None = None,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "store", store_id, store_id=store_id, meta=meta
    )
