"""``?wait=``: the answer comes when the document is indexed, or when time is up."""

import asyncio
from typing import Any

import pytest

from tests.jobs.running import forget_jobs, until, working
from tests.people import Person
from vek1_api.core.resources import Resources


async def test_wait_answers_when_it_is_indexed(
    ana: Person, resources: Resources, database_url: str
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}

    async with working(resources, database_url):
        response = await ana.request("POST", path, json=body, params={"wait": 8})

    assert response.status_code == 201
    document = response.json()
    assert (document["index_status"], document["chunk_count"]) == ("ready", 1)
    fetched = await ana.request("GET", f"/v1/documents/{document['id']}")
    assert fetched.content == response.content
    assert fetched.headers["ETag"] == response.headers["ETag"]


async def test_wait_ends_without_a_worker(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}

    response = await ana.request("POST", path, json=body, params={"wait": 0.2})

    assert response.status_code == 201
    assert response.json()["index_status"] == "pending"
    await forget_jobs(resources)


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "já"])
async def test_wait_out_of_range_is_refused(ana: Person, wait: str) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"

    response = await ana.request(
        "POST", path, json={"title": "a", "content": "b"}, params={"wait": wait}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/wait"


@pytest.mark.parametrize("kind", ["text", "file"])
async def test_replay_after_waiting_gives_the_same_bytes(
    ana: Person, resources: Resources, database_url: str, kind: str
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    what: dict[str, Any] = (
        {"json": {"title": "Frete", "content": "O frete é grátis."}}
        if kind == "text"
        else {"files": {"file": ("frete.txt", "O frete é grátis.".encode())}}
    )
    options = what | {"params": {"wait": 8}, "headers": {"Idempotency-Key": "k"}}

    async with working(resources, database_url):
        first = await ana.request("POST", path, **options)
    again = await ana.request("POST", path, **options)

    assert first.json()["index_status"] == "ready"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_document_deleted_while_one_waits_for_it_is_not_found(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}
    waiting = asyncio.create_task(ana.request("POST", path, json=body, params={"wait": 8}))

    async def taken() -> Any:
        return (await ana.get(path))["items"]

    await until(taken)
    [document] = await taken()
    await ana.delete(f"/v1/documents/{document['id']}")

    assert (await waiting).status_code == 404
    await forget_jobs(resources)
