"""The statements of vectors and their models."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Text, and_, bindparam, cast, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.embedding import Vector
from vek1_api.core.hot import HotStatement
from vek1_api.documents.indexing_queries import Source, as_vector, in_batches
from vek1_api.documents.models import (
    ChunkVector,
    DocumentChunk,
    DocumentIndex,
    EmbeddingModel,
)
from vek1_api.documents.status import IndexStatus

MODEL = HotStatement(
    select(EmbeddingModel.id, EmbeddingModel.dimensions).where(
        EmbeddingModel.name == bindparam("name", type_=Text)
    )
)


async def model_id(tx: AsyncConnection, name: str, dimensions: int) -> tuple[int, int]:
    """Return a model's id, adding it the first time, and the dimension it is known with."""
    wanted = select(EmbeddingModel.id, EmbeddingModel.dimensions).where(
        EmbeddingModel.name == name
    )
    if (row := (await tx.execute(wanted)).one_or_none()) is None:
        added = upsert(EmbeddingModel).values(name=name, dimensions=dimensions)
        await tx.execute(added.on_conflict_do_nothing())
        row = (await tx.execute(wanted)).one()
    return row.id, row.dimensions


async def known_vectors(
    connection: AsyncConnection, document_id: UUID, model: int
) -> dict[bytes, str]:
    """Return the vectors that a document's passages have, by what was embedded."""
    statement = (
        select(DocumentChunk.digest, cast(ChunkVector.embedding, Text))
        .join(
            ChunkVector,
            and_(
                ChunkVector.document_id == DocumentChunk.document_id,
                ChunkVector.index == DocumentChunk.index,
            ),
        )
        .where(DocumentChunk.document_id == document_id, ChunkVector.model_id == model)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def add_vectors(
    tx: AsyncConnection, source: Source, model: int, vectors: dict[int, str]
) -> None:
    """Write the vectors of passages that have none of this model yet."""
    rows = [
        {
            "document_id": source.document_id,
            "index": index,
            "model_id": model,
            "store_id": source.store_id,
            "vector": vector,
        }
        for index, vector in vectors.items()
    ]
    vector = as_vector(bindparam("vector", type_=Text))
    added = upsert(ChunkVector).values(embedding=vector).on_conflict_do_nothing()
    await in_batches(tx, added, rows)


async def count_without_model(connection: AsyncConnection, model: int) -> int:
    """Return how many indexed documents have a passage without a vector of this model."""
    lacking = select(DocumentIndex.document_id).where(*_lacks(model)).subquery()
    return await connection.scalar(select(func.count()).select_from(lacking)) or 0


async def without_model(
    connection: AsyncConnection, model: int, after: UUID, limit: int
) -> list[tuple[UUID, int]]:
    """Return such documents with their revision, in order of id."""
    statement = (
        select(DocumentIndex.document_id, DocumentIndex.revision)
        .where(DocumentIndex.document_id > after, *_lacks(model))
        .order_by(DocumentIndex.document_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await connection.execute(statement)]


async def left_behind(
    connection: AsyncConnection, model: int, limit: int
) -> list[tuple[UUID, int]]:
    """Return documents that were last indexed with another model and lack vectors of this."""
    statement = (
        select(DocumentIndex.document_id, DocumentIndex.revision)
        .where(DocumentIndex.model_id.is_distinct_from(model), *_lacks(model))
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await connection.execute(statement)]


async def delete_vectors_but(tx: AsyncConnection, model: int, limit: int) -> int:
    """Delete some vectors of other models; return how many."""
    key = tuple_(ChunkVector.document_id, ChunkVector.index, ChunkVector.model_id)
    some = (
        select(ChunkVector.document_id, ChunkVector.index, ChunkVector.model_id)
        .where(ChunkVector.model_id != model)
        .limit(limit)
    )
    return (await tx.execute(delete(ChunkVector).where(key.in_(some)))).rowcount


def _lacks(model: int) -> tuple[Any, ...]:
    has_vector = (
        select(ChunkVector.index)
        .where(
            ChunkVector.document_id == DocumentChunk.document_id,
            ChunkVector.index == DocumentChunk.index,
            ChunkVector.model_id == model,
        )
        .exists()
    )
    lacking = (
        select(DocumentChunk.index)
        .where(DocumentChunk.document_id == DocumentIndex.document_id, ~has_vector)
        .exists()
    )
    return DocumentIndex.status == IndexStatus.READY, lacking


def vector_text(vector: Vector) -> str:
    """Return a vector as Postgres reads it."""
    return orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode()
