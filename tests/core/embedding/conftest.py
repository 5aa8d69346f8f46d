import importlib.util
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.core.embedding.tiny_model import make_tiny_model
from tests.fakes.embedding_server import EmbeddingServer
from vek1_api.core.embedding import (
    BundledEmbedder,
    Embedder,
    OpenAICompatibleEmbedder,
    SentenceTransformersEmbedder,
)


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[EmbeddingServer, None]:
    async with EmbeddingServer() as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def bundled() -> AsyncGenerator[Embedder, None]:
    embedder = BundledEmbedder()
    await embedder.ready()
    yield embedder
    await embedder.close()


@pytest_asyncio.fixture(scope="session")
async def openai() -> AsyncGenerator[Embedder, None]:
    async with EmbeddingServer(dimensions=384) as server:
        embedder = OpenAICompatibleEmbedder(server.url)
        await embedder.ready()
        yield embedder
        await embedder.close()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers, an optional part, is not installed")
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny-bge-m3")


@pytest_asyncio.fixture(scope="session")
async def sentence_transformers(tiny_model: Path) -> AsyncGenerator[Embedder, None]:
    embedder = SentenceTransformersEmbedder(str(tiny_model))
    await embedder.ready()
    yield embedder
    await embedder.close()
