"""Leads with profiles and their vectors, by COPY, the slow index built afterwards."""

from collections.abc import AsyncGenerator, Callable, Sequence
from uuid import UUID, uuid4

import asyncpg
import numpy as np

from bench.corpus import Part, Vectors, parts

STATUSES = ("new", "contacted", "qualified", "customer", "lost")
RARE = "lost"
"""A twentieth of each store's leads; the others share the rest."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_DIMENSIONS = 1024
_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("lead_length", ">i4"),
        ("lead", "V16"),
        ("store_length", ">i4"),
        ("store", "V16"),
        ("version_length", ">i4"),
        ("version", ">i4"),
        ("model_length", ">i4"),
        ("model", ">i2"),
        ("vector_length", ">i4"),
        ("dimensions", ">i2"),
        ("unused", ">i2"),
        ("vector", ">f4", (_DIMENSIONS,)),
    ]
)
"""A row of ``lead_vectors`` in the binary format of COPY, with pgvector's of a vector."""

_LEADS = """
    INSERT INTO leads (id, store_id, channel, external_id, name, profile_summary, status)
    SELECT id, $2, 'website', id::text, 'Joana Ribeiro', summary,
           CASE n % 20 WHEN 0 THEN $4 ELSE ($5::text[])[1 + n % 4] END
    FROM unnest($1::uuid[], $3::text[]) WITH ORDINALITY AS given (id, summary, n)
"""
_HNSW = """
    SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'vek1_api'
      AND tablename = 'lead_vectors' AND indexdef LIKE '%USING hnsw%'
"""


async def fill(
    connection: asyncpg.Connection,
    stores: Sequence[tuple[UUID, int]],
    texts: list[str],
    meanings: Vectors,
    model_id: int,
    say: Callable[[str], None],
) -> None:
    """Write so many leads for each store, whose profiles are mixed from the texts."""
    slow = await connection.fetch(_HNSW)
    for row in slow:
        await connection.execute(f"DROP INDEX vek1_api.{row['indexname']}")
    written = 0
    for number, (store_id, size) in enumerate(stores):
        for part in parts(store_id, size, meanings, number):
            await _copy(connection, part, texts, model_id)
            written += len(part.indexes)
            say(f"writing profiles: {written:,}")
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for row in slow:
        say(f"building {row['indexname']}")
        await connection.execute(row["indexdef"])
    await connection.execute("RESET maintenance_work_mem")
    await connection.execute("VACUUM ANALYZE")


async def _copy(
    connection: asyncpg.Connection, part: Part, texts: list[str], model_id: int
) -> None:
    summaries = [" ".join(texts[each] for each in chosen) for chosen in part.sentences]
    lead_ids = [uuid4() for _ in summaries]
    await connection.execute(
        _LEADS,
        lead_ids,
        part.store_id,
        summaries,
        RARE,
        [each for each in STATUSES if each != RARE],
    )

    async def stream() -> AsyncGenerator[bytes]:
        yield _HEADER
        yield _rows(part, lead_ids, model_id)
        yield _TRAILER

    await connection.copy_to_table(
        "lead_vectors",
        schema_name="vek1_api",
        columns=("lead_id", "store_id", "version", "model_id", "embedding"),
        source=stream(),
        format="binary",
    )


def _rows(part: Part, lead_ids: Sequence[UUID], model_id: int) -> bytes:
    rows = np.zeros(len(lead_ids), _ROW)
    rows["columns"] = 5
    rows["lead_length"] = rows["store_length"] = 16
    rows["lead"] = [np.void(each.bytes) for each in lead_ids]
    rows["store"] = np.void(part.store_id.bytes)
    rows["version_length"], rows["version"] = 4, 1
    rows["model_length"], rows["model"] = 2, model_id
    rows["vector_length"], rows["dimensions"] = 4 + 4 * _DIMENSIONS, _DIMENSIONS
    rows["vector"] = part.vectors
    return rows.tobytes()
