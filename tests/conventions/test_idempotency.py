"""The same ``Idempotency-Key`` has one effect and one answer."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.access.operations import (
    PNG,
    Operation,
    make_one_of_each,
    make_ready,
    named,
    operations,
)
from tests.people import OPS_TOKEN, Person
from vek1_api.core.db import Driver

CHANGES_NOTHING = {"search_documents"}
POSTS = [
    operation
    for prefix in ("/v1", "/internal")
    for operation in operations(prefix)
    if operation.method == "POST" and operation.id not in CHANGES_NOTHING
]


def _key(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


async def _names(person: Person) -> list[str]:
    return [item["name"] for item in (await person.get("/v1/stores"))["items"]]


@pytest.mark.parametrize("operation", POSTS, ids=named)
async def test_second_request_gets_the_first_answer_again_byte_for_byte(
    operation: Operation, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    await make_ready(operation, ana, ids, db)
    url, body, key = operation.url(ids), operation.body(ids), _key()

    first = await ana.request("POST", url, headers=key, **body)
    entries = await db.fetchval("SELECT count(*) FROM audit_log")
    jobs = await db.fetchval("SELECT count(*) FROM vek1_api.pgqueuer")
    second = await ana.request("POST", url, headers=key, **body)

    assert first.is_success, first.text
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    for name in ("content-type", "etag"):
        assert second.headers.get(name) == first.headers.get(name)
    assert await db.fetchval("SELECT count(*) FROM audit_log") == entries
    assert await db.fetchval("SELECT count(*) FROM vek1_api.pgqueuer") == jobs


async def test_answer_is_the_first_one_even_when_the_thing_has_changed(ana: Person) -> None:
    key = _key()
    first = await ana.request("POST", "/v1/stores", json={"name": "Um"}, headers=key)
    await ana.delete(f"/v1/stores/{first.json()['id']}")

    second = await ana.request("POST", "/v1/stores", json={"name": "Um"}, headers=key)

    assert second.content == first.content
    assert await _names(ana) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/stores", {"name": "Dois"}),
        ("/v1/stores", {"name": "Um", "description": None}),
        ("/internal/company/ensure", {"name": "Um"}),
    ],
)
async def test_key_of_another_request_is_refused(
    path: str, body: dict[str, Any], ana: Person
) -> None:
    key = _key()
    await ana.request("POST", "/v1/stores", json={"name": "Um"}, headers=key)
    if path.startswith("/internal"):
        body |= {"user_id": ana.user_id}

    response = await ana.request("POST", path, json=body, headers=key)

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert await _names(ana) == ["Um"]


async def test_same_body_on_another_path_is_another_request(ana: Person) -> None:
    key = _key()
    here, there = await ana.open_store(), await ana.open_store()
    body = {"name": "Lia", "type": "sales"}
    await ana.request("POST", f"/v1/stores/{here['id']}/agents", json=body, headers=key)

    response = await ana.request(
        "POST", f"/v1/stores/{there['id']}/agents", json=body, headers=key
    )

    assert response.json()["code"] == "idempotency_key_reused"
    assert (await ana.get(f"/v1/stores/{there['id']}/agents"))["items"] == []


async def test_many_at_once_have_one_effect(ana: Person) -> None:
    key = _key()

    answers = await asyncio.gather(
        *(
            ana.request("POST", "/v1/stores", json={"name": "Loja"}, headers=key)
            for _ in range(8)
        )
    )

    assert await _names(ana) == ["Loja"]
    done = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(waiting) == 8
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    for answer in waiting:
        assert answer.json()["code"] == "idempotency_in_progress"
        assert int(answer.headers["retry-after"]) >= 1
    last = await ana.request("POST", "/v1/stores", json={"name": "Loja"}, headers=key)
    assert last.content == done[0].content


async def test_many_files_at_once_have_one_effect(ana: Person, db: Driver) -> None:
    store = await ana.open_store()
    url, key = f"/v1/stores/{store['id']}/documents", _key()

    answers = await asyncio.gather(
        *(
            ana.request("POST", url, files={"file": ("a.png", PNG)}, headers=key)
            for _ in range(8)
        )
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len((await ana.get(url))["items"]) == 1
    usage = await ana.get(f"/v1/stores/{store['id']}/usage")
    assert usage["used_bytes"] == len(PNG)
    objects = await db.fetch(
        "SELECT state FROM vek1_api.stored_objects WHERE company_id = $1"
        " AND state <> 'doomed'",
        ana.user_id,
    )
    assert [row["state"] for row in objects] == ["kept"]


async def test_file_is_the_same_request_whatever_the_forms_boundary(ana: Person) -> None:
    store = await ana.open_store()
    url, key = f"/v1/stores/{store['id']}/documents", _key()

    first = await ana.request("POST", url, files={"file": ("a.png", PNG)}, headers=key)
    again = await ana.request("POST", url, files={"file": ("a.png", PNG)}, headers=key)
    other = await ana.request(
        "POST", url, files={"file": ("a.png", PNG + b"x")}, headers=key
    )

    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert other.json()["code"] == "idempotency_key_reused"


async def test_one_key_of_two_people_is_two_keys(ana: Person, bruno: Person) -> None:
    key = _key("pedido-1")

    hers = await ana.request("POST", "/v1/stores", json={"name": "Loja"}, headers=key)
    his = await bruno.request("POST", "/v1/stores", json={"name": "Loja"}, headers=key)

    assert hers.status_code == his.status_code == 201
    assert hers.json()["id"] != his.json()["id"]
    assert his.json()["company_id"] == bruno.user_id


async def test_key_is_free_after_a_request_that_failed(ana: Person) -> None:
    key = _key()
    store = await ana.open_store("Um", slug="centro")
    taken = await ana.request(
        "POST", "/v1/stores", json={"name": "Dois", "slug": "centro"}, headers=key
    )
    await ana.delete(f"/v1/stores/{store['id']}")

    response = await ana.request(
        "POST", "/v1/stores", json={"name": "Dois", "slug": "centro"}, headers=key
    )

    assert taken.status_code == 409
    assert response.status_code == 201
    assert "idempotency-replayed" not in response.headers


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "a\tb", "\x7f"])
async def test_key_that_is_not_visible_ascii_is_refused(key: str, ana: Person) -> None:
    response = await ana.request(
        "POST",
        "/v1/stores",
        json={"name": "Loja"},
        headers={"Idempotency-Key": key.encode()},  # type: ignore[dict-item]  # Bytes.
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert await _names(ana) == []


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
async def test_key_of_any_visible_ascii_is_taken(key: str, ana: Person) -> None:
    for _ in range(2):
        response = await ana.request(
            "POST", "/v1/stores", json={"name": "Loja"}, headers=_key(key)
        )
        assert response.status_code == 201

    assert await _names(ana) == ["Loja"]


async def test_what_is_kept_of_a_key_goes_after_a_day(
    ana: Person, db: Driver, resources: Any
) -> None:
    from vek1_api.ops.jobs import forget_idempotency_keys  # noqa: PLC0415 - Registers jobs.

    for name in ("velha", "nova"):
        await ana.request(
            "POST", "/v1/stores", json={"name": name}, headers=_key(f"{ana.user_id}-{name}")
        )
    await db.execute(
        "UPDATE vek1_api.idempotency_keys SET created_at = now() - interval '25 hours'"
        " WHERE actor = $1 AND position('\\x76656c6861'::bytea IN body) > 0",  # velha
        ana.user_id,
    )

    await forget_idempotency_keys(resources)

    rows = await db.fetch(
        "SELECT body FROM vek1_api.idempotency_keys WHERE actor = $1", ana.user_id
    )
    assert [json.loads(row["body"])["name"] for row in rows] == ["nova"]


async def test_replay_needs_the_credential_still(ana: Person) -> None:
    key = _key()
    await ana.request("POST", "/v1/stores", json={"name": "Loja"}, headers=key)

    response = await ana.request(
        "POST",
        "/v1/stores",
        json={"name": "Loja"},
        headers=key | {"Authorization": f"Bearer {OPS_TOKEN}"},
    )

    assert response.status_code == 401


async def test_replay_carries_its_own_request_id(ana: Person) -> None:
    key = _key()
    await ana.request(
        "POST", "/v1/stores", json={"name": "Loja"}, headers=key | {"X-Request-Id": "um"}
    )

    again = await ana.request(
        "POST", "/v1/stores", json={"name": "Loja"}, headers=key | {"X-Request-Id": "dois"}
    )

    assert again.headers["x-request-id"] == "dois"
