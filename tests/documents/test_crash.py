"""A worker that is killed in the middle: what it had begun is finished by another."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.documents.shelf import (
    add_file,
    chunks,
    demo_file,
    search,
    through,
    with_embedder,
)
from tests.fakes.embedding_server import EmbeddingServer
from tests.jobs.running import count_jobs, forget_jobs, until, working
from tests.people import Person
from vek1_api.core.embedding.openai_compatible import OpenAICompatibleEmbedder
from vek1_api.core.resources import Resources

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
"""Slow: a worker of its own starts, and another one waits until its heart has stopped."""


@asynccontextmanager
async def worker_process(
    resources: Resources, database_url: str, server: EmbeddingServer, folder: Path
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run ``vek1-api worker`` with the model of ``server``."""
    settings = resources.settings
    assert settings.s3_secret_key is not None
    assert settings.s3_access_key is not None
    environment = {
        "VEK1_DATABASE_URL": database_url,
        "VEK1_S3_ENDPOINT": str(settings.s3_endpoint),
        "VEK1_S3_ACCESS_KEY": settings.s3_access_key,
        "VEK1_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "VEK1_EMBEDDER": "openai",
        "VEK1_EMBEDDING_URL": server.url,
        "VEK1_EMBEDDING_MODEL": server.model,
        "VEK1_DATA_DIR": str(folder),
        "PATH": os.environ["PATH"],
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vek1_api.cli",
        "worker",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_document_of_a_worker_killed_while_embedding_becomes_ready(
    ana: Person, resources: Resources, database_url: str, tmp_path: Path
) -> None:
    name = "perguntas-frequentes.md"
    await forget_jobs(resources)  # Of tests before, which this worker would take too.
    store = await ana.open_store()
    async with EmbeddingServer(model=f"test/{ana.user_id}", dimensions=64) as server:
        server.gate.clear()
        async with worker_process(resources, database_url, server, tmp_path) as first:
            document = await add_file(ana, store["id"], name, demo_file(name))
            await asyncio.wait_for(server.received(2), 30)
            first.kill()
            assert await first.wait() == -9
        mine_only = {"name": "documents.index", "about": document["id"]}
        assert await count_jobs(resources, "picked", **mine_only) == 1
        assert await chunks(ana, document["id"]) == []
        server.gate.set()
        embedder = OpenAICompatibleEmbedder(server.url, server.model)
        mine = with_embedder(resources, embedder)

        async def is_ready() -> bool:
            found = await ana.get(f"/v1/documents/{document['id']}")
            return bool(found["index_status"] == "ready")

        async with working(mine, database_url):
            await until(is_ready, seconds=60)

        found = await ana.get(f"/v1/documents/{document['id']}")
        assert found["chunk_count"] == len(await chunks(ana, document["id"])) > 0
        assert await search(through(ana, mine), store["id"], "frete grátis")
        # Of others there may be many: this model is new to the documents of other tests.
        left = [
            await count_jobs(resources, each, **mine_only) for each in ("queued", "picked")
        ]
        assert left == [0, 0]
        await embedder.close()


async def test_worker_that_gets_a_signal_ends_by_itself(
    resources: Resources, database_url: str, tmp_path: Path
) -> None:
    async def workers() -> set[int]:
        statement = (
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'vek1-worker'"
        )
        async with resources.database.driver() as driver:
            return {row["pid"] for row in await driver.fetch(statement)}

    before = await workers()  # Of tests that have just ended.
    async with (
        EmbeddingServer(dimensions=64) as server,
        worker_process(resources, database_url, server, tmp_path) as process,
    ):

        async def is_connected() -> bool:
            return bool(await workers() - before)

        await until(is_connected, seconds=30)
        process.terminate()

        assert await asyncio.wait_for(process.wait(), 15) == 0
