"""What holds for every provider: the contract that is written in ``Embedder``."""

import asyncio
from typing import cast

import numpy as np
import pytest

from vek1_api.core.embedding import BlankTextError, Embedder, Vector

# Importing torch takes seconds, which the first test to need it pays.
TORCH = [pytest.mark.slow, pytest.mark.timeout(120)]
PROVIDERS = [
    pytest.param(("bundled", 512), id="bundled", marks=pytest.mark.slow),
    pytest.param(("openai", 384), id="openai"),
    pytest.param(("sentence_transformers", 64), id="sentence-transformers", marks=TORCH),
]
PASSAGES = [
    "A troca pode ser feita em até sete dias depois da entrega.",
    "O frete é grátis para pedidos acima de duzentos reais.",
    "A loja abre de segunda a sábado.",
]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> tuple[Embedder, int]:
    name, dimensions = request.param
    return cast("Embedder", request.getfixturevalue(name)), dimensions


@pytest.fixture
def embedder(provider: tuple[Embedder, int]) -> Embedder:
    return provider[0]


def assert_is_vector(vector: Vector, dimensions: int) -> None:
    assert vector.shape == (1024,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert np.count_nonzero(vector[:dimensions]) > dimensions // 2
    assert not vector[dimensions:].any()


async def test_vectors_are_of_length_one_and_padded_with_zeros(
    provider: tuple[Embedder, int],
) -> None:
    embedder, dimensions = provider
    passages = await embedder.embed_passages(PASSAGES)
    query = await embedder.embed_query("Qual é o prazo de troca?")

    assert embedder.dimensions == dimensions
    assert len(passages) == 3
    for vector in (*passages, query):
        assert_is_vector(vector, dimensions)


async def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    [first] = await embedder.embed_passages(PASSAGES[:1])
    [again] = await embedder.embed_passages(PASSAGES[:1])
    query = await embedder.embed_query(PASSAGES[0])

    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, query, atol=1e-5)


async def test_order_is_kept_across_batches(embedder: Embedder) -> None:
    texts = [
        f"{PASSAGES[n % 3]} {'bola ' * (n % 7)}artigo {chr(97 + n % 26)}" for n in range(80)
    ]
    together = await embedder.embed_passages(texts)

    assert len(together) == 80
    for position in (0, 1, 31, 32, 33, 64, 79):
        [alone] = await embedder.embed_passages([texts[position]])
        np.testing.assert_allclose(together[position], alone, atol=1e-4)


async def test_no_texts_are_no_vectors(embedder: Embedder) -> None:
    assert await embedder.embed_passages([]) == []


async def test_different_texts_have_different_vectors(embedder: Embedder) -> None:
    first, second, third = await embedder.embed_passages(PASSAGES)

    assert max(first @ second, first @ third, second @ third) < 0.99


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("troca e devolução " * 556, id="10k-characters"),
        pytest.param("a" * 10_000, id="one-endless-word"),
        pytest.param("😀", id="emoji"),
        pytest.param("👩🏽‍🚀 tênis 🇧🇷", id="joined-emoji"),
        pytest.param("frete\x00 \x07grátis\x1b", id="control-characters"),
        pytest.param("frete \ud83d grátis", id="lone-surrogate"),
        pytest.param("pre\u0301co", id="combining-accent"),
    ],
)
async def test_any_text_has_a_vector(provider: tuple[Embedder, int], text: str) -> None:
    embedder, dimensions = provider
    [passage] = await embedder.embed_passages([text])

    assert_is_vector(passage, dimensions)
    assert_is_vector(await embedder.embed_query(text), dimensions)


@pytest.mark.parametrize("text", ["", "   \n", "\x00\x01"])
async def test_a_blank_text_is_refused(embedder: Embedder, text: str) -> None:
    with pytest.raises(BlankTextError):
        await embedder.embed_query(text)
    with pytest.raises(BlankTextError):
        await embedder.embed_passages([PASSAGES[0], text])


async def test_calls_at_once_each_get_their_own(embedder: Embedder) -> None:
    alone = [await embedder.embed_query(text) for text in PASSAGES]
    queries = [embedder.embed_query(text) for text in PASSAGES * 8]
    lists = [embedder.embed_passages(PASSAGES) for _ in range(4)]
    answered, listed = await asyncio.gather(
        asyncio.gather(*queries), asyncio.gather(*lists)
    )

    for position, vector in enumerate(answered):
        np.testing.assert_allclose(vector, alone[position % 3], atol=1e-4)
    for vectors in listed:
        np.testing.assert_allclose(vectors, alone, atol=1e-4)
