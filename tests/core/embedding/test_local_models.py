"""What is particular to the two models that run in this process."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.embedding.tiny_model import MAX_TOKENS
from vek1_api.core.embedding import (
    BundledEmbedder,
    Embedder,
    EmbeddingSetupError,
    SentenceTransformersEmbedder,
)


async def ticks_until_done(task: "asyncio.Task[object]") -> int:
    ticks = 0
    while not task.done():
        await asyncio.sleep(0.001)
        ticks += 1
    return ticks


@pytest.mark.slow
async def test_the_bundled_model_knows_its_name_and_dimension_unloaded() -> None:
    embedder = BundledEmbedder()

    assert (embedder.model, embedder.dimensions) == ("bundled/muse-v3", 512)


@pytest.mark.slow
async def test_the_bundled_model_understands_portuguese(bundled: Embedder) -> None:
    passages = await bundled.embed_passages(
        [
            "Você pode devolver o produto em até sete dias e receber o dinheiro de volta.",
            "Entregamos em todo o Brasil; o frete é por nossa conta acima de R$ 200.",
            "O aparelho tem garantia de doze meses contra defeitos de fabricação.",
        ]
    )
    questions = ["Quero devolver minha compra", "Quanto custa a entrega?", "Tem garantia?"]
    queries = [await bundled.embed_query(question) for question in questions]

    assert (np.array(queries) @ np.array(passages).T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.slow
async def test_the_bundled_model_reads_prices_alike(bundled: Embedder) -> None:
    cheap = await bundled.embed_query("O tênis custa 199,90 reais")
    dear = await bundled.embed_query("O tênis custa 1.250,00 reais")

    assert cheap @ dear == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
async def test_the_event_loop_ticks_while_the_bundled_model_reads_one_long_text(
    bundled: Embedder,
) -> None:
    # One batch of some 300 ms: on the loop there would be one tick, not tens of them.
    reading = asyncio.create_task(
        bundled.embed_query("prazo de troca e devolução " * 1_200)
    )

    assert await ticks_until_done(reading) > 10


@pytest.mark.slow
async def test_a_query_is_answered_before_a_long_list_of_passages(
    bundled: Embedder,
) -> None:
    texts = [f"Artigo {n}: troca em sete dias, com nota. " * 12 for n in range(200)]
    passages = asyncio.create_task(bundled.embed_passages(texts))
    await asyncio.sleep(0)
    await bundled.embed_query("Qual é o prazo?")
    is_overtaken = not passages.done()
    passages.cancel()

    assert is_overtaken


@pytest.mark.slow
@pytest.mark.timeout(120)  # Importing torch takes seconds.
async def test_the_models_own_files_decide_on_pooling_and_length(
    tiny_model: Path, sentence_transformers: Embedder
) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(str(tiny_model))
    text = "qual o prazo de troca da loja"
    tokens = model[0](model.preprocess([text]))["token_embeddings"]
    first = tokens[0, 0].detach().numpy()
    vector = await sentence_transformers.embed_query(text)

    np.testing.assert_allclose(vector[:64], first / np.linalg.norm(first), atol=1e-5)
    assert model.max_seq_length == MAX_TOKENS
    assert sentence_transformers.model == "local/tiny-bge-m3"


@pytest.mark.slow
@pytest.mark.timeout(120)  # Importing torch takes seconds.
async def test_a_text_is_read_as_far_as_the_model_reads(
    sentence_transformers: Embedder,
) -> None:
    start = "troca " * MAX_TOKENS
    short = await sentence_transformers.embed_query(start)
    longer = await sentence_transformers.embed_query(start + "frete grátis")

    np.testing.assert_allclose(short, longer, atol=1e-6)


@pytest.mark.slow
@pytest.mark.timeout(120)  # Importing torch takes seconds.
@pytest.mark.usefixtures("tiny_model")  # Skips where the package is missing.
async def test_a_folder_without_a_model_is_a_setup_error(tmp_path: Path) -> None:
    embedder = SentenceTransformersEmbedder(str(tmp_path / "missing"))
    with pytest.raises(EmbeddingSetupError, match="name a model of the hub or its folder"):
        await embedder.ready()
    await embedder.close()


async def test_without_the_optional_part_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    embedder = SentenceTransformersEmbedder()
    with pytest.raises(EmbeddingSetupError) as caught:
        await embedder.ready()
    await embedder.close()

    assert embedder.model == "BAAI/bge-m3"
    assert str(caught.value) == (
        "the sentence-transformers embedder is not installed; "
        "install the optional part: make install-sentence-transformers"
    )
