"""The statements of stored objects and quotas."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.files.models import ObjectState, StoredObject, StoreStorage


async def take_room(
    tx: AsyncConnection, store_id: UUID, size_bytes: int, allowed_bytes: int
) -> bool:
    """Count ``size_bytes`` more, if they fit; one conditional statement, no read before it."""
    make_row = upsert(StoreStorage).values(store_id=store_id).on_conflict_do_nothing()
    await tx.execute(make_row)
    statement = (
        update(StoreStorage)
        .where(
            StoreStorage.store_id == store_id,
            StoreStorage.used_bytes + size_bytes <= allowed_bytes,
        )
        .values(used_bytes=StoreStorage.used_bytes + size_bytes)
    )
    return (await tx.execute(statement)).rowcount == 1


async def give_room_back(tx: AsyncConnection, store_id: UUID, size_bytes: int) -> None:
    """Count ``size_bytes`` less, never below zero."""
    await tx.execute(
        update(StoreStorage)
        .where(StoreStorage.store_id == store_id)
        .values(used_bytes=func.greatest(StoreStorage.used_bytes - size_bytes, 0))
    )


async def used_bytes(tx: AsyncConnection, store_id: UUID) -> int:
    """Return how many bytes a store has used."""
    statement = select(StoreStorage.used_bytes).where(StoreStorage.store_id == store_id)
    return await tx.scalar(statement) or 0


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


async def keep(tx: AsyncConnection, key: str) -> bool:
    """Mark a pending object as kept; false if it was swept meanwhile."""
    statement = (
        update(StoredObject)
        .where(StoredObject.key == key, StoredObject.state == ObjectState.PENDING)
        .values(state=ObjectState.KEPT)
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
