"""The embedder that the settings ask for, from plain values."""

from typing import assert_never

from vek1_api.core.embedding.bundled import BundledEmbedder
from vek1_api.core.embedding.errors import EmbeddingSetupError
from vek1_api.core.embedding.local import SentenceTransformersEmbedder
from vek1_api.core.embedding.openai_compatible import OpenAICompatibleEmbedder
from vek1_api.core.embedding.protocol import DEFAULT_MODEL, Embedder
from vek1_api.settings import EmbedderKind


def make_embedder(
    kind: EmbedderKind,
    *,
    model: str | None = None,
    url: str | None = None,
    api_key: str | None = None,
) -> Embedder:
    """Return an embedder that has loaded and asked nothing yet; ``ready`` does.

    Without ``model`` it is bge-m3; the bundled one has no choice. A missing ``url`` is an
    ``EmbeddingSetupError``.
    """
    match kind:
        case EmbedderKind.BUNDLED:
            return BundledEmbedder()
        case EmbedderKind.SENTENCE_TRANSFORMERS:
            return SentenceTransformersEmbedder(model or DEFAULT_MODEL)
        case EmbedderKind.OPENAI:
            if not url:
                reason = "set VEK1_EMBEDDING_URL to the server's base address with its /v1"
                raise EmbeddingSetupError(reason)
            return OpenAICompatibleEmbedder(url, model or DEFAULT_MODEL, api_key)
        case _:
            assert_never(kind)
