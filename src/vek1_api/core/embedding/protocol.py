"""What every provider of vectors can do."""

from collections.abc import Sequence
from typing import Protocol

from vek1_api.core.embedding.vectors import Vector

DEFAULT_MODEL = "BAAI/bge-m3"
"""The model of both optional providers, unless the settings name another."""


class Embedder(Protocol):
    """Turns text into vectors, off the event loop.

    Every vector is float32, of 1,024 components and of length 1, whatever the model's own
    dimension: zeros fill it up, which changes no cosine. Vectors of two models (two names)
    say nothing about each other. All methods raise ``EmbeddingError``, and nothing else.

    Control characters and lone surrogates are read as spaces. A text with nothing else is a
    ``BlankTextError``. Of a text longer than ``LONGEST_TEXT`` the rest is not read, and a
    model may read less than that (bge-m3: 8,192 tokens).
    """

    @property
    def model(self) -> str:
        """The stable name that is recorded with each vector, as ``BAAI/bge-m3``."""
        ...

    @property
    def dimensions(self) -> int:
        """The model's own dimension, at most 1,024; known once ``ready`` has returned."""
        ...

    async def ready(self) -> None:
        """Load the model, or ask its server once, so that the next call is fast."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text, in order; queries overtake a long list."""
        ...

    async def embed_query(self, text: str) -> Vector:
        """Return the vector of a question, to be compared with those of passages."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections; what still waits is told so."""
        ...
