"""What an agent knows: documents of its own store, and nothing of anybody else's."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import RunJobs
from tests.documents.shelf import search
from tests.people import Person


@pytest.fixture
async def shop(ana: Person) -> dict[str, Any]:
    """Return a store, an agent and three documents."""
    store = (await ana.open_store())["id"]
    agent = (await ana.add_agent(store))["id"]
    documents = [
        (await ana.add_document(store, f"A loja {number}."))["id"] for number in range(3)
    ]
    path = f"/v1/agents/{agent}/knowledge-base"
    return {"store": store, "agent": agent, "documents": documents, "path": path}


async def put(person: Person, path: str, *documents: str, **more: Any) -> Any:
    body = {"document_ids": list(documents), **more}
    response = await person.request("PUT", path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_new_agent_knows_nothing(ana: Person, shop: dict[str, Any]) -> None:
    assert await ana.get(shop["path"]) == {
        "agent_id": shop["agent"],
        "document_ids": [],
        "whole_catalogue": False,
    }


async def test_replacing_makes_it_exactly_this(ana: Person, shop: dict[str, Any]) -> None:
    first, second, third = shop["documents"]

    await put(ana, shop["path"], first, second)
    answer = await put(ana, shop["path"], second, third, third, whole_catalogue=True)

    assert set(answer["document_ids"]) == {second, third}
    assert len(answer["document_ids"]) == 2
    assert answer["whole_catalogue"] is True
    assert await ana.get(shop["path"]) == answer
    entry = (await ana.audit(action="knowledge_base.replaced"))[0]
    assert entry["target_id"] == shop["agent"]
    assert entry["meta"] == {
        "added": [third],
        "removed": [first],
        "whole_catalogue": True,
    }


async def test_leaving_whole_catalogue_out_is_no(ana: Person, shop: dict[str, Any]) -> None:
    await put(ana, shop["path"], whole_catalogue=True)

    assert (await put(ana, shop["path"]))["whole_catalogue"] is False


@pytest.mark.parametrize("kind", ["unknown", "other store", "other company", "deleted"])
async def test_document_out_of_reach_changes_nothing(
    ana: Person, bruno: Person, shop: dict[str, Any], kind: str
) -> None:
    first, second, third = shop["documents"]
    await put(ana, shop["path"], first)
    foreign = str(uuid4())
    if kind == "other store":
        other = (await ana.open_store("Outra"))["id"]
        foreign = (await ana.add_document(other, "Oi."))["id"]
    elif kind == "other company":
        theirs = (await bruno.open_store())["id"]
        foreign = (await bruno.add_document(theirs, "Oi."))["id"]
    elif kind == "deleted":
        foreign = third
        await ana.delete(f"/v1/documents/{third}")
    before = await ana.get(shop["path"])

    body = {"document_ids": [second, foreign]}
    by_put = await ana.request("PUT", shop["path"], json=body)
    by_post = await ana.request("POST", f"{shop['path']}/{foreign}")
    by_delete = await ana.request("DELETE", f"{shop['path']}/{foreign}")

    assert by_put.status_code == by_post.status_code == by_delete.status_code == 422
    [problem] = by_put.json()["errors"]
    assert problem["pointer"] == "/document_ids/1"
    assert await ana.get(shop["path"]) == before


async def test_agent_of_another_company_is_not_found(
    ana: Person, bruno: Person, shop: dict[str, Any]
) -> None:
    document = shop["documents"][0]
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", shop["path"], {}),
        ("PUT", shop["path"], {"json": {"document_ids": [document]}}),
        ("POST", f"{shop['path']}/{document}", {}),
        ("DELETE", f"{shop['path']}/{document}", {}),
    ]

    for method, path, options in requests:
        response = await bruno.request(method, path, **options)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert (await ana.get(shop["path"]))["document_ids"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/document_ids"),
        ({"document_ids": "x"}, "/document_ids"),
        ({"document_ids": ["x"]}, "/document_ids/0"),
        ({"document_ids": [], "whole_catalogue": "sim"}, "/whole_catalogue"),
        ({"document_ids": [], "whole_catalogue": None}, "/whole_catalogue"),
        ({"document_ids": [], "tudo": True}, "/tudo"),
    ],
)
async def test_replacement_that_is_none_is_refused(
    ana: Person, shop: dict[str, Any], body: dict[str, Any], pointer: str
) -> None:
    response = await ana.request("PUT", shop["path"], json=body)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_adding_and_removing_twice_is_as_once(
    ana: Person, shop: dict[str, Any]
) -> None:
    document = shop["documents"][0]
    path = f"{shop['path']}/{document}"

    added = [await ana.request("POST", path) for _ in range(2)]
    removed = [await ana.request("DELETE", path) for _ in range(2)]

    assert [response.status_code for response in added] == [200, 200]
    assert added[0].json() == added[1].json()
    assert added[0].json()["document_ids"] == [document]
    assert [response.status_code for response in removed] == [204, 204]
    assert (await ana.get(shop["path"]))["document_ids"] == []
    for action in ("knowledge_base.extended", "knowledge_base.reduced"):
        assert len(await ana.audit(action=action)) == 1


async def test_many_additions_at_once_all_hold(ana: Person, shop: dict[str, Any]) -> None:
    answers = await asyncio.gather(
        *(
            ana.request("POST", f"{shop['path']}/{document}")
            for document in shop["documents"] * 3
        )
    )

    assert {answer.status_code for answer in answers} == {200}
    assert set((await ana.get(shop["path"]))["document_ids"]) == set(shop["documents"])


async def test_many_replacements_at_once_end_as_one_of_them(
    ana: Person, shop: dict[str, Any]
) -> None:
    first, second, third = shop["documents"]
    wanted = [(first,), (second, third), (first, second, third), ()]

    await asyncio.gather(*(put(ana, shop["path"], *each) for each in wanted * 2))

    found = (await ana.get(shop["path"]))["document_ids"]
    assert set(found) in [set(each) for each in wanted]


async def test_deleted_document_is_no_longer_known(
    ana: Person, shop: dict[str, Any]
) -> None:
    first, second, _ = shop["documents"]
    await put(ana, shop["path"], first, second)

    await ana.delete(f"/v1/documents/{first}")

    assert (await ana.get(shop["path"]))["document_ids"] == [second]


async def test_what_is_forgotten_no_longer_answers(
    ana: Person, shop: dict[str, Any], run_jobs: RunJobs
) -> None:
    first, second, _ = shop["documents"]
    await put(ana, shop["path"], first, second)
    await run_jobs()
    asked: dict[str, Any] = {"agent_id": shop["agent"], "limit": 50}
    known = await search(ana, shop["store"], "a loja", **asked)
    assert {hit["document_id"] for hit in known} == {first, second}

    await ana.delete(f"{shop['path']}/{second}")

    known = await search(ana, shop["store"], "a loja", **asked)
    assert {hit["document_id"] for hit in known} == {first}
    everything = await search(ana, shop["store"], "a loja", limit=50)
    assert {hit["document_id"] for hit in everything} == set(shop["documents"])


async def test_two_agents_know_different_things(
    ana: Person, shop: dict[str, Any], run_jobs: RunJobs
) -> None:
    first, second, _ = shop["documents"]
    other = (await ana.add_agent(shop["store"], "Bia"))["id"]
    await put(ana, shop["path"], first)
    await put(ana, f"/v1/agents/{other}/knowledge-base", second)
    await run_jobs()

    for agent, document in ((shop["agent"], first), (other, second)):
        hits = await search(ana, shop["store"], "a loja", agent_id=agent, limit=50)
        assert [hit["document_id"] for hit in hits] == [document]
        listed = await ana.get(f"/v1/stores/{shop['store']}/documents", agent_id=agent)
        assert [item["id"] for item in listed["items"]] == [document]


async def test_old_version_changes_nothing(ana: Person, shop: dict[str, Any]) -> None:
    first, second, _ = shop["documents"]
    etag = (await ana.request("GET", shop["path"])).headers["ETag"]
    await put(ana, shop["path"], first)

    response = await ana.request(
        "PUT", shop["path"], json={"document_ids": [second]}, headers={"If-Match": etag}
    )

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert (await ana.get(shop["path"]))["document_ids"] == [first]


async def test_deleted_agent_knows_nothing_and_its_documents_stay(
    ana: Person, shop: dict[str, Any]
) -> None:
    await put(ana, shop["path"], *shop["documents"])

    await ana.delete(f"/v1/agents/{shop['agent']}")

    assert (await ana.request("GET", shop["path"])).status_code == 404
    listed = (await ana.get(f"/v1/stores/{shop['store']}/documents"))["items"]
    assert {item["id"] for item in listed} == set(shop["documents"])
