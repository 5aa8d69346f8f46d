"""What belongs to another company does not exist: every operation, with another's ids."""

from dataclasses import asdict
from typing import Any
from uuid import uuid4

import pytest

from tests.access.operations import (
    Operation,
    make_one_of_each,
    named,
    operations,
    unknown_ids,
)
from tests.access.rows import rows_about
from tests.people import Person
from vek1_api.core.db import Driver

WITH_IDS = [operation for operation in operations("/v1") if operation.parameters]


def _without_request_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "request_id"}


@pytest.mark.parametrize("operation", WITH_IDS, ids=named)
async def test_anothers_id_in_a_path_is_not_found_like_an_unknown_one(
    operation: Operation, ana: Person, bruno: Person, db: Driver
) -> None:
    hers = await make_one_of_each(ana, db)
    his = await make_one_of_each(bruno, db)
    before = await rows_about(db, ana.user_id, *asdict(hers).values())
    assert before["public.documents"] != before["public.agents"] != []

    foreign = await operation.call(bruno, hers, his)
    unknown = await operation.call(bruno, unknown_ids(), his)

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["code"] == "not_found"
    assert _without_request_id(foreign.json()) == _without_request_id(unknown.json())
    assert await rows_about(db, ana.user_id, *asdict(hers).values()) == before
    assert [
        (entry["actor_user_id"], entry["target_id"], entry["store_id"])
        for entry in await ana.audit(action="access.denied")
    ] == [(bruno.user_id, asdict(hers)[operation.parameters[0]], hers.store_id)]
    assert await bruno.audit(action="access.denied") == []


@pytest.mark.parametrize("operation", WITH_IDS, ids=named)
async def test_unknown_id_leaves_no_trace(
    operation: Operation, ana: Person, db: Driver
) -> None:
    entries = await db.fetchval("SELECT count(*) FROM audit_log")

    response = await operation.call(ana, unknown_ids(), unknown_ids())

    assert response.status_code == 404
    assert await db.fetchval("SELECT count(*) FROM audit_log") == entries


@pytest.mark.parametrize("operation", WITH_IDS, ids=named)
async def test_what_was_in_a_deleted_store_is_not_found_by_its_owner(
    operation: Operation, ana: Person, db: Driver
) -> None:
    gone, here = await make_one_of_each(ana, db), await make_one_of_each(ana, db)
    await ana.delete(f"/v1/stores/{gone.store_id}")
    before = await rows_about(db, ana.user_id, *asdict(gone).values())

    response = await operation.call(ana, gone, here)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert await rows_about(db, ana.user_id, *asdict(gone).values()) == before
    assert await ana.audit(action="access.denied") == []


@pytest.mark.parametrize("operation", WITH_IDS, ids=named)
@pytest.mark.parametrize("text", ["1", "nao-e-uuid", "%00", "a" * 300])
async def test_what_is_no_id_is_not_found(
    operation: Operation, text: str, ana: Person
) -> None:
    ids = unknown_ids()
    path = operation.path.format(**dict.fromkeys(asdict(ids), text))

    response = await ana.request(operation.method, path, **operation.body(ids))

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


REFERENCES: list[tuple[str, str, str, dict[str, Any], str]] = [
    # method, path, kind of id, what is sent with "ID" for the id, pointer
    ("GET", "/v1/stores/{store_id}/documents", "agent_id", {"params": {"agent_id": "ID"}},
     "/query/agent_id"),
    ("GET", "/v1/stores/{store_id}/documents", "product_id",
     {"params": {"product_id": "ID"}}, "/query/product_id"),
    ("POST", "/v1/stores/{store_id}/documents", "product_id",
     {"json": {"title": "T", "content": "C", "product_id": "ID"}}, "/product_id"),
    ("PATCH", "/v1/documents/{document_id}", "product_id",
     {"json": {"product_id": "ID"}}, "/product_id"),
    ("POST", "/v1/stores/{store_id}/search", "agent_id",
     {"json": {"query": "q", "agent_id": "ID"}}, "/agent_id"),
    ("POST", "/v1/stores/{store_id}/search", "product_id",
     {"json": {"query": "q", "product_id": "ID"}}, "/product_id"),
    ("GET", "/v1/stores/{store_id}/stock-movements", "product_id",
     {"params": {"product_id": "ID"}}, "/query/product_id"),
    ("PUT", "/v1/agents/{agent_id}/knowledge-base", "document_id",
     {"json": {"document_ids": ["ID"]}}, "/document_ids/0"),
    ("POST", "/v1/agents/{agent_id}/knowledge-base/ID", "document_id", {},
     "/path/document_id"),
    ("DELETE", "/v1/agents/{agent_id}/knowledge-base/ID", "document_id", {},
     "/path/document_id"),
]  # fmt: skip


def _filled(value: Any, row_id: str) -> Any:
    match value:
        case dict():
            return {name: _filled(part, row_id) for name, part in value.items()}
        case list():
            return [_filled(part, row_id) for part in value]
        case _:
            return row_id if value == "ID" else value


@pytest.mark.parametrize(
    ("method", "path", "kind", "sent", "pointer"),
    REFERENCES,
    ids=[f"{method}-{path}-{kind}" for method, path, kind, *_ in REFERENCES],
)
async def test_anothers_id_inside_a_request_is_refused_like_an_unknown_one(  # noqa: PLR0913 - fixtures.
    method: str,
    path: str,
    kind: str,
    sent: dict[str, Any],
    pointer: str,
    *,
    ana: Person,
    bruno: Person,
    db: Driver,
) -> None:
    hers = await make_one_of_each(ana, db)
    his = await make_one_of_each(bruno, db)
    before = await rows_about(db, ana.user_id, bruno.user_id, *asdict(his).values())
    answers = []

    for row_id in (asdict(hers)[kind], str(uuid4())):
        url = path.format(**asdict(his)).replace("ID", row_id)
        response = await bruno.request(method, url, **_filled(sent, row_id))
        assert response.status_code == 422
        answers.append(_without_request_id(response.json()))

    assert answers[0] == answers[1]
    assert answers[0]["code"] == "validation_failed"
    assert [error["pointer"] for error in answers[0]["errors"]] == [pointer]
    after = await rows_about(db, ana.user_id, bruno.user_id, *asdict(his).values())
    assert after == before
    denied = await ana.audit(action="access.denied")
    assert [entry["target_id"] for entry in denied] == [asdict(hers)[kind]]
    assert await bruno.audit(action="access.denied") == []


async def test_id_of_the_persons_other_store_is_refused_but_is_no_attempt_on_anybody(
    ana: Person, db: Driver
) -> None:
    here, there = await make_one_of_each(ana, db), await make_one_of_each(ana, db)

    response = await ana.request(
        "PUT",
        f"/v1/agents/{here.agent_id}/knowledge-base",
        json={"document_ids": [here.document_id, there.document_id]},
    )

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/document_ids/1"]
    assert await ana.audit(action="access.denied") == []
    known = await ana.get(f"/v1/agents/{here.agent_id}/knowledge-base")
    assert known["document_ids"] == [here.document_id]


async def test_lists_show_nothing_of_anybody_else(
    ana: Person, bruno: Person, db: Driver
) -> None:
    await make_one_of_each(ana, db)

    assert await bruno.get("/v1/stores") == {"items": [], "next_cursor": None}
    assert {entry["actor_user_id"] for entry in await bruno.audit()} == {bruno.user_id}
    assert (await bruno.get("/v1/company"))["id"] == bruno.user_id
