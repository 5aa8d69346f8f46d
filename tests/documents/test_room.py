"""The room of a store: taken by what is stored, given back once by what goes."""

import asyncio
import json


from tests.conftest import RunJobs
from tests.documents.shelf import (
    add_file,
    documents,
    objects,
    send_file,
    set_used_bytes,
    used_bytes,
)
from tests.people import Person
from vek1_api.core.resources import Resources

GIGABYTE = 2**30
NOTE = b"Abrimos de segunda a sexta, das 9h \xc3\xa0s 18h."


async def test_deleted_document_frees_its_room_and_its_object(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "a.txt", NOTE)
    [key] = await objects(resources, store["id"])

    await ana.delete(f"/v1/documents/{taken['id']}")

    assert await used_bytes(ana, store["id"]) == 0
    await run_jobs()
    assert await objects(resources, store["id"]) == {}
    assert not await resources.bucket.exists(key)


async def test_deleted_text_frees_its_room(ana: Person) -> None:
    store = await ana.open_store()
    text = "Açaí na tigela"
    document = await ana.add_document(store["id"], text)
    assert await used_bytes(ana, store["id"]) == len(text.encode())

    await ana.delete(f"/v1/documents/{document['id']}")

    assert await used_bytes(ana, store["id"]) == 0


async def test_changed_text_counts_as_long_as_it_is_now(ana: Person) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Açaí na tigela")

    await ana.patch(f"/v1/documents/{document['id']}", {"content": "Açaí"})

    assert await used_bytes(ana, store["id"]) == len("Açaí".encode())


async def test_file_that_fits_exactly_is_taken(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - len(NOTE))

    await add_file(ana, store["id"], "a.txt", NOTE)

    assert await used_bytes(ana, store["id"]) == GIGABYTE


async def test_one_byte_too_many_changes_nothing(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - len(NOTE) + 1)

    by_form = await send_file(ana, store["id"], "a.txt", NOTE)
    by_json = await ana.request(
        "POST",
        f"/v1/stores/{store['id']}/documents",
        json={"title": "Nota", "content": NOTE.decode()},
    )

    for response in (by_form, by_json):
        assert response.status_code == 413
        assert response.json()["code"] == "storage_quota_exceeded"
    assert await documents(ana, store["id"]) == []
    assert await used_bytes(ana, store["id"]) == GIGABYTE - len(NOTE) + 1
    assert await objects(resources, store["id"]) == {}


async def test_longer_text_without_room_changes_nothing(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "abc")
    await set_used_bytes(resources, store["id"], GIGABYTE)
    path = f"/v1/documents/{document['id']}"

    response = await ana.request("PATCH", path, json={"content": "abcd"})

    assert response.json()["code"] == "storage_quota_exceeded"
    assert (await ana.get(path))["content"] == "abc"
    assert await used_bytes(ana, store["id"]) == GIGABYTE


async def test_text_may_become_shorter_in_a_store_over_its_quota(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "abcdef")
    await set_used_bytes(resources, store["id"], GIGABYTE + 100)

    changed = await ana.patch(f"/v1/documents/{document['id']}", {"content": "abc"})

    assert changed["content"] == "abc"
    assert await used_bytes(ana, store["id"]) == GIGABYTE + 97


async def test_parallel_uploads_never_take_more_room_than_there_is(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - 3 * len(NOTE) - 1)

    answers = await asyncio.gather(
        *(send_file(ana, store["id"], f"{number}.txt", NOTE) for number in range(20))
    )

    codes = [json.loads(answer.content).get("code") for answer in answers]
    assert codes.count(None) == 3
    assert codes.count("storage_quota_exceeded") == 17
    assert len(await documents(ana, store["id"])) == 3
    assert await used_bytes(ana, store["id"]) == GIGABYTE - 1


async def test_store_shows_the_room_that_is_used(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()

    await add_file(ana, store["id"], "a.txt", NOTE)

    shown = await ana.get(f"/v1/stores/{store['id']}")
    assert shown["used_size_bytes"] == len(NOTE)
    async with resources.database.driver() as driver:
        column = await driver.fetchval(
            "SELECT used_size_bytes FROM stores WHERE id = $1", store["id"]
        )
    assert column == len(NOTE)


async def test_store_shows_as_much_as_its_column_holds(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store(allocated_size_gb=10)
    await set_used_bytes(resources, store["id"], 5 * GIGABYTE)

    await add_file(ana, store["id"], "a.txt", NOTE)

    assert await used_bytes(ana, store["id"]) == 5 * GIGABYTE + len(NOTE)
    shown = await ana.get(f"/v1/stores/{store['id']}")
    assert shown["used_size_bytes"] == 2**31 - 1


async def test_document_of_the_front_ends_own_takes_no_room_back(
    ana: Person, resources: Resources
) -> None:
    """It was never counted, so removing it must not make room that is not there."""
    store = await ana.open_store()
    await ana.add_document(store["id"], "0123456789")
    async with resources.database.driver() as driver:
        stranger = await driver.fetchval(
            "INSERT INTO documents (store_id, title, content) "
            "VALUES ($1, 'Nota', '0123456789') RETURNING id",
            store["id"],
        )

    await ana.delete(f"/v1/documents/{stranger}")

    assert await used_bytes(ana, store["id"]) == 10


async def test_file_that_the_front_end_deletes_leaves_nothing_behind(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "a.txt", NOTE)
    await run_jobs()
    async with resources.database.driver() as driver:
        await driver.execute("DELETE FROM documents WHERE id = $1", taken["id"])

    assert await used_bytes(ana, store["id"]) == 0
    assert "kept" not in (await objects(resources, store["id"])).values()
