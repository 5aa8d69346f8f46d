"""Texts and files: taking, showing, changing, removing."""

from tests.conftest import RunJobs
from tests.people import Person

RULES = (
    "Você pode desistir da compra em até 7 dias após o recebimento.\n\nO frete é grátis."
)


async def test_text_is_taken_then_indexed_by_a_job(ana: Person, run_jobs: RunJobs) -> None:
    store = await ana.open_store()

    taken = await ana.add_document(
        store["id"], RULES, category="politicas", tags=["trocas"]
    )
    assert taken["index_status"] == "pending"
    assert taken["content"] == RULES

    await run_jobs()

    document = await ana.get(f"/v1/documents/{taken['id']}")
    assert document["index_status"] == "ready"
    assert document["index_error"] is None
    chunks = (await ana.get(f"/v1/documents/{taken['id']}/chunks"))["items"]
    assert document["chunk_count"] == len(chunks) > 0
    for chunk in chunks:
        assert RULES[chunk["start"] : chunk["end"]] == chunk["text"]
        assert chunk["page"] is None


async def test_question_finds_its_passage(ana: Person, run_jobs: RunJobs) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], RULES)
    await run_jobs()

    for mode in ("hybrid", "semantic", "keyword"):
        result = await ana.post(
            f"/v1/stores/{store['id']}/search",
            {"query": "quantos dias para desistir?", "mode": mode},
            status=200,
        )
        best = result["items"][0]
        assert best["document_id"] == document["id"]
        assert "7 dias" in best["chunk"]["text"]
        assert result["mode"] == mode
