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
    assert first["score"] == pytest.approx(1)
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


async def test_store_of_another_company_is_not_found(
    ana: Person, bruno: Person, shop: dict[str, str]
) -> None:
    path = f"/v1/stores/{shop['store']}/search"

    for body in ({"query": "frete"}, {"query": "frete", "agent_id": str(uuid4())}):
        response = await bruno.request("POST", path, json=body)
        assert response.status_code == 404
    assert titles(await search(ana, shop["store"], "frete", limit=1)) == ["Frete"]


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
