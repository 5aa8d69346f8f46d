"""The statements of stores."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import OWNER
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, json_object, row_object
from vek1_api.stores.models import Store, StoreSlug
from vek1_api.stores.schemas import StoreRead
from vek1_api.stores.status import StoreStatus

BYTES_OF_GIGABYTE = 2**30

STORE = row_object(Store, StoreRead)

_REACHABLE = (Store.company_id == OWNER, Store.status != StoreStatus.DELETED)
_THIS = (*_REACHABLE, Store.id == bindparam("store_id", type_=Uuid))
_ALLOWED = cast(Store.allocated_size_gb, BigInteger) * BYTES_OF_GIGABYTE

GET = HotStatement(select(STORE).where(*_THIS))

PAGE = PageQuery(
    select(STORE).where(*_REACHABLE),
    at=Store.created_at,
    row_id=Store.id,
    filters={"status": Store.status == bindparam("status", type_=Text)},
)


def _count(name: str) -> Any:
    rows = table(name, column("store_id", Uuid))
    return (
        select(func.count())
        .select_from(rows)
        .where(rows.c.store_id == Store.id)
        .scalar_subquery()
    )


_COUNTS = {
    "agents": _count("agents"),
    "documents": _count("documents"),
    "products": _count("products"),
    "leads": _count("leads"),
    "messages": _count("messages_history"),
    "orders": _count("orders"),
}
_STORAGE = table(
    "store_storage",
    column("store_id", Uuid),
    column("used_bytes", BigInteger),
    schema="vek1_api",
)
_USED = func.coalesce(
    select(_STORAGE.c.used_bytes).where(_STORAGE.c.store_id == Store.id).scalar_subquery(),
    0,
)

USAGE = HotStatement(
    select(
        json_object(
            {
                "used_bytes": _USED,
                "allowed_bytes": _ALLOWED,
                "counts": func.json_build_object(
                    *(part for name, count in _COUNTS.items() for part in (name, count))
                ),
            }
        )
    ).where(*_THIS)
)
"""Counts only, over tables that belong to higher domains; none of their rows is read."""


async def company_exists(tx: AsyncConnection, access: Access) -> bool:
    """Return whether the actor has a company, and keep it until the transaction ends."""
    companies = table("company_profiles", column("id", Text))
    statement = select(companies.c.id).where(companies.c.id == OWNER)
    return (
        await tx.scalar(statement.with_for_update(read=True, key_share=True), access.owner)
        is not None
    )


async def lock(tx: AsyncConnection, access: Access, store_id: UUID) -> Json | None:
    """Return the store as JSON, locked against other changes."""
    statement = select(STORE).where(*_THIS).with_for_update(key_share=True)
    body: Json | None = await tx.scalar(statement, access.owner | {"store_id": store_id})
    return body


async def add(tx: AsyncConnection, values: dict[str, Any]) -> Json:
    """Add a store and return it."""
    return str(await tx.scalar(insert(Store).values(**values).returning(STORE)))


async def change(
    tx: AsyncConnection, access: Access, store_id: UUID, values: dict[str, Any]
) -> Json:
    """Change a store and return it."""
    statement = update(Store).where(*_THIS).values(**values).returning(STORE)
    return str(await tx.scalar(statement, access.owner | {"store_id": store_id}))


async def claim_slug(
    tx: AsyncConnection, access: Access, store_id: UUID, slug: str
) -> bool:
    """Take a slug for the store if it is free or its own; waits for whoever is taking it."""
    key = {"company_id": access.company_id, "slug": slug}
    statement = upsert(StoreSlug).values(**key, store_id=store_id)
    await tx.execute(statement.on_conflict_do_nothing())
    return await tx.scalar(select(StoreSlug.store_id).filter_by(**key)) == store_id


async def free_slugs(
    tx: AsyncConnection, access: Access, store_id: UUID, *, but: str | None = None
) -> None:
    """Give back the slugs of the store."""
    mine = (StoreSlug.company_id == access.company_id, StoreSlug.store_id == store_id)
    await tx.execute(delete(StoreSlug).where(*mine, StoreSlug.slug.is_distinct_from(but)))
