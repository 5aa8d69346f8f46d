"""Sentences of the demo shop, and passages mixed from them with vectors that fit.

A passage is a few sentences; its vector is their mean, with what its shop's passages have in
common and with noise. So vectors lie in clusters, as those of real shops do, and a question
about a sentence is near the passages that hold it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from uuid import UUID, uuid4

import numpy as np
import numpy.typing as npt

from bench.retrieval import golden
from vek1_api.core.embedding import Embedder

SEED = 20_20_12
SENTENCES_OF_PASSAGE = 4
SENTENCES_OF_SHOP = 120
PASSAGES_OF_DOCUMENT = 20
SMALLEST_SHOP = 30
SHOP_WEIGHT = 0.2
NOISE_WEIGHT = 0.35
"""Both beside a mean of length 1."""

TEXT_FILES = ("perguntas-frequentes.md", "guia-de-moagem.md", "sobre-a-loja.txt")

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """Some passages of one store, in order: a row per passage in each array."""

    store_id: UUID
    document_ids: list[UUID]
    indexes: Numbers
    sentences: Numbers
    vectors: Vectors


def sentences() -> list[str]:
    """Return the sentences of the demo shop's texts, and the golden passages of all files."""
    folder = files("vek1_api") / "demo" / "files"
    texts = [(folder / name).read_text() for name in TEXT_FILES]
    parts = [part for text in texts for part in re.split(r"(?<=[.!?])\s+|\n+", text)]
    found = [" ".join(part.split()) for part in parts] + [each.passage for each in golden()]
    return list(dict.fromkeys(text for text in found if re.search(r"\w{3}", text)))


def shop_sizes(shops: int, passages: int) -> list[int]:
    """Return sizes whose logarithms are spread from 30 to a fifth of all; they add up."""
    spread = np.linspace(0, 1, shops)
    largest = passages / 5

    def sizes(bend: float) -> npt.NDArray[np.float64]:
        return np.asarray(SMALLEST_SHOP * (largest / SMALLEST_SHOP) ** (spread**bend))

    low, high = 0.1, 20.0
    while high - low > 1e-6:  # noqa: PLR2004 - bisection, to far below one passage.
        bend = (low + high) / 2
        low, high = (bend, high) if sizes(bend).sum() > passages else (low, bend)
    return [int(size) for size in sizes(low).round()]


async def embedded(embedder: Embedder, texts: list[str]) -> Vectors:
    """Return a vector for each text."""
    return np.array(await embedder.embed_passages(texts), np.float32)


def parts(store_id: UUID, size: int, meanings: Vectors, seed: int) -> Iterator[Part]:
    """Return the passages of a shop, some thousand at a time."""
    random = np.random.default_rng((SEED, seed))
    known = random.choice(
        len(meanings), min(SENTENCES_OF_SHOP, len(meanings)), replace=False
    )
    shop = SHOP_WEIGHT * _unit(random.standard_normal((1, meanings.shape[1])))
    step = 100 * PASSAGES_OF_DOCUMENT
    for first in range(0, size, step):
        count = min(step, size - first)
        chosen = random.choice(known, (count, SENTENCES_OF_PASSAGE))
        noise = NOISE_WEIGHT * _unit(random.standard_normal((count, meanings.shape[1])))
        numbers = np.arange(count)
        documents = [uuid4() for _ in range(0, count, PASSAGES_OF_DOCUMENT)]
        yield Part(
            store_id,
            [documents[number // PASSAGES_OF_DOCUMENT] for number in numbers],
            numbers % PASSAGES_OF_DOCUMENT,
            chosen,
            _unit(_unit(meanings[chosen].mean(axis=1)) + shop + noise).astype(np.float32),
        )


def _unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
