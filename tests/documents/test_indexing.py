"""From a stored document to passages: what is embedded, when, and what a failure leaves."""

import asyncio
from typing import Any
from uuid import UUID, uuid4


from tests.conftest import RunJobs
from tests.documents.embedders import CountingEmbedder, WordEmbedder
from tests.documents.shelf import (
    add_file,
    chunks,
    search,
    through,
    with_embedder,
)
from tests.jobs.running import count_jobs, drain, forget_jobs
from tests.people import Person
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, jobs

PARAGRAPHS = [
    f"Parágrafo {number}: "
    + f"o item {number} custa {number * 7} reais e chega logo. " * 12
    for number in range(1, 9)
]
LONG_TEXT = "\n\n".join(PARAGRAPHS)


def counting(resources: Resources) -> tuple[Resources, CountingEmbedder]:
    embedder = CountingEmbedder(resources.embedder)
    return with_embedder(resources, embedder), embedder


async def rows_of(resources: Resources, document_id: str) -> dict[str, Any]:
    """Return all that the index holds of a document, as it stands in the tables."""
    async with resources.database.driver() as driver:
        return {
            table: [
                dict(row)
                for row in await driver.fetch(
                    f"SELECT *, ctid::text FROM vek1_api.{table} "
                    "WHERE document_id = $1 ORDER BY index",
                    UUID(document_id),
                )
            ]
            for table in ("document_chunks", "chunk_vectors")
        }


async def revision_of(resources: Resources, document_id: str) -> int:
    statement = "SELECT revision FROM vek1_api.document_index WHERE document_id = $1"
    async with resources.database.driver() as driver:
        return int(await driver.fetchval(statement, UUID(document_id)))


async def test_only_changed_passages_are_embedded_again(
    ana: Person, resources: Resources, database_url: str
) -> None:
    mine, embedder = counting(resources)
    store = await ana.open_store()
    document = await ana.add_document(store["id"], LONG_TEXT)
    await drain(mine, database_url)
    count = len(await chunks(ana, document["id"]))
    assert len(embedder.passages) == count > 4
    embedder.passages.clear()

    changed = LONG_TEXT.replace("o item 4 custa 28", "o item 4 custa 29")
    await ana.patch(f"/v1/documents/{document['id']}", {"content": changed})
    await drain(mine, database_url)

    assert 1 <= len(embedder.passages) <= 2
    assert all("custa 29" in text for text in embedder.passages)
    for chunk in await chunks(ana, document["id"]):
        assert changed[chunk["start"] : chunk["end"]] == chunk["text"]


async def test_text_put_in_front_moves_passages_without_embedding_them(
    ana: Person, resources: Resources, database_url: str
) -> None:
    mine, embedder = counting(resources)
    store = await ana.open_store()
    document = await ana.add_document(store["id"], LONG_TEXT)
    await drain(mine, database_url)
    count = len(await chunks(ana, document["id"]))
    embedder.passages.clear()

    changed = "Aviso novo, antes de tudo. " * 20 + "\n\n" + LONG_TEXT
    await ana.patch(f"/v1/documents/{document['id']}", {"content": changed})
    await drain(mine, database_url)

    assert len(embedder.passages) < count / 2
    for chunk in await chunks(ana, document["id"]):
        assert changed[chunk["start"] : chunk["end"]] == chunk["text"]


async def test_title_is_part_of_what_a_passage_means(
    ana: Person, resources: Resources, database_url: str
) -> None:
    mine, embedder = counting(resources)
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Custa 10 reais.", title="Bolo")
    await drain(mine, database_url)

    await ana.patch(f"/v1/documents/{document['id']}", {"title": "Empadinha"})
    await drain(mine, database_url)

    assert embedder.passages == ["Bolo\nCusta 10 reais.", "Empadinha\nCusta 10 reais."]
    [hit] = await search(ana, store["id"], "empadinhas", mode="keyword")
    assert hit["document_id"] == document["id"]
    assert hit["title"] == "Empadinha"
    assert await search(ana, store["id"], "bolo", mode="keyword") == []


async def test_change_of_something_else_indexes_nothing(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Um texto.")
    await run_jobs()
    before = await rows_of(resources, document["id"])

    changed = await ana.patch(f"/v1/documents/{document['id']}", {"category": "avisos"})

    assert changed["index_status"] == "ready"
    assert await count_jobs(resources) == 0
    assert await rows_of(resources, document["id"]) == before


async def test_document_is_pending_again_while_its_old_passages_answer(
    ana: Person, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O frete é grátis.")
    await run_jobs()

    changed = await ana.patch(
        f"/v1/documents/{document['id']}", {"content": "Frete: 9 reais."}
    )

    assert changed["index_status"] == "pending"
    await run_jobs()
    [hit] = await search(ana, store["id"], "frete")
    assert hit["chunk"]["text"] == "Frete: 9 reais."


async def test_running_twice_is_the_same_as_once(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], LONG_TEXT)
    await run_jobs()
    before = await rows_of(resources, document["id"])

    await indexing.index(resources, UUID(document["id"]), 1)

    assert await rows_of(resources, document["id"]) == before


async def test_running_twice_at_once_is_the_same_as_once(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], LONG_TEXT)

    runs = (indexing.index(resources, UUID(document["id"]), 1) for _ in range(4))
    await asyncio.gather(*runs)

    rows = await rows_of(resources, document["id"])
    found = await ana.get(f"/v1/documents/{document['id']}")
    assert found["index_status"] == "ready"
    assert (
        len(rows["document_chunks"]) == len(rows["chunk_vectors"]) == found["chunk_count"]
    )
    await forget_jobs(resources)


async def test_late_run_of_an_old_revision_changes_nothing(
    ana: Person, resources: Resources
) -> None:
    slow = WordEmbedder(f"slow-{uuid4().hex}")
    slow.gate.clear()
    mine = with_embedder(resources, slow)
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O texto velho.")
    late = asyncio.create_task(indexing.index(mine, UUID(document["id"]), 1))
    await slow.begun.wait()
    await ana.patch(f"/v1/documents/{document['id']}", {"content": "O texto novo."})

    slow.gate.set()
    await late

    assert await rows_of(resources, document["id"]) == {
        "document_chunks": [],
        "chunk_vectors": [],
    }
    found = await ana.get(f"/v1/documents/{document['id']}")
    assert (found["content"], found["index_status"]) == ("O texto novo.", "pending")
    await indexing.index(mine, UUID(document["id"]), 1)
    assert await chunks(ana, document["id"]) == []
    await forget_jobs(resources)


async def test_late_failure_of_an_old_revision_changes_nothing(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "foto.png", b"\x89PNG\r\n\x1a\n" + bytes(20))
    await ana.patch(f"/v1/documents/{taken['id']}", {"content": "A foto mostra a loja."})

    await indexing.index(resources, UUID(taken["id"]), 1)

    assert (await ana.get(f"/v1/documents/{taken['id']}"))["index_status"] == "pending"
    await run_jobs()
    assert (await ana.get(f"/v1/documents/{taken['id']}"))["index_status"] == "ready"


async def test_document_deleted_while_it_is_indexed_stays_gone(
    ana: Person, resources: Resources
) -> None:
    slow = WordEmbedder(f"slow-{uuid4().hex}")
    slow.gate.clear()
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Some daqui a pouco.")
    late = asyncio.create_task(
        indexing.index(with_embedder(resources, slow), UUID(document["id"]), 1)
    )
    await slow.begun.wait()
    await ana.delete(f"/v1/documents/{document['id']}")

    slow.gate.set()
    await late

    assert await rows_of(resources, document["id"]) == {
        "document_chunks": [],
        "chunk_vectors": [],
    }
    async with resources.database.driver() as driver:
        assert not await driver.fetch(
            "SELECT FROM vek1_api.document_index WHERE document_id = $1",
            UUID(document["id"]),
        )
    await forget_jobs(resources)


async def test_document_of_the_front_ends_own_is_found_and_indexed(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    async with resources.database.driver() as driver:
        stranger = await driver.fetchval(
            "INSERT INTO documents (store_id, title, content) "
            "VALUES ($1, 'Frete', 'O frete é grátis.') RETURNING id",
            UUID(store["id"]),
        )
    before = await ana.get(f"/v1/documents/{stranger}")
    assert (before["index_status"], before["chunk_count"]) == ("pending", 0)

    await jobs.resume(resources)
    await run_jobs()

    assert (await ana.get(f"/v1/documents/{stranger}"))["index_status"] == "ready"
    [hit] = await search(ana, store["id"], "frete")
    assert hit["document_id"] == str(stranger)


async def test_text_that_the_front_end_changes_is_indexed_again(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O frete é grátis em toda compra.")
    await run_jobs()
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE documents SET content = 'O frete custa 9 reais.' WHERE id = $1",
            UUID(document["id"]),
        )

    await jobs.resume(resources)
    await run_jobs()

    content = (await ana.get(f"/v1/documents/{document['id']}"))["content"]
    for chunk in await chunks(ana, document["id"]):
        assert content[chunk["start"] : chunk["end"]] == chunk["text"]


async def test_request_waits_for_no_model(ana: Person, resources: Resources) -> None:
    mine, embedder = counting(resources)

    store = await ana.open_store()
    await through(ana, mine).add_document(store["id"], "Um texto.")

    assert (embedder.passages, embedder.queries) == ([], [])
    await forget_jobs(resources)
