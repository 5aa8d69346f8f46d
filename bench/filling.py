"""Filling the search index by COPY, its slow indexes built afterwards."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import numpy as np

from bench.corpus import Part, Vectors, parts
from vek1_api.core.embedding import Embedder

KNOWN_SHARE = 0.05
"""Of a shop's documents, in its agent's knowledge base."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_DIMENSIONS = 1024
_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("document_length", ">i4"),
        ("document", "V16"),
        ("index_length", ">i4"),
        ("index", ">i4"),
        ("model_length", ">i4"),
        ("model", ">i2"),
        ("store_length", ">i4"),
        ("store", "V16"),
        ("vector_length", ">i4"),
        ("dimensions", ">i2"),
        ("unused", ">i2"),
        ("vector", ">f4", (_DIMENSIONS,)),
    ]
)
"""A row of ``chunk_vectors`` in the binary format of COPY, with pgvector's of a vector."""

_STAGING = """
    CREATE TEMP TABLE sentence (number int PRIMARY KEY, text text, terms tsvector);
    CREATE TEMP TABLE mixed (document_id uuid, index int, store_id uuid, sentences int[]);
"""
_DOCUMENTS = """
    WITH document AS (
        INSERT INTO documents (id, store_id, title, content)
        SELECT DISTINCT document_id, store_id, 'Perguntas de clientes', 'Ver trechos.'
        FROM mixed
    )
    INSERT INTO vek1_api.document_index (document_id, store_id, status, chunk_count)
    SELECT document_id, store_id, 'ready', count(*) FROM mixed GROUP BY 1, 2
"""
_CHUNKS = """
    INSERT INTO vek1_api.document_chunks
        (document_id, index, store_id, text, start, "end", digest, terms)
    SELECT m.document_id, m.index, m.store_id,
           concat_ws(' ', a.text, b.text, c.text, d.text), 0,
           length(concat_ws(' ', a.text, b.text, c.text, d.text)), '',
           a.terms || b.terms || c.terms || d.terms
    FROM mixed AS m
    JOIN sentence AS a ON a.number = m.sentences[1]
    JOIN sentence AS b ON b.number = m.sentences[2]
    JOIN sentence AS c ON c.number = m.sentences[3]
    JOIN sentence AS d ON d.number = m.sentences[4]
"""
_KNOWLEDGE = """
    WITH agent AS (
        INSERT INTO agents (store_id, name, type) VALUES ($1, 'Lia', 'sales') RETURNING id
    ), known AS (
        SELECT id FROM documents WHERE store_id = $1 ORDER BY id
        LIMIT greatest(1, (SELECT round(count(*) * $2::float8) FROM documents
                           WHERE store_id = $1))
    ), linked AS (
        INSERT INTO agent_knowledge_base (agent_id, document_id)
        SELECT agent.id, known.id FROM agent, known
    )
    SELECT id FROM agent
"""


async def fill(
    connection: asyncpg.Connection,
    stores: Iterable[tuple[UUID, int]],
    texts: list[str],
    meanings: Vectors,
    model_id: int,
    say: Callable[[str], None],
) -> None:
    """Write so many passages for each store, mixed from the texts."""
    async with _without_slow_indexes(connection, say):
        await connection.execute(_STAGING)
        await connection.executemany(
            "INSERT INTO sentence VALUES ($1, $2, vek1_api.portuguese_terms($2))",
            list(enumerate(texts)),
        )
        written = 0
        for number, (store_id, size) in enumerate(stores):
            for part in parts(store_id, size, meanings, number):
                await _copy(connection, part, model_id)
                written += len(part.indexes)
                say(f"writing passages: {written:,}")
        say("writing documents and their passages' words")
        await connection.execute("ANALYZE sentence, mixed")
        await connection.execute(_DOCUMENTS)
        await connection.execute(_CHUNKS)
    await connection.execute("VACUUM ANALYZE")


async def add_model(connection: asyncpg.Connection, embedder: Embedder) -> int:
    """Return the number that a model is known by in the index, made if it has none."""
    await embedder.ready()
    model_id: int = await connection.fetchval(
        "INSERT INTO vek1_api.embedding_models (name, dimensions) VALUES ($1, $2) "
        "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
        embedder.model,
        embedder.dimensions,
    )
    return model_id


async def add_agent(connection: asyncpg.Connection, store_id: UUID) -> UUID:
    """Return an agent that knows a twentieth of a store's documents."""
    agent_id: UUID = await connection.fetchval(_KNOWLEDGE, store_id, KNOWN_SHARE)
    return agent_id


@asynccontextmanager
async def _without_slow_indexes(
    connection: asyncpg.Connection, say: Callable[[str], None]
) -> AsyncGenerator[None]:
    slow = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'vek1_api' "
        "AND tablename IN ('chunk_vectors', 'document_chunks') "
        "AND (indexdef LIKE '%USING hnsw%' OR indexdef LIKE '%USING gin%')"
    )
    for row in slow:
        await connection.execute(f"DROP INDEX vek1_api.{row['indexname']}")
    yield
    # The graph of 100,000 vectors must fit, or building it takes three times as long.
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for row in slow:
        say(f"building {row['indexname']}")
        await connection.execute(row["indexdef"])
    await connection.execute("RESET maintenance_work_mem")


async def _copy(connection: asyncpg.Connection, part: Part, model_id: int) -> None:
    async def stream() -> AsyncGenerator[bytes]:
        yield _HEADER
        yield _rows(part, model_id)
        yield _TRAILER

    await connection.copy_to_table(
        "chunk_vectors",
        schema_name="vek1_api",
        columns=("document_id", "index", "model_id", "store_id", "embedding"),
        source=stream(),
        format="binary",
    )
    rows = zip(part.document_ids, part.indexes, part.sentences, strict=True)
    await connection.copy_records_to_table(
        "mixed",
        records=[
            (document_id, int(index), part.store_id, chosen.tolist())
            for document_id, index, chosen in rows
        ],
    )


def _rows(part: Part, model_id: int) -> bytes:
    rows = np.zeros(len(part.indexes), _ROW)
    rows["columns"] = 5
    rows["document_length"] = rows["store_length"] = 16
    rows["document"] = [np.void(each.bytes) for each in part.document_ids]
    rows["index_length"], rows["index"] = 4, part.indexes
    rows["model_length"], rows["model"] = 2, model_id
    rows["store"] = np.void(part.store_id.bytes)
    rows["vector_length"], rows["dimensions"] = 4 + 4 * _DIMENSIONS, _DIMENSIONS
    rows["vector"] = part.vectors
    return rows.tobytes()
