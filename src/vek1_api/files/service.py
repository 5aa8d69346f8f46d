"""Putting bytes into the bucket and taking them out, so that rows and objects stay together.

An upload is three steps, none of them holding a transaction open over the network: *reserve*
writes a pending row and takes the room, the bytes go to the bucket, *keep* joins the
transaction of the row that refers to them. A crash between two steps leaves a pending row,
which the sweeper turns into a doomed one. Removing is a state too: the row goes when the
object has gone.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.core import clock, jobs
from vek1_api.core.db import Database, driver_of
from vek1_api.core.errors import StorageQuotaExceededError, UnavailableError
from vek1_api.core.resources import Resources
from vek1_api.core.storage import Bucket
from vek1_api.files import queries
from vek1_api.files.models import ObjectState

ABANDONED_AFTER = timedelta(hours=1)
SWEEP_BATCH = 500


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be stored, and on whose account."""

    key: str
    store_id: UUID | None
    """Whose quota it counts against; none for what belongs to the company itself."""
    size_bytes: int
    content_type: str
    takes_room: bool = True
    """Not if it takes the place of something that is counted: see ``keep_instead``."""


@asynccontextmanager
async def uploaded(
    resources: Resources, access: Access, upload: Upload, stream: BinaryIO
) -> AsyncGenerator[str]:
    """Put the bytes into the bucket for the block, which must ``keep`` them in its transaction.

    Raises ``StorageQuotaExceededError`` before a byte is sent. If the block raises, the object
    is given up at once; if the process dies, the sweeper does it.
    """
    database = resources.database
    async with database.transaction() as tx:
        await reserve(tx, access, upload)
    try:
        await resources.bucket.put(
            upload.key, stream, upload.size_bytes, upload.content_type
        )
        yield upload.key
    finally:
        # What the block did not keep, because it raised or because it had no need of it.
        await asyncio.shield(_give_up(database, upload.key))


async def reserve(tx: AsyncConnection, access: Access, upload: Upload) -> None:
    """Write the pending row of an object and take its room.

    Raises as ``take_room`` does.
    """
    size_bytes = upload.size_bytes if upload.takes_room else 0
    if upload.store_id is not None and size_bytes:
        await take_room(tx, access, upload.store_id, size_bytes)
    await queries.add(
        tx,
        key=upload.key,
        company_id=access.company_id,
        store_id=upload.store_id,
        size_bytes=size_bytes,
    )


async def keep(tx: AsyncConnection, key: str) -> None:
    """Tie an uploaded object to the transaction of the row that refers to it."""
    if not await queries.keep(tx, key):
        raise _given_up()


async def keep_instead(
    tx: AsyncConnection, access: Access, key: str, size_bytes: int, *, staged: str
) -> None:
    """Keep an uploaded object in place of a pending one, whose room passes on to it.

    What the staged one had too much is free at once, and a job removes it from the bucket.
    """
    given_up = await queries.doom(tx, [staged], (ObjectState.PENDING,))
    if not given_up or not await queries.keep(tx, key, size_bytes):
        raise _given_up()
    [(store_id, staged_bytes)] = given_up
    if store_id is not None and size_bytes > staged_bytes:
        await take_room(tx, access, store_id, size_bytes - staged_bytes)
    elif store_id is not None:
        await queries.give_room_back(tx, store_id, staged_bytes - size_bytes)
    await jobs.enqueue(tx, "files.remove")


async def discard(tx: AsyncConnection, keys: Sequence[str]) -> None:
    """Give up objects: their room is free at once, a job removes them from the bucket."""
    await _discard(tx, keys, (ObjectState.PENDING, ObjectState.KEPT))


async def _give_up(database: Database, key: str) -> None:
    # Only while pending: if the transaction that keeps it did commit, it stays.
    async with database.transaction() as tx:
        await _discard(tx, [key], (ObjectState.PENDING,))


async def _discard(
    tx: AsyncConnection, keys: Sequence[str], states: Sequence[ObjectState]
) -> None:
    freed = await queries.doom(tx, keys, states)
    for store_id, size_bytes in freed:
        if store_id is not None:
            await queries.give_room_back(tx, store_id, size_bytes)
    if freed:
        await jobs.enqueue(tx, "files.remove")


async def take_room(
    tx: AsyncConnection, access: Access, store_id: UUID, size_bytes: int
) -> None:
    """Count bytes against a store's quota.

    Raises ``NotFoundError`` for a store out of reach, ``StorageQuotaExceededError`` if there
    is no room.
    """
    if await queries.take_room(tx, access, store_id, size_bytes):
        return
    await assert_owns_store(await driver_of(tx), access, store_id)
    used, allowed = await queries.room(tx, store_id)
    message = (
        f"{size_bytes} bytes do not fit: {used} of {allowed} are used. Delete something "
        "or raise the store's allocated_size_gb."
    )
    raise StorageQuotaExceededError(message)


async def give_room_back(tx: AsyncConnection, store_id: UUID, size_bytes: int) -> None:
    """Take bytes off a store's count."""
    await queries.give_room_back(tx, store_id, size_bytes)


async def sweep(database: Database) -> int:
    """Give up the uploads that never ended; return how many."""
    async with database.transaction() as tx:
        before = clock.now() - ABANDONED_AFTER
        keys = await queries.lock_abandoned(tx, before, SWEEP_BATCH)
        await _discard(tx, keys, (ObjectState.PENDING,))
    return len(keys)


async def remove_doomed(database: Database, bucket: Bucket) -> int:
    """Remove doomed objects from the bucket, then their rows; return how many."""
    async with database.read() as connection:
        keys = await queries.doomed(connection, SWEEP_BATCH)
    for key in keys:
        await bucket.delete(key)
        async with database.transaction() as tx:
            await queries.forget(tx, key)
    return len(keys)


def _given_up() -> UnavailableError:
    return UnavailableError("The upload took too long and was given up; send it again.")
