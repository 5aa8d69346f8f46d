"""A database of its own with many passages, written past the API: for what only numbers show."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector.asyncpg import register_vector
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from vek1_api.core.db import Database
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect, heal_database, migrate

Rows = NDArray[np.float32]
"""Vectors of length 1, one a row, 1,024 wide."""

HNSW = "vek1_api.chunk_vectors_embedding_idx"


@asynccontextmanager
async def another_database(resources: Resources, url: str) -> AsyncGenerator[Resources]:
    """Lend the same resources over an empty, migrated database on the same server."""
    name = f"crowd_{uuid4().hex}"
    await _on_server(url, f"CREATE DATABASE {name}")
    mine = make_url(url).set(database=name).render_as_string(hide_password=False)
    await migrate(mine)
    await heal_database(mine)
    database = Database(mine, pool_size=5)
    try:
        settings = resources.settings.model_copy(update={"database_url": SecretStr(mine)})
        yield replace(resources, settings=settings, database=database)
    finally:
        await database.close()
        await _on_server(url, f"DROP DATABASE {name} WITH (FORCE)")


async def _on_server(url: str, statement: str) -> None:
    connection = await connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def directions(rows: NDArray[np.floating]) -> Rows:
    """Return rows of any width as stored vectors: of length 1, filled up with zeros."""
    filled = np.zeros((len(rows), 1024), np.float32)
    filled[:, : rows.shape[1]] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return filled


async def put(
    driver: asyncpg.Connection,
    store_id: str,
    model_id: int,
    title: str,
    vectors: Rows,
    texts: Sequence[str] | None = None,
) -> str:
    """Write an indexed document with a passage for each vector; return its id."""
    store = UUID(store_id)
    spoken = texts or [f"{title} {number}" for number in range(len(vectors))]
    document: UUID = await driver.fetchval(
        "INSERT INTO documents (store_id, title, content) VALUES ($1, $2, $3) RETURNING id",
        store,
        title,
        "\n".join(spoken),
    )
    await driver.execute(
        "INSERT INTO vek1_api.document_index (document_id, store_id, status, chunk_count) "
        "VALUES ($1, $2, 'ready', $3)",
        document,
        store,
        len(vectors),
    )
    await driver.execute(
        "INSERT INTO vek1_api.document_chunks "
        '(document_id, index, store_id, text, start, "end", digest, terms) '
        "SELECT $1, number - 1, $2, text, 0, length(text), ''::bytea, to_tsvector('simple', '') "
        "FROM unnest($3::text[]) WITH ORDINALITY AS t (text, number)",
        document,
        store,
        spoken,
    )
    await register_vector(driver, schema="public")
    await driver.copy_records_to_table(
        "chunk_vectors",
        schema_name="vek1_api",
        columns=["document_id", "index", "model_id", "store_id", "embedding"],
        records=[
            (document, number, model_id, store, vector)
            for number, vector in enumerate(vectors)
        ],
    )
    return str(document)


def noise(seed: str, count: int, width: int) -> NDArray[np.float64]:
    """Return reproducible random rows."""
    number = int.from_bytes(sha256(seed.encode()).digest()[:8])
    return np.random.default_rng(number).standard_normal((count, width))
