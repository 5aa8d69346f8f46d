"""From a stored document to passages: what is embedded, when, and what a failure leaves."""

import asyncio
import json
from collections.abc import Generator
from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from structlog.testing import capture_logs

from tests.conftest import RunJobs
from tests.documents.embedders import CountingEmbedder, WordEmbedder
from tests.documents.files import pdf, pdf_with_pages, zip_bomb
from tests.documents.shelf import (
    CLOSED_PORT,
    DEMO_FILES,
    add_file,
    chunks,
    demo_file,
    search,
    through,
    with_embedder,
)
from tests.jobs.running import count_jobs, drain, forget_jobs, until, working
from tests.people import Person
from vek1_api import worker
from vek1_api.core import jobs as core_jobs
from vek1_api.core.embedding.openai_compatible import OpenAICompatibleEmbedder, Retry
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, jobs

GOLDEN = [
    json.loads(line)
    for line in files("vek1_api.demo").joinpath("golden.jsonl").read_text().splitlines()
]
PARAGRAPHS = [
    f"Parágrafo {number}: "
    + f"o item {number} custa {number * 7} reais e chega logo. " * 12
    for number in range(1, 9)
]
LONG_TEXT = "\n\n".join(PARAGRAPHS)


def flat(text: str) -> str:
    """Return a text without its line breaks, which a PDF has anywhere."""
    return " ".join(text.split())


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


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Hold a job after three attempts that follow each other at once."""
    name = "documents.index"
    monkeypatch.setattr(worker, "FIRST_RETRY_SECONDS", 0.001)
    handled = replace(core_jobs.HANDLERS[name], max_attempts=3)
    monkeypatch.setitem(core_jobs.HANDLERS, name, handled)
    with capture_logs():  # Showing a long traceback takes a second.
        yield


@pytest.mark.parametrize("name", DEMO_FILES)
async def test_passages_are_quotes_of_the_content(
    ana: Person, run_jobs: RunJobs, name: str
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], name, demo_file(name))
    await run_jobs()

    content = (await ana.get(f"/v1/documents/{taken['id']}"))["content"]
    found = await chunks(ana, taken["id"])

    assert [chunk["index"] for chunk in found] == list(range(len(found)))
    for chunk in found:
        assert content[chunk["start"] : chunk["end"]] == chunk["text"]
        assert chunk["text"].strip()
        assert (chunk["page"] is not None) == name.endswith(".pdf")
    for golden in (row for row in GOLDEN if row["file"] == name):
        assert flat(golden["passage"]) in flat(content)


async def test_passages_of_a_pdf_are_on_the_pages_of_the_golden_set(
    ana: Person, run_jobs: RunJobs
) -> None:
    name = "manual-aurora-20-bar.pdf"
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], name, demo_file(name))
    await run_jobs()

    document = await ana.get(f"/v1/documents/{taken['id']}")
    found = await chunks(ana, taken["id"])

    asked = [row for row in GOLDEN if row["file"] == name]
    assert len(asked) > 30
    for row in asked:
        passage = flat(row["passage"])
        pages = {chunk["page"] for chunk in found if passage in flat(chunk["text"])}
        assert pages == {row["page"]}, row["id"]
    assert max(chunk["page"] for chunk in found) <= document["page_count"]


async def test_pages_stay_when_only_the_title_changes_and_go_with_the_text(
    ana: Person, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    file = pdf(["Primeira pagina do manual"], ["Segunda pagina do manual"])
    taken = await add_file(ana, store["id"], "m.pdf", file)
    await run_jobs()
    path = f"/v1/documents/{taken['id']}"
    before = [chunk["page"] for chunk in await chunks(ana, taken["id"])]
    assert before == [1, 2]

    await ana.patch(path, {"title": "Manual"})
    await run_jobs()
    assert [chunk["page"] for chunk in await chunks(ana, taken["id"])] == before
    assert (await ana.get(path))["page_count"] == 2

    await ana.patch(path, {"content": "Um texto novo."})
    await run_jobs()
    assert [chunk["page"] for chunk in await chunks(ana, taken["id"])] == [None]
    assert (await ana.get(path))["page_count"] is None


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "codes"),
    [
        (
            "bomba.docx",
            zip_bomb(256 * 1024**2),
            {"too_large", "out_of_memory", "too_complex"},
        ),
        ("livro.pdf", pdf_with_pages(5_000), {"too_many_pages", "too_large"}),
        ("rasgado.pdf", b"%PDF-1.7\n" + b"\x00rubbish" * 50, {"corrupt"}),
        ("trancado.pdf", pdf(["Segredo"], password="senha"), {"encrypted"}),
    ],
    ids=["zip bomb", "5,000 pages", "damaged", "encrypted"],
)
async def test_file_that_cannot_be_read_fails_with_a_reason_and_the_worker_lives_on(
    ana: Person, run_jobs: RunJobs, name: str, content: bytes, codes: set[str]
) -> None:
    """Slow: a child process unpacks a quarter of a gigabyte."""
    store = await ana.open_store()
    bad = await add_file(ana, store["id"], name, content)
    good = await ana.add_document(store["id"], "Um texto bom.")

    await run_jobs()

    document = await ana.get(f"/v1/documents/{bad['id']}")
    assert document["index_status"] == "failed"
    assert document["index_error"]["code"] in codes
    assert len(document["index_error"]["message"]) > 10
    assert document["content"] == ""
    assert (await ana.get(f"/v1/documents/{good['id']}"))["index_status"] == "ready"


async def test_failed_document_is_listed_with_its_reason_and_may_be_indexed_again(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "foto.gif", b"GIF89a" + bytes(20))
    await run_jobs()
    path = f"/v1/documents/{taken['id']}"
    page = await ana.get(f"/v1/stores/{store['id']}/documents", index_status="failed")
    assert [item["index_error"]["code"] for item in page["items"]] == ["no_text"]

    response = await ana.request("POST", f"{path}/reindex")

    assert response.status_code == 202
    assert (response.json()["index_status"], response.json()["index_error"]) == (
        "pending",
        None,
    )
    assert await revision_of(resources, taken["id"]) == 2
    await run_jobs()
    assert (await ana.get(path))["index_error"]["code"] == "no_text"
    assert (await ana.audit(action="document.reindexed"))[0]["target_id"] == taken["id"]


@pytest.mark.usefixtures("impatience")
async def test_model_that_is_down_is_tried_again_then_held_and_visible(
    ana: Person,
    resources: Resources,
    database_url: str,
) -> None:
    down = OpenAICompatibleEmbedder(CLOSED_PORT, "down", retry=Retry(attempts=1))
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Um texto.")

    await drain(with_embedder(resources, down), database_url)

    async with resources.database.driver() as driver:
        held = await driver.fetchrow("SELECT status::text, attempts FROM vek1_api.pgqueuer")
    assert dict(held) == {"status": "failed", "attempts": 2}
    assert await count_jobs(resources, "failed") == 1
    found = await ana.get(f"/v1/documents/{document['id']}")
    assert found["index_error"]["code"] == "unavailable"
    await forget_jobs(resources)
    await down.close()


@pytest.mark.usefixtures("impatience")
async def test_model_that_comes_back_finishes_the_document(
    ana: Person,
    resources: Resources,
    database_url: str,
    run_jobs: RunJobs,
) -> None:
    down = OpenAICompatibleEmbedder(CLOSED_PORT, "down", retry=Retry(attempts=1))
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Um texto.")
    await drain(with_embedder(resources, down), database_url)
    await forget_jobs(resources)

    await ana.request("POST", f"/v1/documents/{document['id']}/reindex")
    await run_jobs()

    found = await ana.get(f"/v1/documents/{document['id']}")
    assert (found["index_status"], found["index_error"]) == ("ready", None)
    await down.close()


async def test_search_says_503_while_the_model_is_down_and_words_still_answer(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    await ana.add_document(store["id"], "O frete é grátis.")
    await run_jobs()
    down = OpenAICompatibleEmbedder(CLOSED_PORT, "down", retry=Retry(attempts=1))
    caller = through(ana, with_embedder(resources, down))

    path = f"/v1/stores/{store['id']}/search"
    response = await caller.request("POST", path, json={"query": "frete"})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert len(await search(caller, store["id"], "frete", mode="keyword")) == 1
    await down.close()


async def test_wait_answers_when_it_is_indexed(
    ana: Person, resources: Resources, database_url: str
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}

    async with working(resources, database_url):
        response = await ana.request("POST", path, json=body, params={"wait": 8})

    assert response.status_code == 201
    document = response.json()
    assert (document["index_status"], document["chunk_count"]) == ("ready", 1)
    fetched = await ana.request("GET", f"/v1/documents/{document['id']}")
    assert fetched.content == response.content
    assert fetched.headers["ETag"] == response.headers["ETag"]


async def test_wait_ends_without_a_worker(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}

    response = await ana.request("POST", path, json=body, params={"wait": 0.2})

    assert response.status_code == 201
    assert response.json()["index_status"] == "pending"
    await forget_jobs(resources)


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "já"])
async def test_wait_out_of_range_is_refused(ana: Person, wait: str) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"

    response = await ana.request(
        "POST", path, json={"title": "a", "content": "b"}, params={"wait": wait}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/wait"


@pytest.mark.parametrize("kind", ["text", "file"])
async def test_replay_after_waiting_gives_the_same_bytes(
    ana: Person, resources: Resources, database_url: str, kind: str
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    what: dict[str, Any] = (
        {"json": {"title": "Frete", "content": "O frete é grátis."}}
        if kind == "text"
        else {"files": {"file": ("frete.txt", "O frete é grátis.".encode())}}
    )
    options = what | {"params": {"wait": 8}, "headers": {"Idempotency-Key": "k"}}

    async with working(resources, database_url):
        first = await ana.request("POST", path, **options)
    again = await ana.request("POST", path, **options)

    assert first.json()["index_status"] == "ready"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_document_deleted_while_one_waits_for_it_is_not_found(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    body = {"title": "Frete", "content": "O frete é grátis."}
    waiting = asyncio.create_task(ana.request("POST", path, json=body, params={"wait": 8}))

    async def taken() -> Any:
        return (await ana.get(path))["items"]

    await until(taken)
    [document] = await taken()
    await ana.delete(f"/v1/documents/{document['id']}")

    assert (await waiting).status_code == 404
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


async def test_document_whose_job_was_lost_is_indexed_after_a_while(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O frete é grátis.")
    await forget_jobs(resources)
    await jobs.resume(resources)
    assert await count_jobs(resources) == 0
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.document_index SET updated_at = now() - interval '16 minutes' "
            "WHERE document_id = $1",
            UUID(document["id"]),
        )

    await jobs.resume(resources)
    await jobs.resume(resources)

    assert await count_jobs(resources) == 1
    await run_jobs()
    assert (await ana.get(f"/v1/documents/{document['id']}"))["index_status"] == "ready"


async def test_document_whose_job_still_waits_gets_no_second_one(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O frete é grátis.")
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.document_index SET updated_at = now() - interval '16 minutes' "
            "WHERE document_id = $1",
            UUID(document["id"]),
        )

    await jobs.resume(resources)

    assert await count_jobs(resources) == 1
    await run_jobs()


async def test_document_as_a_whole_has_a_vector_and_the_old_function_finds_it(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    document = await ana.add_document(store["id"], LONG_TEXT)
    other = await ana.add_document(store["id"], "Não usamos açúcar.")
    path = f"/v1/agents/{agent['id']}/knowledge-base"
    body = {"document_ids": [document["id"], other["id"]]}
    response = await ana.request("PUT", path, json=body)
    assert response.status_code == 200
    await run_jobs()

    async with resources.database.driver() as driver:
        text = await driver.fetchval(
            "SELECT embedding::text FROM documents WHERE id = $1", UUID(document["id"])
        )
        found = await driver.fetch(
            "SELECT id FROM match_documents_test($1::text::vector, 0.5, 2, $2)",
            text,
            UUID(agent["id"]),
        )
    vector = np.array(json.loads(text), np.float64)
    assert vector.shape == (1024,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert str(found[0]["id"]) == document["id"]


async def test_request_waits_for_no_model(ana: Person, resources: Resources) -> None:
    mine, embedder = counting(resources)

    store = await ana.open_store()
    await through(ana, mine).add_document(store["id"], "Um texto.")

    assert (embedder.passages, embedder.queries) == ([], [])
    await forget_jobs(resources)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_longest_text_that_is_taken_is_indexed(
    ana: Person, resources: Resources, database_url: str
) -> None:
    """Slow: two million characters."""
    store = await ana.open_store()
    sentence = "O item número {} da lista custa {} reais e é entregue em {} dias. "
    content = ""
    parts = (sentence.format(n, n * 3, n % 30) for n in range(40_000))
    content = "".join(parts)[:1_999_999] + "."
    document = await ana.add_document(store["id"], content)

    await drain(
        with_embedder(resources, WordEmbedder(f"words-{uuid4().hex}")), database_url
    )

    found = await ana.get(f"/v1/documents/{document['id']}")
    assert found["index_status"] == "ready"
    assert found["chunk_count"] > 500
