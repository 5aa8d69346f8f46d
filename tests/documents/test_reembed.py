"""From one embedding model to another, while the service runs."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID, uuid4

import pytest
from typing_extensions import override

from tests.documents.crowd import another_database
from tests.documents.embedders import WordEmbedder
from tests.documents.shelf import chunks, client_of, search, with_embedder
from tests.jobs.running import drain
from tests.people import Person
from vek1_api.core.embedding import (
    EmbeddingMismatchError,
    EmbeddingRefusedError,
    EmbeddingUnavailableError,
    Vector,
)
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing
from vek1_api.documents.reembed import forget_other_models, reembed
from vek1_api.opening import database_url as url_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
"""Slow: it concerns every document of a database, so each test makes one of its own."""

TEXTS = [f"A loja {number} abre às {number} horas da manhã." for number in range(1, 8)]
QUESTION = "quando abre a loja 3?"


class FailingEmbedder(WordEmbedder):
    """A model that is down after some calls."""

    def __init__(self, model: str, good_calls: int) -> None:
        super().__init__(model)
        self._good_calls = good_calls

    @override
    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        if self.calls == self._good_calls:
            reason = "down"
            raise EmbeddingUnavailableError(reason)
        return await super().embed_passages(texts)


class RefusingEmbedder(WordEmbedder):
    """A model that takes no text with a three in it."""

    @override
    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        if any("3" in text for text in texts):
            reason = "three"
            raise EmbeddingRefusedError(reason)
        return await super().embed_passages(texts)


@pytest.fixture
async def old(resources: Resources, database_url: str) -> AsyncGenerator[Resources]:
    """Lend a service whose model is the old one."""
    async with another_database(resources, database_url) as elsewhere:
        yield with_embedder(elsewhere, WordEmbedder(f"old-{uuid4().hex}"))


@pytest.fixture
def new(old: Resources) -> Resources:
    """Return the same service with the settings of tomorrow."""
    return with_embedder(old, WordEmbedder(f"new-{uuid4().hex}", 384))


@pytest.fixture
async def owner(old: Resources) -> Person:
    owner = Person(client_of(old), "dona")
    await owner.sign_up()
    return owner


@pytest.fixture
async def store(owner: Person, old: Resources) -> str:
    """Return the id of a store whose documents the old model has indexed."""
    store = str((await owner.open_store())["id"])
    for text in TEXTS:
        await owner.add_document(store, text)
    await drain(old, url_of(old.settings))
    return store


async def count_vectors(resources: Resources) -> dict[str, int]:
    """Return how many vectors there are of each model."""
    statement = (
        "SELECT name, count(v.*) FROM vek1_api.embedding_models AS m "
        "LEFT JOIN vek1_api.chunk_vectors AS v ON v.model_id = m.id GROUP BY name"
    )
    async with resources.database.driver() as driver:
        return {row["name"]: row["count"] for row in await driver.fetch(statement)}


async def test_old_model_answers_all_along_and_the_new_one_afterwards(
    owner: Person, store: str, old: Resources, new: Resources
) -> None:
    before = await search(owner, store, QUESTION, mode="semantic")
    model = new.embedder
    assert isinstance(model, WordEmbedder)
    model.gate.clear()
    progress: list[tuple[int, int]] = []
    moving = asyncio.create_task(
        reembed(new, progress=lambda done, total: progress.append((done, total)))
    )
    await model.begun.wait()

    assert await search(owner, store, QUESTION, mode="semantic") == before
    model.gate.set()
    assert await moving == len(TEXTS)

    assert progress == [(done, len(TEXTS)) for done in range(len(TEXTS) + 1)]
    assert await search(owner, store, QUESTION, mode="semantic") == before
    tomorrow = Person(client_of(new), owner.user_id)
    answer = await tomorrow.post(
        f"/v1/stores/{store}/search", {"query": QUESTION}, status=200
    )
    assert answer["model"] == model.model
    assert len(answer["items"]) == 5
    assert "A loja 3" in answer["items"][0]["chunk"]["text"]
    assert all(hit["similarity"] is not None for hit in answer["items"])
    listed = (await owner.get(f"/v1/stores/{store}/documents"))["items"]
    assert {item["index_status"] for item in listed} == {"ready"}
    assert await count_vectors(old) == {
        old.embedder.model: len(TEXTS),
        model.model: len(TEXTS),
    }


async def test_vectors_of_the_old_model_are_never_compared_with_the_new(
    owner: Person, store: str, new: Resources
) -> None:
    tomorrow = Person(client_of(new), owner.user_id)

    assert await search(tomorrow, store, QUESTION, mode="semantic") == []
    for hit in await search(tomorrow, store, QUESTION):
        assert hit["similarity"] is None
        assert hit["rank"]["semantic"] is None
    assert await search(tomorrow, store, QUESTION, threshold=-1) == []


@pytest.mark.usefixtures("store")
async def test_move_that_is_stopped_goes_on_where_it_was(old: Resources) -> None:
    name = f"new-{uuid4().hex}"
    down = with_embedder(old, FailingEmbedder(name, good_calls=3))
    with pytest.raises(EmbeddingUnavailableError):
        await reembed(down, progress=lambda _done, _total: None)
    assert (await count_vectors(old))[name] == 3
    again = WordEmbedder(name)

    done = await reembed(with_embedder(old, again), progress=lambda _done, _total: None)

    assert done == again.calls == len(TEXTS) - 3
    assert (await count_vectors(old))[name] == len(TEXTS)
    third = WordEmbedder(name)
    assert await reembed(with_embedder(old, third), progress=lambda _d, _t: None) == 0
    assert third.calls == 0


async def test_what_the_old_service_writes_meanwhile_is_moved_by_a_second_run(
    owner: Person, store: str, old: Resources, new: Resources
) -> None:
    await reembed(new, progress=lambda _done, _total: None)
    [first, *_] = (await owner.get(f"/v1/stores/{store}/documents"))["items"]
    await owner.patch(f"/v1/documents/{first['id']}", {"content": "A loja 3 mudou."})
    added = await owner.add_document(store, "A loja 9 abre sempre.")
    await drain(old, url_of(old.settings))

    assert await reembed(new, progress=lambda _done, _total: None) == 2

    tomorrow = Person(client_of(new), owner.user_id)
    hits = await search(tomorrow, store, "loja", limit=50, mode="semantic")
    assert len(hits) == len(TEXTS) + 1
    assert {first["id"], added["id"]} <= {hit["document_id"] for hit in hits}


async def test_other_models_are_forgotten_and_their_vectors_gone(
    owner: Person, store: str, old: Resources, new: Resources
) -> None:
    await reembed(new, progress=lambda _done, _total: None)

    assert await forget_other_models(new) == len(TEXTS)

    assert await count_vectors(old) == {
        old.embedder.model: 0,
        new.embedder.model: len(TEXTS),
    }
    assert await search(owner, store, QUESTION, mode="semantic") == []
    tomorrow = Person(client_of(new), owner.user_id)
    assert len(await search(tomorrow, store, QUESTION, mode="semantic")) == 5


async def test_text_that_the_new_model_refuses_still_answers_by_the_old(
    owner: Person, store: str, new: Resources
) -> None:
    before = await search(owner, store, QUESTION)
    model = RefusingEmbedder(new.embedder.model)

    await reembed(with_embedder(new, model), progress=lambda _done, _total: None)

    assert await search(owner, store, QUESTION) == before
    listed = (await owner.get(f"/v1/stores/{store}/documents"))["items"]
    assert {item["index_status"] for item in listed} == {"ready"}


async def test_same_name_with_another_dimension_is_refused_and_changes_nothing(
    owner: Person, store: str, old: Resources
) -> None:
    changed = WordEmbedder(old.embedder.model, 128)
    mine = with_embedder(old, changed)
    before = await count_vectors(old)
    document = await owner.add_document(store, "Um texto novo.")

    with pytest.raises(EmbeddingMismatchError, match="reembed"):
        await indexing.index(mine, UUID(document["id"]), 1)
    with pytest.raises(EmbeddingMismatchError):
        await reembed(mine, progress=lambda _done, _total: None)

    assert changed.calls == 0
    assert await count_vectors(old) == before
    assert await chunks(owner, document["id"]) == []


async def test_question_of_another_dimension_is_not_compared(
    owner: Person, store: str, old: Resources
) -> None:
    changed = with_embedder(old, WordEmbedder(old.embedder.model, 128))
    caller = Person(client_of(changed), owner.user_id)

    response = await caller.request(
        "POST", f"/v1/stores/{store}/search", json={"query": QUESTION}
    )

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
