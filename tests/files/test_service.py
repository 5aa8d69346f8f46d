"""Uploads step by step, as the service that keeps rows and objects together takes them."""

import asyncio
import io
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.documents.shelf import objects, set_used_bytes, used_bytes, without_store
from tests.jobs.running import count_jobs, drain, forget_jobs
from tests.people import Person
from vek1_api.access.access import Access, Credential
from vek1_api.core.errors import (
    NotFoundError,
    StorageQuotaExceededError,
    UnavailableError,
)
from vek1_api.core.resources import Resources
from vek1_api.core.object_keys import private_key
from vek1_api.core.storage import StorageError
from vek1_api.files import service
from vek1_api.files.service import Upload

BYTES = b"0123456789"


def access_of(person: Person) -> Access:
    return Access(person.user_id, person.user_id, Credential.SERVICE_TOKEN, None, None)


def upload_of(person: Person, store_id: str | None) -> Upload:
    return Upload(
        key=private_key(person.user_id, "documents", "txt"),
        store_id=None if store_id is None else UUID(store_id),
        size_bytes=len(BYTES),
        content_type="text/plain",
    )


async def keep(resources: Resources, person: Person, upload: Upload) -> None:
    """Upload and keep, as a domain does."""
    async with (
        service.uploaded(resources, access_of(person), upload, io.BytesIO(BYTES)) as key,
        resources.database.transaction() as tx,
    ):
        await service.keep(tx, key)


async def test_kept_upload_has_its_row_its_object_and_its_room(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)

    await keep(resources, ana, upload)

    assert await objects(resources, store) == {upload.key: "kept"}
    assert await resources.bucket.read(upload.key, 100) == BYTES
    assert await used_bytes(ana, store) == len(BYTES)


async def test_company_object_counts_against_no_store(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]

    await keep(resources, ana, upload_of(ana, None))

    assert await used_bytes(ana, store) == 0


async def test_room_is_taken_before_a_byte_is_sent(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    await set_used_bytes(resources, store, 2**30 - len(BYTES) + 1)
    stream = io.BytesIO(BYTES)

    with pytest.raises(StorageQuotaExceededError) as refused:
        async with service.uploaded(
            resources, access_of(ana), upload_of(ana, store), stream
        ):
            pytest.fail("The block must not run.")

    assert str(2**30) in refused.value.detail
    assert stream.tell() == 0
    assert await objects(resources, store) == {}


async def test_store_out_of_reach_takes_nothing(
    ana: Person, bruno: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]

    with pytest.raises(NotFoundError):
        await keep(resources, bruno, upload_of(bruno, store))

    assert await objects(resources, store) == {}


async def test_block_that_raises_gives_the_upload_up_at_once(
    ana: Person, resources: Resources, database_url: str
) -> None:
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)

    async def fail() -> None:
        async with service.uploaded(resources, access_of(ana), upload, io.BytesIO(BYTES)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await objects(resources, store) == {upload.key: "doomed"}
    assert await used_bytes(ana, store) == 0
    await drain(resources, database_url)
    assert await objects(resources, store) == {}
    assert not await resources.bucket.exists(upload.key)


async def test_block_that_is_cancelled_gives_the_upload_up_at_once(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)
    begun = asyncio.Event()

    async def hang() -> None:
        async with service.uploaded(resources, access_of(ana), upload, io.BytesIO(BYTES)):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert await objects(resources, store) == {upload.key: "doomed"}
    assert await used_bytes(ana, store) == 0
    await forget_jobs(resources)


async def test_store_that_is_down_gives_the_room_back(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]

    with pytest.raises(StorageError):
        await keep(without_store(resources), ana, upload_of(ana, store))

    assert await used_bytes(ana, store) == 0
    assert set((await objects(resources, store)).values()) == {"doomed"}
    await forget_jobs(resources)


async def test_transaction_that_fails_after_keeping_gives_the_upload_up(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)

    async def fail() -> None:
        async with (
            service.uploaded(resources, access_of(ana), upload, io.BytesIO(BYTES)) as key,
            resources.database.transaction() as tx,
        ):
            await service.keep(tx, key)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await objects(resources, store) == {upload.key: "doomed"}
    assert await used_bytes(ana, store) == 0
    await forget_jobs(resources)


async def test_upload_that_stays_kept_when_what_follows_fails(
    ana: Person, resources: Resources
) -> None:
    """The row of the domain has committed: an error after it must not take its object."""
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)

    async def fail_late() -> None:
        async with service.uploaded(
            resources, access_of(ana), upload, io.BytesIO(BYTES)
        ) as key:
            async with resources.database.transaction() as tx:
                await service.keep(tx, key)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_late()

    assert await objects(resources, store) == {upload.key: "kept"}
    assert await used_bytes(ana, store) == len(BYTES)


async def test_upload_that_was_swept_meanwhile_cannot_be_kept(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    upload = upload_of(ana, store)

    async def be_slow() -> None:
        async with service.uploaded(
            resources, access_of(ana), upload, io.BytesIO(BYTES)
        ) as key:
            await _age(resources, key, service.ABANDONED_AFTER + timedelta(seconds=1))
            await service.sweep(resources.database)
            async with resources.database.transaction() as tx:
                await service.keep(tx, key)

    with pytest.raises(UnavailableError):
        await be_slow()

    assert await objects(resources, store) == {upload.key: "doomed"}
    assert await used_bytes(ana, store) == 0
    await forget_jobs(resources)


async def test_discarding_twice_frees_once(ana: Person, resources: Resources) -> None:
    store = (await ana.open_store())["id"]
    first, second = upload_of(ana, store), upload_of(ana, store)
    await keep(resources, ana, first)
    await keep(resources, ana, second)
    before = await count_jobs(resources)

    for _ in range(2):
        async with resources.database.transaction() as tx:
            await service.discard(tx, [first.key, f"unknown-{uuid4()}"])

    assert await used_bytes(ana, store) == len(BYTES)
    assert await objects(resources, store) == {first.key: "doomed", second.key: "kept"}
    assert await count_jobs(resources) == before + 1
    await forget_jobs(resources)


async def test_room_never_becomes_negative(ana: Person, resources: Resources) -> None:
    store = (await ana.open_store())["id"]
    await set_used_bytes(resources, store, 3)

    async with resources.database.transaction() as tx:
        await service.give_room_back(tx, UUID(store), 10)

    assert await used_bytes(ana, store) == 0


async def _age(resources: Resources, key: str, by: timedelta) -> None:
    statement = (
        "UPDATE vek1_api.stored_objects SET created_at = created_at - $2::interval "
        "WHERE key = $1"
    )
    async with resources.database.driver() as driver:
        await driver.execute(statement, key, by)
