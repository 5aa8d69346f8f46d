"""Indexing that fails: with a reason, tried again, never for ever without a word."""

from collections.abc import Generator
from dataclasses import replace
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.conftest import RunJobs
from tests.documents.files import pdf, pdf_with_pages, zip_bomb
from tests.documents.shelf import (
    CLOSED_PORT,
    add_file,
    search,
    through,
    with_embedder,
)
from tests.jobs.running import count_jobs, drain, forget_jobs
from tests.people import Person
from vek1_api import worker
from vek1_api.core import jobs as core_jobs
from vek1_api.core.embedding.openai_compatible import OpenAICompatibleEmbedder, Retry
from vek1_api.core.resources import Resources
from vek1_api.documents import jobs


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
    with capture_logs() as log:
        response = await caller.request("POST", path, json={"query": "frete caro"})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    [entry] = [each for each in log if each["event"] == "embedding_unavailable"]
    assert (entry["log_level"], entry["error"]) == ("warning", "EmbeddingUnavailableError")
    assert entry["reason"].startswith("no answer from the embedding server")
    assert "frete caro" not in str(log)
    assert len(await search(caller, store["id"], "frete", mode="keyword")) == 1
    await down.close()


async def test_document_whose_job_was_lost_is_indexed_after_a_while(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "O frete é grátis.")
    await forget_jobs(resources)
    await jobs.resume(resources)
    assert await count_jobs(resources, about=document["id"]) == 0
    async with resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.document_index SET updated_at = now() - interval '16 minutes' "
            "WHERE document_id = $1",
            UUID(document["id"]),
        )

    await jobs.resume(resources)
    await jobs.resume(resources)

    assert await count_jobs(resources, about=document["id"]) == 1
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

    assert await count_jobs(resources, about=document["id"]) == 1
    await run_jobs()
