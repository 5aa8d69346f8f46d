"""Narrowing a search: by agent, product, category, tags, nearness; and how many come."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import RunJobs
from tests.documents.shelf import search
from tests.people import Person
from vek1_api.core.resources import Resources

TEXTS = {
    "Trocas": "Você pode desistir da compra em até 7 dias após o recebimento do produto.",
    "Frete": "O frete é grátis para compras acima de 150 reais em Belo Horizonte.",
    "Café": "O pacote CAF-500G de café clássico custa 39,90 e tem torra média.",
    "Reuniões": "As reuniões com fornecedores são às terças-feiras, às 10 horas.",
    "Limpeza": "Limpe a máquina com um pano úmido e nunca use água sanitária nela.",
}


@pytest.fixture
async def shop(ana: Person, run_jobs: RunJobs) -> dict[str, str]:
    """Return the ids of a store (``store``) and, by title, of its documents."""
    store = await ana.open_store()
    ids = {"store": store["id"]}
    for title, text in TEXTS.items():
        ids[title] = (await ana.add_document(store["id"], text, title=title))["id"]
    await run_jobs()
    return ids


async def add_product(resources: Resources, store_id: str) -> str:
    """Add a product that does not speak for itself."""
    statement = (
        "INSERT INTO products (store_id, name, price, stock) "
        "VALUES ($1, 'Café', 10, 0) RETURNING id"
    )
    async with resources.database.driver() as driver:
        product_id = await driver.fetchval(statement, UUID(store_id))
        await driver.execute("DELETE FROM documents WHERE product_id = $1", product_id)
    return str(product_id)


def titles(hits: list[Any]) -> list[str]:
    return [hit["title"] for hit in hits]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/query"),
        ({"query": ""}, "/query"),
        ({"query": " \n"}, "/query"),
        ({"query": "a" * 4_001}, "/query"),
        ({"query": "a\x00b"}, "/query"),
        ({"query": 7}, "/query"),
        ({"query": "a", "limit": 0}, "/limit"),
        ({"query": "a", "limit": 51}, "/limit"),
        ({"query": "a", "mode": "magic"}, "/mode"),
        ({"query": "a", "threshold": 1.01}, "/threshold"),
        ({"query": "a", "threshold": 0.5, "mode": "keyword"}, "/threshold"),
        ({"query": "a", "agent_id": "x"}, "/agent_id"),
        ({"query": "a", "agent_id": str(uuid4())}, "/agent_id"),
        ({"query": "a", "product_id": str(uuid4())}, "/product_id"),
        ({"query": "a", "category": ""}, "/category"),
        ({"query": "a", "tags": "loja"}, "/tags"),
        ({"query": "a", "tags": ["x"] * 51}, "/tags"),
        ({"query": "a", "document_id": str(uuid4())}, "/document_id"),
    ],
)
async def test_question_that_cannot_be_answered_is_refused(
    ana: Person, body: dict[str, Any], pointer: str
) -> None:
    store = await ana.open_store()

    response = await ana.request("POST", f"/v1/stores/{store['id']}/search", json=body)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_agent_and_product_of_another_company_are_as_unknown_ones(
    ana: Person, bruno: Person, resources: Resources
) -> None:
    mine, theirs = await ana.open_store(), await bruno.open_store()
    foreign = {
        "agent_id": (await bruno.add_agent(theirs["id"]))["id"],
        "product_id": await add_product(resources, theirs["id"]),
    }
    other_store = await ana.open_store("Outra")
    same_company = {
        "agent_id": (await ana.add_agent(other_store["id"]))["id"],
        "product_id": await add_product(resources, other_store["id"]),
    }

    path = f"/v1/stores/{mine['id']}/search"
    for name in ("agent_id", "product_id"):
        unknown = str(uuid4())
        answers = [
            (await ana.request("POST", path, json={"query": "a", name: each}), each)
            for each in (unknown, foreign[name], same_company[name])
        ]
        plain = set()
        for answer, each in answers:
            assert answer.status_code == 422
            body = answer.json()
            del body["request_id"]
            plain.add(str(body).replace(each, "ID"))
        assert len(plain) == 1


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"category": "a"}, {"1", "2", "3"}),
        ({"category": "A"}, set()),
        ({"tags": ["x"]}, {"1", "2", "4"}),
        ({"tags": ["x", "y"]}, {"2", "4"}),
        ({"tags": ["y", "x", "x"]}, {"2", "4"}),
        ({"tags": []}, {"1", "2", "3", "4", "5"}),
        ({"tags": ["x", "z"]}, set()),
        ({"category": "a", "tags": ["x"]}, {"1", "2"}),
        ({"product_id": True}, {"3", "4"}),
        ({"product_id": True, "category": "a"}, {"3"}),
        ({"agent_id": True}, {"1", "4"}),
        ({"agent_id": True, "category": "a"}, {"1"}),
        ({"agent_id": True, "product_id": True, "tags": ["x", "y"]}, {"4"}),
        ({"agent_id": True, "product_id": True, "category": "a"}, set()),
    ],
    # The order of a set differs from process to process, and so would the names of the tests.
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_filters_hold_together(
    ana: Person,
    filtered: dict[str, str],
    filters: dict[str, Any],
    found: set[str],
    mode: str,
) -> None:
    ids = {name: filtered[name] for name in filters if name in filtered}

    hits = await search(
        ana, filtered["store"], "café", limit=50, mode=mode, **filters | ids
    )

    assert set(titles(hits)) == found
    assert len(hits) == len(found)


@pytest.fixture
async def filtered(ana: Person, resources: Resources, run_jobs: RunJobs) -> dict[str, str]:
    store = (await ana.open_store())["id"]
    product = await add_product(resources, store)
    agent = (await ana.add_agent(store))["id"]
    labels: dict[str, dict[str, Any]] = {
        "1": {"category": "a", "tags": ["x"]},
        "2": {"category": "a", "tags": ["x", "y"]},
        "3": {"category": "a", "product_id": product},
        "4": {"category": "b", "product_id": product, "tags": ["y", "x"]},
        "5": {},
    }
    ids = {
        title: (
            await ana.add_document(store, f"Café número {title}.", title=title, **more)
        )["id"]
        for title, more in labels.items()
    }
    await run_jobs()
    known = {"document_ids": [ids["1"], ids["4"]]}
    response = await ana.request("PUT", f"/v1/agents/{agent}/knowledge-base", json=known)
    assert response.status_code == 200
    return {"store": store, "product_id": product, "agent_id": agent}


async def test_whole_catalogue_adds_what_is_about_products(
    ana: Person, filtered: dict[str, str]
) -> None:
    path = f"/v1/agents/{filtered['agent_id']}/knowledge-base"
    known = (await ana.get(path))["document_ids"][:1]
    body = {"document_ids": known, "whole_catalogue": True}

    response = await ana.request("PUT", path, json=body)

    assert response.status_code == 200
    agent = {"agent_id": filtered["agent_id"]}
    hits = await search(ana, filtered["store"], "café", limit=50, **agent)
    assert {"3", "4"} < set(titles(hits)) | {"1"}
    assert len(hits) == len({hit["document_id"] for hit in hits})
    listed = await ana.get(f"/v1/stores/{filtered['store']}/documents", **agent)
    assert {item["title"] for item in listed["items"]} == set(titles(hits))


async def test_agent_of_another_store_opens_no_catalogue(
    ana: Person, filtered: dict[str, str]
) -> None:
    other = await ana.open_store("Outra")
    agent = (await ana.add_agent(other["id"]))["id"]
    body = {"document_ids": [], "whole_catalogue": True}
    await ana.request("PUT", f"/v1/agents/{agent}/knowledge-base", json=body)

    path = f"/v1/stores/{filtered['store']}/search"
    response = await ana.request("POST", path, json={"query": "café", "agent_id": agent})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/agent_id"


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_agent_that_knows_nothing_answers_nothing(
    ana: Person, shop: dict[str, str], mode: str
) -> None:
    agent = await ana.add_agent(shop["store"])

    hits = await search(ana, shop["store"], "frete", agent_id=agent["id"], mode=mode)

    assert hits == []


async def test_threshold_keeps_what_is_near_enough(
    ana: Person, shop: dict[str, str]
) -> None:
    everything = await search(ana, shop["store"], "frete grátis", limit=50)
    middle = sorted(hit["similarity"] for hit in everything)[2]

    for mode in ("hybrid", "semantic"):
        hits = await search(
            ana, shop["store"], "frete grátis", limit=50, mode=mode, threshold=middle
        )
        assert len(hits) == 3
        assert all(hit["similarity"] >= middle for hit in hits)
    assert await search(ana, shop["store"], "frete grátis", threshold=1) == []
    assert len(await search(ana, shop["store"], "frete grátis", threshold=-1)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
async def test_as_many_come_as_are_asked_for_and_permitted(
    ana: Person, run_jobs: RunJobs, mode: str
) -> None:
    """Slow: 72 passages go through the real model."""
    store = await ana.open_store()
    for number in range(12):
        text = "\n\n".join(
            f"Item {number}.{part}. " + "palavra " * 120 for part in range(6)
        )
        await ana.add_document(store["id"], text)
    await run_jobs()

    for limit in (1, 7, 50):
        hits = await search(ana, store["id"], "item 3.2", limit=limit, mode=mode)
        places = {(hit["document_id"], hit["chunk"]["index"]) for hit in hits}
        assert len(hits) == len(places) == limit
