"""The statements of stored objects and quotas."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Integer,
    Update,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.files.models import ObjectState, StoredObject, StoreStorage

BYTES_OF_GIGABYTE = 2**30
LARGEST_INT4 = 2**31 - 1

_STORES = table("stores", column("id", Uuid), column("used_size_bytes", Integer))
_QUOTAS = table("stores", column("id", Uuid), column("allocated_size_gb", Integer)).alias(
    "quota"
)
_ALLOWED = cast(_QUOTAS.c.allocated_size_gb, BigInteger) * BYTES_OF_GIGABYTE


def _take_room() -> HotStatement:
    size = bindparam("size_bytes", type_=BigInteger)
    store = my_stores(bindparam("store_id", type_=Uuid)).add_columns(size)
    statement = upsert(StoreStorage).from_select(
        ["store_id", "used_bytes"],
        store.join(_QUOTAS, _QUOTAS.c.id == STORES.c.id).where(size <= _ALLOWED),
    )
    used = StoreStorage.used_bytes + statement.excluded.used_bytes
    its_quota = _QUOTAS.c.id == literal_column("excluded.store_id")
    allowed = select(_ALLOWED).where(its_quota).scalar_subquery()
    counted = (
        statement.on_conflict_do_update(
            index_elements=[StoreStorage.store_id],
            set_={"used_bytes": used},
            where=used <= allowed,
        )
        .returning(StoreStorage.store_id, StoreStorage.used_bytes)
        .cte("counted")
    )
    return HotStatement(_shown(counted))


def _give_room_back() -> HotStatement:
    less = StoreStorage.used_bytes - bindparam("size_bytes", type_=BigInteger)
    counted = (
        update(StoreStorage)
        .where(StoreStorage.store_id == bindparam("store_id", type_=Uuid))
        .values(used_bytes=func.greatest(less, 0))
        .returning(StoreStorage.store_id, StoreStorage.used_bytes)
        .cte("counted")
    )
    return HotStatement(_shown(counted))


def _shown(counted: CTE) -> Update:
    """Show the count in the store's own column, an int4: at most what that can hold."""
    return (
        update(_STORES)
        .where(_STORES.c.id == counted.c.store_id)
        .values(used_size_bytes=func.least(counted.c.used_bytes, LARGEST_INT4))
        .returning(_STORES.c.id)
    )


_TAKE_ROOM = _take_room()
"""One conditional statement: the store is the caller's, and there is room; no read before it."""


_GIVE_ROOM_BACK = _give_room_back()


async def take_room(
    tx: AsyncConnection, access: Access, store_id: UUID, size_bytes: int
) -> bool:
    """Count ``size_bytes`` more if they fit the quota of a store within reach."""
    row = await _TAKE_ROOM.row(
        await driver_of(tx), store_id=store_id, size_bytes=size_bytes, **access.owner
    )
    return row is not None


async def give_room_back(tx: AsyncConnection, store_id: UUID, size_bytes: int) -> None:
    """Count ``size_bytes`` less, never below zero."""
    await _GIVE_ROOM_BACK.row(await driver_of(tx), store_id=store_id, size_bytes=size_bytes)


async def room(tx: AsyncConnection, store_id: UUID) -> tuple[int, int]:
    """Return how many bytes a store has used, and how many it may."""
    used = select(StoreStorage.used_bytes).where(StoreStorage.store_id == store_id)
    allowed = select(_ALLOWED).where(_QUOTAS.c.id == store_id)
    return await tx.scalar(used) or 0, await tx.scalar(allowed) or 0


async def add(
    tx: AsyncConnection,
    *,
    key: str,
    company_id: str,
    store_id: UUID | None,
    size_bytes: int,
) -> None:
    """Add the row of an object whose bytes are on their way."""
    await tx.execute(
        insert(StoredObject).values(
            key=key,
            company_id=company_id,
            store_id=store_id,
            size_bytes=size_bytes,
            state=ObjectState.PENDING,
        )
    )


async def keep(tx: AsyncConnection, key: str, size_bytes: int | None = None) -> bool:
    """Mark a pending object as kept, of this size; false if it was swept meanwhile."""
    size = {} if size_bytes is None else {"size_bytes": size_bytes}
    statement = (
        update(StoredObject)
        .where(StoredObject.key == key, StoredObject.state == ObjectState.PENDING)
        .values(state=ObjectState.KEPT, **size)
    )
    return (await tx.execute(statement)).rowcount == 1


async def doom(
    tx: AsyncConnection, keys: Sequence[str], states: Sequence[ObjectState]
) -> list[tuple[UUID | None, int]]:
    """Mark objects in these states for removal; return the store and size of each."""
    statement = (
        update(StoredObject)
        .where(StoredObject.key.in_(keys), StoredObject.state.in_(states))
        .values(state=ObjectState.DOOMED)
        .returning(StoredObject.store_id, StoredObject.size_bytes)
    )
    return [(row.store_id, row.size_bytes) for row in await tx.execute(statement)]


async def lock_abandoned(tx: AsyncConnection, before: datetime, limit: int) -> list[str]:
    """Return the keys of uploads that never ended, locked."""
    statement = (
        select(StoredObject.key)
        .where(StoredObject.state == ObjectState.PENDING, StoredObject.created_at < before)
        .order_by(StoredObject.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await tx.scalars(statement))


async def doomed(connection: AsyncConnection, limit: int) -> list[str]:
    """Return keys of objects that are to be removed from the bucket."""
    statement = (
        select(StoredObject.key)
        .where(StoredObject.state == ObjectState.DOOMED)
        .limit(limit)
    )
    return list(await connection.scalars(statement))


async def forget(tx: AsyncConnection, key: str) -> None:
    """Delete the row of an object that has left the bucket."""
    await tx.execute(
        delete(StoredObject).where(
            StoredObject.key == key, StoredObject.state == ObjectState.DOOMED
        )
    )


async def known(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Return those of the keys that have a row, in whatever state."""
    statement = select(StoredObject.key).where(StoredObject.key.in_(keys))
    return set(await connection.scalars(statement))


async def kept_after(connection: AsyncConnection, key: str, limit: int) -> list[str]:
    """Return keys of objects that rows refer to, in order, from the one after ``key``."""
    statement = (
        select(StoredObject.key)
        .where(StoredObject.state == ObjectState.KEPT, StoredObject.key > key)
        .order_by(StoredObject.key)
        .limit(limit)
    )
    return list(await connection.scalars(statement))
