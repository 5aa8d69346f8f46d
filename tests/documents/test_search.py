"""Search as callers see it: modes, filters, limits, odd questions."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import RunJobs
from tests.documents.embedders import CountingEmbedder
from tests.documents.files import pdf
from tests.documents.shelf import add_file, search, through, with_embedder
from tests.people import Person
from vek1_api.core.resources import Resources

TEXTS = {
    "Trocas": "Você pode desistir da compra em até 7 dias após o recebimento do produto.",
    "Frete": "O frete é grátis para compras acima de 150 reais em Belo Horizonte.",
    "Café": "O pacote CAF-500G de café clássico custa 39,90 e tem torra média.",
    "Reuniões": "As reuniões com fornecedores são às terças-feiras, às 10 horas.",
    "Limpeza": "Limpe a máquina com um pano úmido e nunca use água sanitária nela.",
}
SCORE_FIRST = 1 / 61


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
    statement = (
        "INSERT INTO products (store_id, name, price, stock) "
        "VALUES ($1, 'Café', 10, 0) RETURNING id"
    )
    async with resources.database.driver() as driver:
        return str(await driver.fetchval(statement, UUID(store_id)))


def titles(hits: list[Any]) -> list[str]:
    return [hit["title"] for hit in hits]


async def test_hit_cites_its_passage_and_its_ranks(
    ana: Person, shop: dict[str, str], resources: Resources
) -> None:
    body = {"query": "em quantos dias posso desistir da compra?", "limit": 2}

    answer = await ana.post(f"/v1/stores/{shop['store']}/search", body, status=200)

    assert answer["mode"] == "hybrid"
    assert answer["model"] == resources.embedder.model
    first, second = answer["items"]
    text = TEXTS["Trocas"]
    assert first["document_id"] == shop["Trocas"]
    assert first["title"] == "Trocas"
    assert first["chunk"] == {
        "index": 0,
        "text": text,
        "start": 0,
        "end": len(text),
        "page": None,
    }
    assert first["rank"] == {"semantic": 1, "keyword": 1}
    assert first["score"] == pytest.approx(2 * SCORE_FIRST)
    assert 0 < first["similarity"] <= 1
    assert second["score"] < first["score"]


async def test_semantic_hits_are_in_order_of_similarity(
    ana: Person, shop: dict[str, str]
) -> None:
    hits = await search(ana, shop["store"], "me arrependi, e agora?", mode="semantic")

    assert len(hits) == 5
    similarities = [hit["similarity"] for hit in hits]
    assert similarities == sorted(similarities, reverse=True)
    assert [hit["rank"] for hit in hits] == [
        {"semantic": place, "keyword": None} for place in range(1, 6)
    ]


async def test_keyword_hits_have_a_word_of_the_question_and_need_no_model(
    ana: Person, shop: dict[str, str], resources: Resources
) -> None:
    embedder = CountingEmbedder(resources.embedder)
    caller = through(ana, with_embedder(resources, embedder))
    body = {"query": "frete grátis", "mode": "keyword"}

    answer = await caller.post(f"/v1/stores/{shop['store']}/search", body, status=200)

    assert titles(answer["items"]) == ["Frete"]
    assert answer["model"] is None
    [hit] = answer["items"]
    assert hit["similarity"] is None
    assert hit["rank"] == {"semantic": None, "keyword": 1}
    assert embedder.queries == []


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("CAF-500G", "Café"),
        ("caf-500g", "Café"),
        ("preço do CAF-500G?", "Café"),
        ("caf 500g", "Café"),
        ("cafes", "Café"),
        ("CAFÉ", "Café"),
        ("reuniao", "Reuniões"),
        ("REUNIÕES", "Reuniões"),
        ("reunia\u0303o", "Reuniões"),
        ("maquinas", "Limpeza"),
        ("agua sanitaria", "Limpeza"),
        ("39.90", "Café"),
        ("39,90", "Café"),
        ("R$39,90", "Café"),
    ],
)
async def test_words_are_found_however_they_are_written(
    ana: Person, shop: dict[str, str], query: str, title: str
) -> None:
    assert titles(await search(ana, shop["store"], query, mode="keyword")) == [title]
    assert titles(await search(ana, shop["store"], query))[0] == title


async def test_part_number_is_not_taken_for_its_neighbour(
    ana: Person, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    for weight in ("250G", "500G", "1000G"):
        await ana.add_document(store["id"], f"Pacote CAF-{weight}.", title=f"CAF-{weight}")
    await run_jobs()

    hits = await search(ana, store["id"], "CAF-500G", mode="keyword")

    assert hits[0]["title"] == "CAF-500G"
    assert hits[0]["score"] > hits[1]["score"]


@pytest.mark.parametrize(
    "query",
    [
        "☕",
        "👩‍👩‍👧 🇧🇷",
        "'; DROP TABLE documents; --",
        "a' | b & !c <-> (d:*",
        "\\",
        "%_%",
        "\u202e\u200b\ufeff",
        "ﷺ",
        "中文 العربية",
        "\x01\x02",
        "a" * 4_000,
        "é\u0301" * 2_000,
        "-" * 4_000,
        ". / _ -",
        "o a os as de da do em para",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
async def test_odd_question_is_answered_and_harms_nothing(
    ana: Person, shop: dict[str, str], query: str, mode: str
) -> None:
    hits = await search(ana, shop["store"], query, mode=mode)

    is_without_meaning = query == "\x01\x02"
    assert len(hits) == (0 if mode == "keyword" or is_without_meaning else 5)
    assert len((await ana.get(f"/v1/stores/{shop['store']}/documents"))["items"]) == 5


async def test_question_of_four_thousand_characters_is_answered(
    ana: Person, shop: dict[str, str]
) -> None:
    words = " ".join("zyx"[n % 3] * (n % 60 + 4) for n in range(400))
    query = ("como limpar a máquina " + words)[:4_000]

    [hit] = await search(ana, shop["store"], query, mode="keyword")

    assert hit["title"] == "Limpeza"


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_empty_store_answers_with_nothing(ana: Person, mode: str) -> None:
    store = await ana.open_store()

    assert await search(ana, store["id"], "frete", mode=mode) == []


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


async def test_store_of_another_company_is_not_found(
    ana: Person, bruno: Person, shop: dict[str, str]
) -> None:
    path = f"/v1/stores/{shop['store']}/search"

    for body in ({"query": "frete"}, {"query": "frete", "agent_id": str(uuid4())}):
        response = await bruno.request("POST", path, json=body)
        assert response.status_code == 404
    assert titles(await search(ana, shop["store"], "frete", limit=1)) == ["Frete"]


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
    ids=str,
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


async def test_deleted_document_never_answers_again(
    ana: Person, shop: dict[str, str]
) -> None:
    await ana.delete(f"/v1/documents/{shop['Frete']}")

    for mode in ("hybrid", "semantic", "keyword"):
        hits = await search(ana, shop["store"], "frete grátis", limit=50, mode=mode)
        assert "Frete" not in titles(hits)


async def test_deleted_store_never_answers_again(ana: Person, shop: dict[str, str]) -> None:
    await ana.delete(f"/v1/stores/{shop['store']}")

    path = f"/v1/stores/{shop['store']}/search"
    response = await ana.request("POST", path, json={"query": "frete"})

    assert response.status_code == 404


async def test_page_of_a_passage_is_cited(ana: Person, run_jobs: RunJobs) -> None:

    store = await ana.open_store()
    await add_file(
        ana,
        store["id"],
        "m.pdf",
        pdf(["O frete custa 9 reais."], ["A garantia dura um ano."]),
    )
    await run_jobs()

    [hit] = await search(ana, store["id"], "quanto dura a garantia?", limit=1)

    assert hit["chunk"]["page"] == 2
    assert "garantia" in hit["chunk"]["text"]


async def test_answer_is_the_same_each_time(ana: Person, shop: dict[str, str]) -> None:
    first = await search(ana, shop["store"], "café", limit=50)

    assert [await search(ana, shop["store"], "café", limit=50) for _ in range(3)] == [
        first
    ] * 3


async def test_search_with_a_key_is_replayed(ana: Person, shop: dict[str, str]) -> None:
    path = f"/v1/stores/{shop['store']}/search"
    options: dict[str, Any] = {
        "json": {"query": "frete"},
        "headers": {"Idempotency-Key": "pergunta"},
    }

    first = await ana.request("POST", path, **options)
    await ana.delete(f"/v1/documents/{shop['Frete']}")
    again = await ana.request("POST", path, **options)

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
