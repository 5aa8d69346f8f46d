"""Passages as they stand in the index: quotes of the text, on their pages."""

import json
from dataclasses import replace
from importlib.resources import files
from uuid import UUID

import numpy as np
import pytest

from tests.conftest import RunJobs
from tests.documents.embedders import DirectionEmbedder
from tests.documents.files import pdf
from tests.documents.shelf import (
    DEMO_FILES,
    add_file,
    chunks,
    demo_file,
)
from tests.jobs.running import forget_jobs
from tests.people import Person
from vek1_api.core import db
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing
from vek1_api.opening import database_url as url_of


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


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_longest_text_that_is_taken_is_indexed(
    ana: Person, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: two million characters. No one statement may take long: a larger index is slower."""
    monkeypatch.setattr(db, "COMMAND_TIMEOUT_SECONDS", 4)
    hasty = db.Database(url_of(resources.settings), pool_size=2)
    store = await ana.open_store()
    text = demo_file("perguntas-frequentes.md").decode()
    content = "\n\n".join(text.replace("café", f"café {n}") for n in range(300))[:2_000_000]
    document = await ana.add_document(store["id"], content)
    await forget_jobs(resources)  # No other test shall have to run this one's job.
    mine = replace(resources, database=hasty, embedder=DirectionEmbedder())

    await indexing.index(mine, UUID(document["id"]), 1)

    found = await ana.get(f"/v1/documents/{document['id']}")
    assert (len(found["content"]), found["index_status"]) == (2_000_000, "ready")
    assert found["chunk_count"] > 10_000
    await ana.delete(f"/v1/documents/{document['id']}")
    await hasty.close()
