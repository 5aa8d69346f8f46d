"""The statements of indexing: what a job loads, and what it writes if nothing has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    Executable,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.db import SCHEMA
from vek1_api.documents.models import (
    DIMENSIONS,
    ChunkVector,
    Document,
    DocumentChunk,
    DocumentIndex,
)
from vek1_api.documents.status import IndexStatus

ROWS_AT_ONCE = 500

_JOBS = table("pgqueuer", column("dedupe_key", Text), column("status"), schema=SCHEMA)


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be indexed."""

    document_id: UUID
    store_id: UUID
    title: str
    content: str
    mime_type: str | None
    object_key: str | None
    pages: list[list[int]] | None
    """Number, start and end of each page, if the text came with pages and was not changed."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as it will stand in the index."""

    index: int
    text: str
    start: int
    end: int
    page: int | None
    digest: bytes
    headline: str
    """Title and headings above it: what its keywords are found by besides its own words."""

    @property
    def place(self) -> tuple[int, int, int, int | None, bytes]:
        """What must be equal for a stored passage to stay as it is."""
        return self.index, self.start, self.end, self.page, self.digest


async def source(
    connection: AsyncConnection, document_id: UUID, revision: int
) -> Source | None:
    """Return what is to be indexed; none if it is gone or has changed since."""
    statement = (
        select(
            Document.id,
            Document.store_id,
            Document.title,
            Document.content,
            Document.mime_type,
            DocumentIndex.object_key,
            DocumentIndex.pages,
        )
        .join(DocumentIndex, DocumentIndex.document_id == Document.id)
        .where(Document.id == document_id, DocumentIndex.revision == revision)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Source(*row)


async def lock_revision(tx: AsyncConnection, document_id: UUID, revision: int) -> bool:
    """Return whether the document is still the one that was loaded, and keep it so."""
    document = select(Document.id).where(Document.id == document_id)
    if await tx.scalar(document.with_for_update(key_share=True)) is None:
        return False
    statement = select(DocumentIndex.revision).where(
        DocumentIndex.document_id == document_id
    )
    return await tx.scalar(statement.with_for_update()) == revision


async def replace_passages(
    tx: AsyncConnection, source: Source, passages: Sequence[Passage]
) -> None:
    """Write the passages of a document, leaving those alone that stay as they are."""
    stored = await _places(tx, source.document_id)
    wanted = {passage.place for passage in passages}
    gone = [place[0] for place in stored if place not in wanted]
    for kind in (ChunkVector, DocumentChunk):
        await tx.execute(
            delete(kind).where(kind.document_id == source.document_id, kind.index.in_(gone))
        )
    fresh = [passage for passage in passages if passage.place not in stored]
    terms = func.vek1_api.portuguese_terms(bindparam("words", type_=Text))
    statement = insert(DocumentChunk).values(terms=terms)
    await in_batches(tx, statement, [_row(source, passage) for passage in fresh])


async def settle(tx: AsyncConnection, document_id: UUID, values: dict[str, Any]) -> None:
    """Write how a document's indexing ended."""
    await tx.execute(
        update(DocumentIndex)
        .where(DocumentIndex.document_id == document_id)
        .values(updated_at=func.now(), **values)
    )


async def set_document(
    tx: AsyncConnection, document_id: UUID, *, content: str | None, embedding: str | None
) -> None:
    """Write a document's extracted text and its vector as a whole."""
    values: dict[Any, Any] = {Document.embedding: as_vector(literal(embedding, Text))}
    if content is not None:
        values[Document.content] = content
    await tx.execute(update(Document).where(Document.id == document_id).values(values))


async def waiting(
    connection: AsyncConnection, since: datetime, limit: int
) -> list[tuple[UUID, int]]:
    """Return documents that wait since before a moment: their job failed or was lost."""
    statement = (
        select(DocumentIndex.document_id, DocumentIndex.revision)
        .where(
            DocumentIndex.status == IndexStatus.PENDING,
            DocumentIndex.updated_at < since,
        )
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await connection.execute(statement)]


async def pending(
    connection: AsyncConnection, store_id: UUID, after: UUID, limit: int
) -> list[tuple[UUID, int]]:
    """Return documents of a store that wait for their index, by id, and their revisions."""
    statement = (
        select(DocumentIndex.document_id, DocumentIndex.revision)
        .where(
            DocumentIndex.store_id == store_id,
            DocumentIndex.status == IndexStatus.PENDING,
            DocumentIndex.document_id > after,
        )
        .order_by(DocumentIndex.document_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await connection.execute(statement)]


async def end_turn(tx: AsyncConnection, turn: str) -> bool:
    """Free the key of the store's job that runs; return whether all it stood for can be seen.

    False while a transaction is open that counts on this job (``vek1_api.index_products``).
    What comes later waits for the caller's transaction, and then adds a job.
    """
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(turn, 0))
    are_all_seen = bool(await tx.scalar(select(lock)))
    await tx.execute(
        update(_JOBS)
        .where(
            _JOBS.c.dedupe_key == turn,
            _JOBS.c.status == literal_column("'picked'"),
        )
        .values(dedupe_key=None)
    )
    return are_all_seen


async def adopt(tx: AsyncConnection, limit: int) -> list[UUID]:
    """Give an index to documents that the front end wrote itself; return them."""
    strangers = (
        select(Document.id, Document.store_id, literal(IndexStatus.PENDING.value))
        .outerjoin(DocumentIndex, DocumentIndex.document_id == Document.id)
        .where(DocumentIndex.document_id.is_(None))
        .limit(limit)
    )
    added = upsert(DocumentIndex).from_select(
        ["document_id", "store_id", "status"], strangers
    )
    made = added.on_conflict_do_nothing().returning(DocumentIndex.document_id)
    return list(await tx.scalars(made))


async def in_batches(
    tx: AsyncConnection, statement: Executable, rows: Sequence[dict[str, Any]]
) -> None:
    """Write many rows, few enough at once for the time-out of a statement."""
    for first in range(0, len(rows), ROWS_AT_ONCE):
        await tx.execute(statement, rows[first : first + ROWS_AT_ONCE])


def as_vector(text: Any) -> Any:
    """Return the expression that reads a vector from its text."""
    return cast(text, VECTOR(DIMENSIONS))


async def _places(
    tx: AsyncConnection, document_id: UUID
) -> set[tuple[int, int, int, int | None, bytes]]:
    statement = select(
        DocumentChunk.index,
        DocumentChunk.start,
        DocumentChunk.end,
        DocumentChunk.page,
        DocumentChunk.digest,
    ).where(DocumentChunk.document_id == document_id)
    return {(row[0], row[1], row[2], row[3], row[4]) for row in await tx.execute(statement)}


def _row(source: Source, passage: Passage) -> dict[str, Any]:
    return {
        "document_id": source.document_id,
        "store_id": source.store_id,
        "index": passage.index,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "digest": passage.digest,
        "words": f"{passage.headline}\n{passage.text}",
    }
