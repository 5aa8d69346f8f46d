"""What a crash leaves in the bucket, and how it goes."""

import io
from datetime import timedelta
from uuid import UUID

from tests.documents.shelf import objects, used_bytes, without_store
from tests.jobs.running import count_jobs, drain, forget_jobs
from tests.people import Person
from vek1_api.access.access import Access, Credential
from vek1_api.core.resources import Resources
from vek1_api.core.object_keys import private_key
from vek1_api.core.storage import StorageError
from vek1_api.files import jobs, queries, service

import pytest

BYTES = b"0123456789"
LONG_AGO = service.ABANDONED_AFTER + timedelta(seconds=1)


async def leave_behind(
    resources: Resources, person: Person, store_id: str, *, age: timedelta
) -> str:
    """Do what an upload does up to the crash: room, row and bytes, and nothing that refers."""
    access = Access(person.user_id, person.user_id, Credential.SERVICE_TOKEN, None, None)
    key = private_key(person.user_id, "documents", "txt")
    async with resources.database.transaction() as tx:
        await service.take_room(tx, access, UUID(store_id), len(BYTES))
        await queries.add(
            tx,
            key=key,
            company_id=person.user_id,
            store_id=UUID(store_id),
            size_bytes=len(BYTES),
        )
    await resources.bucket.put(key, io.BytesIO(BYTES), len(BYTES), "text/plain")
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.stored_objects SET created_at = now() - $2::interval "
            "WHERE key = $1",
            key,
            age,
        )
    return key


async def test_upload_that_a_crash_left_behind_is_swept(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(resources, ana, store, age=LONG_AGO)

    await jobs.sweep(resources)

    assert await used_bytes(ana, store) == 0
    assert await objects(resources, store) == {}
    assert not await resources.bucket.exists(key)
    await forget_jobs(resources)


async def test_upload_that_may_still_be_going_on_is_left_alone(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(
        resources, ana, store, age=service.ABANDONED_AFTER - timedelta(minutes=1)
    )

    await jobs.sweep(resources)

    assert await objects(resources, store) == {key: "pending"}
    assert await used_bytes(ana, store) == len(BYTES)
    assert await resources.bucket.exists(key)


async def test_sweeping_spares_what_is_kept(ana: Person, resources: Resources) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(resources, ana, store, age=LONG_AGO)
    async with resources.database.transaction() as tx:
        await service.keep(tx, key)

    await jobs.sweep(resources)

    assert await objects(resources, store) == {key: "kept"}
    assert await resources.bucket.exists(key)


async def test_removal_that_failed_is_done_by_the_next_sweep(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(resources, ana, store, age=LONG_AGO)
    with pytest.raises(StorageError):
        await jobs.sweep(without_store(resources))
    assert await objects(resources, store) == {key: "doomed"}
    assert await used_bytes(ana, store) == 0

    await jobs.sweep(resources)

    assert await objects(resources, store) == {}
    assert not await resources.bucket.exists(key)
    await forget_jobs(resources)


async def test_object_that_is_missing_already_is_forgotten(
    ana: Person, resources: Resources, database_url: str
) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(resources, ana, store, age=LONG_AGO)
    await resources.bucket.delete(key)

    await service.sweep(resources.database)
    assert await count_jobs(resources) >= 1
    await drain(resources, database_url)

    assert await objects(resources, store) == {}


async def test_objects_of_a_store_that_the_front_end_removes_go_too(
    ana: Person, resources: Resources
) -> None:
    store = (await ana.open_store())["id"]
    key = await leave_behind(resources, ana, store, age=timedelta())
    async with resources.database.transaction() as tx:
        await service.keep(tx, key)
    async with resources.database.driver() as driver:
        await driver.execute("DELETE FROM stores WHERE id = $1", UUID(store))

    await jobs.sweep(resources)

    assert await objects(resources, store) == {}
    assert not await resources.bucket.exists(key)
