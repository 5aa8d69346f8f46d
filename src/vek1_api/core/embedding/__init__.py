"""Turning text into vectors: one protocol, three providers, one shape of vector."""

from vek1_api.core.embedding.bundled import BundledEmbedder
from vek1_api.core.embedding.errors import (
    BlankTextError,
    EmbeddingError,
    EmbeddingMismatchError,
    EmbeddingRefusedError,
    EmbeddingSetupError,
    EmbeddingUnavailableError,
)
from vek1_api.core.embedding.factory import make_embedder
from vek1_api.core.embedding.local import SentenceTransformersEmbedder
from vek1_api.core.embedding.openai_compatible import OpenAICompatibleEmbedder, Retry
from vek1_api.core.embedding.protocol import DEFAULT_MODEL, Embedder
from vek1_api.core.embedding.texts import LONGEST_TEXT
from vek1_api.core.embedding.vectors import VECTOR_DIMENSIONS, Vector

__all__ = [
    "DEFAULT_MODEL",
    "LONGEST_TEXT",
    "VECTOR_DIMENSIONS",
    "BlankTextError",
    "BundledEmbedder",
    "Embedder",
    "EmbeddingError",
    "EmbeddingMismatchError",
    "EmbeddingRefusedError",
    "EmbeddingSetupError",
    "EmbeddingUnavailableError",
    "OpenAICompatibleEmbedder",
    "Retry",
    "SentenceTransformersEmbedder",
    "Vector",
    "make_embedder",
]
