import pytest

from vek1_api.core.embedding import (
    BundledEmbedder,
    EmbeddingSetupError,
    OpenAICompatibleEmbedder,
    SentenceTransformersEmbedder,
    make_embedder,
)
from vek1_api.settings import EmbedderKind

URL = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("kind", "model", "expected", "name"),
    [
        (EmbedderKind.BUNDLED, None, BundledEmbedder, "bundled/muse-v3"),
        (EmbedderKind.BUNDLED, "ignored", BundledEmbedder, "bundled/muse-v3"),
        (
            EmbedderKind.SENTENCE_TRANSFORMERS,
            None,
            SentenceTransformersEmbedder,
            "BAAI/bge-m3",
        ),
        (EmbedderKind.OPENAI, None, OpenAICompatibleEmbedder, "BAAI/bge-m3"),
        (EmbedderKind.OPENAI, "nomic", OpenAICompatibleEmbedder, "nomic"),
    ],
)
async def test_the_settings_choose_the_embedder_and_its_model(
    kind: EmbedderKind, model: str | None, expected: type, name: str
) -> None:
    embedder = make_embedder(kind, model=model, url=URL)

    assert type(embedder) is expected
    assert embedder.model == name
    await embedder.close()


def test_a_server_without_an_address_is_a_setup_error() -> None:
    with pytest.raises(EmbeddingSetupError, match="set VEK1_EMBEDDING_URL"):
        make_embedder(EmbedderKind.OPENAI)
