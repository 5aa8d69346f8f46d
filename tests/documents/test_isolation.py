"""Nobody's passages crowd out, or slip in among, those that may answer."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from tests.documents.crowd import (
    HNSW,
    Rows,
    another_database,
    directions,
    noise,
    put,
)
from tests.documents.embedders import WordEmbedder
from tests.documents.shelf import client_of, search, with_embedder
from tests.people import Person
from vek1_api.core.resources import Resources
from vek1_api.core.schema import heal_database
from vek1_api.documents import indexing
from vek1_api.opening import database_url as url_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
"""Slow: 29,000 vectors are written and indexed once, for all tests of this file."""

WIDTH = 64
QUESTION = "agulha no palheiro"
FOREIGN, OUTSIDE, BIG = 20_000, 5_000, 4_000


@dataclass(frozen=True)
class World:
    resources: Resources
    ana: Person
    store: str
    """Three passages of ``agent``, far from the question, and 5,000 near it of nobody's."""
    agent: str
    known: str
    big: str
    big_vectors: Rows
    foreign_document: str
    foreign_store: str


@pytest.fixture(scope="module")
async def world(resources: Resources, database_url: str) -> AsyncGenerator[World]:
    embedder = WordEmbedder(f"crowd-{uuid4().hex}", WIDTH)
    async with another_database(resources, database_url) as elsewhere:
        mine = with_embedder(elsewhere, embedder)
        client = client_of(mine)
        ana, bruno = Person(client, "ana"), Person(client, "bruno")
        for person in (ana, bruno):
            await person.sign_up()
        store, big = (
            (await ana.open_store("Uma"))["id"],
            (await ana.open_store("Outra"))["id"],
        )
        theirs = (await bruno.open_store("Deles"))["id"]
        agent = (await ana.add_agent(store))["id"]
        model = await indexing.current_model(mine)
        question = (await embedder.embed_query(QUESTION))[:WIDTH]
        across = noise("across", 3, WIDTH)
        across -= np.outer(across @ question, question)
        big_vectors = directions(noise("big", BIG, WIDTH))
        async with mine.database.driver() as driver:
            await driver.execute(f"DROP INDEX {HNSW}")
            near = directions(question + 0.01 * noise("foreign", FOREIGN, WIDTH))
            foreign = await put(driver, theirs, model, "Deles", near)
            outside = directions(question + 0.02 * noise("outside", OUTSIDE, WIDTH))
            await put(driver, store, model, "De ninguém", outside)
            far = directions(
                0.3 * question + across / np.linalg.norm(across, axis=1)[:, None]
            )
            known = await put(driver, store, model, "Sabido", far)
            other = await driver.fetchval(
                "INSERT INTO vek1_api.embedding_models (name, dimensions) "
                "VALUES ('outro', 64) RETURNING id"
            )
            await driver.execute(
                "INSERT INTO vek1_api.chunk_vectors "
                "SELECT document_id, index, $1, store_id, $3 FROM vek1_api.document_chunks "
                "WHERE document_id = $2",
                other,
                UUID(known),
                directions(question[None, :])[0],
            )
            await put(driver, big, model, "Grande", big_vectors)
        await heal_database(url_of(mine.settings))
        body = {"document_ids": [known]}
        answer = await ana.request("PUT", f"/v1/agents/{agent}/knowledge-base", json=body)
        assert answer.status_code == 200
        yield World(mine, ana, store, agent, known, big, big_vectors, foreign, theirs)


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("mode", ["semantic", "hybrid"])
async def test_agent_gets_all_it_knows_among_thousands_that_are_nearer(
    world: World, limit: int, mode: str
) -> None:
    options: dict[str, Any] = {"agent_id": world.agent, "limit": limit, "mode": mode}

    hits = await search(world.ana, world.store, QUESTION, **options)

    assert len(hits) == min(limit, 3)
    assert {hit["document_id"] for hit in hits} == {world.known}
    assert [hit["rank"]["semantic"] for hit in hits] == list(range(1, len(hits) + 1))


async def test_vectors_of_another_model_are_never_compared(world: World) -> None:
    hits = await search(
        world.ana, world.store, QUESTION, agent_id=world.agent, mode="semantic"
    )

    assert [hit["similarity"] for hit in hits] == pytest.approx([0.287] * 3, abs=0.01)
    assert len({hit["chunk"]["index"] for hit in hits}) == 3


@pytest.mark.parametrize("limit", [1, 10, 50])
async def test_store_gets_as_many_as_it_asks_for_among_foreign_ones(
    world: World, limit: int
) -> None:
    hits = await search(world.ana, world.store, QUESTION, limit=limit, mode="semantic")

    assert len({hit["chunk"]["index"] for hit in hits}) == limit
    assert {hit["title"] for hit in hits} == {"De ninguém"}


async def test_far_store_gets_as_many_as_it_asks_for_among_nearer_foreign_ones(
    world: World,
) -> None:
    hits = await search(world.ana, world.big, QUESTION, limit=50, mode="semantic")

    assert len(hits) == 50
    assert {hit["title"] for hit in hits} == {"Grande"}


async def test_large_store_answers_as_an_exact_search_does(world: World) -> None:
    found = 0
    for number in range(20):
        question = f"pergunta {number} sobre o assunto {number * number}"
        vector = await world.resources.embedder.embed_query(question)
        exact = np.argsort(world.big_vectors @ vector)[::-1][:10]

        hits = await search(world.ana, world.big, question, limit=10, mode="semantic")

        similarities = [hit["similarity"] for hit in hits]
        assert similarities == sorted(similarities, reverse=True)
        found += len({hit["chunk"]["index"] for hit in hits} & set(exact.tolist()))
    assert found / 200 >= 0.9


async def test_approximate_and_exact_paths_agree(world: World) -> None:
    """The function chooses by size; a copy of it takes the approximate path here."""
    vector = json.dumps((await world.resources.embedder.embed_query("um dois")).tolist())
    answers = []
    async with world.resources.database.driver() as driver:
        whole = await driver.fetchval(
            "SELECT pg_get_functiondef('vek1_api.search_passages'::regproc)"
        )
        copy = re.sub(r"(exact_below CONSTANT int := )\d+", r"\1 0", whole)
        assert copy != whole
        await driver.execute(copy.replace("search_passages", "search_nearly", 1))
        for name in ("search_passages", "search_nearly"):
            rows = await driver.fetch(
                f"SELECT passage FROM vek1_api.{name}($1, (SELECT max(model_id) FROM "
                "vek1_api.chunk_vectors WHERE store_id = $1), $2::text::vector, NULL, NULL, "
                "NULL, NULL, NULL, 10, NULL)",
                UUID(world.big),
                vector,
            )
            answers.append({row["passage"] for row in rows})

    assert len(answers[0]) == len(answers[1]) == 10
    assert len(answers[0] & answers[1]) >= 9


async def test_what_is_deleted_leaves_room_for_no_gap(world: World) -> None:
    """Last: it deletes the nearest 20,000, whose dead entries stay in the index."""
    async with world.resources.database.driver() as driver:
        await driver.execute(
            "DELETE FROM documents WHERE id = $1", UUID(world.foreign_document)
        )

    hits = await search(world.ana, world.store, QUESTION, limit=50, mode="semantic")
    known = await search(world.ana, world.store, QUESTION, agent_id=world.agent)

    assert len(hits) == 50
    assert len(known) == 3
    bruno = Person(world.ana.http, "bruno")
    assert await search(bruno, world.foreign_store, QUESTION, mode="semantic") == []
