"""Real servers for a test run: given by the environment, in Docker, or embedded."""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import make_url

from vek1_api.embedded.object_store import EmbeddedObjectStore
from vek1_api.embedded.postgres import EmbeddedPostgres

POSTGRES_IMAGE = "pgvector/pgvector:0.8.1-pg16"


@contextmanager
def postgres_url(folder: Path) -> Generator[str]:
    """Lend an empty database of its own."""
    with _server(folder) as server_url:
        name = f"test_{uuid4().hex}"
        asyncio.run(_execute(server_url, f'CREATE DATABASE "{name}"'))
        url = make_url(server_url).set(database=name)
        yield url.render_as_string(hide_password=False)
        asyncio.run(_execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def object_store(folder: Path) -> Generator[dict[str, str]]:
    """Lend an object store, as the settings name it."""
    access_key, secret_key = "vek1", secrets.token_hex(16)
    store = EmbeddedObjectStore(folder, access_key=access_key, secret_key=secret_key)
    endpoint = store.start()
    try:
        yield {
            "s3_endpoint": endpoint,
            "s3_access_key": access_key,
            "s3_secret_key": secret_key,
        }
    finally:
        store.stop()


@contextmanager
def _server(folder: Path) -> Generator[str]:
    given = os.environ.get("VEK1_TEST_DATABASE_URL")
    if given:
        yield given
    elif docker_answers():
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - Docker only.

        with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
            yield container.get_connection_url()
    else:
        server = EmbeddedPostgres(folder, durable=False)
        try:
            yield server.start()
        finally:
            server.discard()


def docker_answers() -> bool:
    """Return whether there is a Docker engine to start containers with."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "info"], capture_output=True, check=False, timeout=10)
    return asked.returncode == 0


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
