"""The trail: every change with its actor, before and after; and nothing ever changed."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.access.operations import (
    Operation,
    make_one_of_each,
    make_ready,
    named,
    operations,
)
from tests.people import SERVICE_TOKEN, Person
from tests.products.shelf import add_product
from vek1_api.core.db import Driver

READS = {"search_documents", "search_leads"}
WITHOUT_EFFECT = {"complete_product_file"}
"""The file is there already; tests/product_files sees to one that is not."""
TWO_CHANGES = {"accept_order_proof"}
"""The proof is accepted, and the order confirmed by it."""
CHANGES = [
    operation
    for operation in operations("/v1")
    if operation.method != "GET" and operation.id not in READS | WITHOUT_EFFECT
]


@pytest.mark.parametrize("operation", CHANGES, ids=named)
async def test_every_change_is_in_the_trail_with_its_actor(
    operation: Operation, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    if operation.id in {"add_to_knowledge_base", "replace_knowledge_base"}:
        await ana.delete(f"/v1/agents/{ids.agent_id}/knowledge-base/{ids.document_id}")
    if operation.id == "delete_company_logo":
        put = next(each for each in CHANGES if each.id == "put_company_logo")
        await put.call(ana, ids, ids)
    await make_ready(operation, ana, ids, db)
    before = {entry["id"] for entry in await ana.audit()}

    response = await operation.call(
        ana, ids, ids, headers={"X-Request-Id": "the-change", "User-Agent": "teste"}
    )

    assert response.is_success, response.text
    added = [entry for entry in await ana.audit() if entry["id"] not in before]
    assert len(added) == (2 if operation.id in TWO_CHANGES else 1), added
    for entry in added:
        assert entry["actor_user_id"] == ana.user_id
        assert entry["request_id"] == "the-change"
        assert (entry["ua"], entry["ip"]) == ("teste", "127.0.0.1")
        noun, _, participle = entry["action"].partition(".")
        assert noun
        assert participle.endswith("ed")
        if "_id}" in operation.path and operation.method != "POST":
            assert entry["store_id"] == ids.store_id


@pytest.mark.parametrize("operation", CHANGES, ids=named)
async def test_refused_change_is_not_in_the_trail(
    operation: Operation, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    before = await ana.audit()

    response = await operation.call(ana, ids, ids, params={"nao_existe": "1"})

    assert response.status_code == 422
    assert await ana.audit() == before


async def test_entry_has_before_and_after_of_what_changed(ana: Person, db: Driver) -> None:
    ids = await make_one_of_each(ana, db)
    product_id = (await add_product(ana, ids.store_id))["id"]
    sent: dict[str, Any] = {
        "title": "Trocas",
        "category": "politicas",
        "tags": ["a", "b"],
        "metadata": {"versao": 2},
        "product_id": product_id,
    }

    await ana.patch(f"/v1/documents/{ids.document_id}", sent)

    entry = (await ana.audit(action="document.updated"))[0]
    assert entry["meta"] == {
        "changes": {
            "title": ["Perguntas frequentes", "Trocas"],
            "category": [None, "politicas"],
            "tags": [None, ["a", "b"]],
            "metadata": [None, {"versao": 2}],
            "product_id": [None, product_id],
        }
    }


async def test_text_of_a_document_is_not_copied_into_the_trail(
    ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)

    await ana.patch(f"/v1/documents/{ids.document_id}", {"content": "segredo da casa"})

    assert "segredo" not in str(await ana.audit())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'x' WHERE id = $1",
        "DELETE FROM audit_log WHERE id = $1",
        "UPDATE audit_log SET meta = NULL WHERE id = $1 AND false",
        "WITH gone AS (DELETE FROM audit_log WHERE id = $1 RETURNING 1) SELECT * FROM gone",
    ],
)
async def test_database_refuses_to_change_an_entry(
    statement: str, ana: Person, db: Driver
) -> None:
    before = await ana.audit()

    with pytest.raises(asyncpg.CheckViolationError, match="only ever added"):
        await db.execute(statement, before[0]["id"])

    assert await ana.audit() == before


async def test_database_refuses_to_empty_the_log(ana: Person, db: Driver) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="will not be truncated"):
        await db.execute("TRUNCATE audit_log")

    assert len(await ana.audit(action="company.created")) == 1


async def test_trail_outlives_what_it_is_about(ana: Person) -> None:
    store = await ana.open_store()
    await ana.delete(f"/v1/stores/{store['id']}")

    actions = [entry["action"] for entry in await ana.audit(store_id=store["id"])]

    assert actions == ["store.deleted", "store.created"]


async def test_filters_narrow_the_trail(ana: Person) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    await ana.patch(f"/v1/agents/{agent['id']}", {"name": "Rui"})
    newest, second, *_ = everything = await ana.audit()

    async def actions(**params: str) -> list[str]:
        return [entry["action"] for entry in await ana.audit(**params)]

    assert [entry["action"] for entry in everything] == [
        "agent.updated",
        "agent.created",
        "store.created",
        "company.created",
    ]
    assert await actions(action="store.created") == ["store.created"]
    assert await actions(target_type="agent") == ["agent.updated", "agent.created"]
    assert await actions(target_id=agent["id"]) == ["agent.updated", "agent.created"]
    assert len(await actions(store_id=store["id"])) == 3
    assert await actions(**{"from": newest["at"]}) == ["agent.updated"]
    assert len(await actions(to=newest["at"])) == 3
    assert await actions(**{"from": second["at"], "to": newest["at"]}) == ["agent.created"]
    assert await actions(action="nunca.aconteceu") == []


def _event(user_id: str, **more: Any) -> dict[str, Any]:
    return {"actor_user_id": user_id, "action": "login", "target_type": "session"} | more


async def test_front_end_reports_an_event_into_its_users_trail(
    ana: Person, bruno: Person
) -> None:
    sent = _event(
        ana.user_id,
        target_id="s-1",
        ip="203.0.113.7",
        ua="Mozilla/5.0",
        meta={"provider": "google"},
    )

    entry = await ana.post("/internal/audit-events", sent)

    assert entry.items() >= sent.items()
    assert entry["store_id"] is None
    assert entry["at"].endswith("Z")
    assert await ana.audit(action="login") == [entry]
    assert await bruno.audit(action="login") == []


async def test_event_of_a_user_without_a_company_is_kept(ana: Person) -> None:
    stranger = Person(ana.http, f"user-{uuid4().hex}")

    entry = await ana.post("/internal/audit-events", _event(stranger.user_id))

    assert await stranger.audit() == [entry]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"action": ""}, "/action"),
        ({"action": "x" * 81}, "/action"),
        ({"actor_user_id": ""}, "/actor_user_id"),
        ({"actor_user_id": "a b"}, "/actor_user_id"),
        ({"ua": "x" * 2_001}, "/ua"),
        ({"meta": []}, "/meta"),
        ({"meta": {"a": "\x00"}}, "/meta"),
        ({"at": "2026-01-01T00:00:00Z"}, "/at"),
    ],
)
async def test_event_that_does_not_fit_is_not_written(
    more: dict[str, Any], pointer: str, ana: Person
) -> None:
    before = await ana.audit()

    response = await ana.request(
        "POST", "/internal/audit-events", json=_event(ana.user_id, **more)
    )

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert await ana.audit() == before


async def test_trail_cannot_be_read_with_the_service_token_alone(ana: Person) -> None:
    response = await ana.http.get(
        "/v1/audit", headers={"Authorization": f"Bearer {SERVICE_TOKEN}"}
    )

    assert response.status_code == 401
