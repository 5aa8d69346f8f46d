"""Embedders for the tests: one that counts what the real one is given, and small models."""

import asyncio
from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from tests.fakes.embedding_server import meaning
from vek1_api.core.embedding import Embedder, Vector
from vek1_api.core.embedding.vectors import VectorSpace


class CountingEmbedder:
    """The real embedder, and what it was asked."""

    def __init__(self, real: Embedder) -> None:
        self._real = real
        self.passages: list[str] = []
        self.queries: list[str] = []

    @property
    def model(self) -> str:
        return self._real.model

    @property
    def dimensions(self) -> int:
        return self._real.dimensions

    async def ready(self) -> None:
        await self._real.ready()

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        self.passages += texts
        return await self._real.embed_passages(texts)

    async def embed_query(self, text: str) -> Vector:
        self.queries.append(text)
        return await self._real.embed_query(text)

    async def close(self) -> None:
        """Leave the real one open: it is not ours."""


class WordEmbedder:
    """A small model of any name: texts that share words are near each other.

    ``gate`` holds passages back while it is cleared; ``begun`` is set when some arrive.
    """

    def __init__(self, model: str, dimensions: int = 256) -> None:
        self.model = model
        self.dimensions = dimensions
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def ready(self) -> None:
        """Be ready at once."""

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        self.calls += 1
        self.begun.set()
        await self.gate.wait()
        space = VectorSpace(self.model, self.dimensions)
        rows = np.array([meaning(text, self.dimensions) for text in texts])
        return space.admit(rows, texts=len(texts)) if texts else []

    async def embed_query(self, text: str) -> Vector:
        space = VectorSpace(self.model, self.dimensions)
        [vector] = space.admit(np.array([meaning(text, self.dimensions)]), texts=1)
        return vector

    async def close(self) -> None:
        """Hold nothing open."""


class DirectionEmbedder(WordEmbedder):
    """A model that is fast and means nothing: every text has a random direction."""

    def __init__(self) -> None:
        super().__init__("random", 1024)

    @override
    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        rows = np.random.default_rng(7).standard_normal((len(texts), self.dimensions))
        return VectorSpace(self.model, self.dimensions).admit(rows, texts=len(texts))
