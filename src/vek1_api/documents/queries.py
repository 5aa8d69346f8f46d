"""The statements of documents: reading, writing, deleting. Indexing has its own."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import scoped, scoped_delete, scoped_update
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, row_object
from vek1_api.documents.models import (
    AgentDocument,
    AgentKnowledge,
    Document,
    DocumentChunk,
    DocumentIndex,
)
from vek1_api.documents.schemas import ChunkRead, DocumentRead, DocumentSummary
from vek1_api.documents.status import IndexStatus

_FAILURE = case(
    (
        DocumentIndex.error_code.is_not(None),
        func.json_build_object(
            "code", DocumentIndex.error_code, "message", DocumentIndex.error_message
        ),
    )
)
_INDEX = {
    "metadata": Document.meta,
    # A document that the front end wrote has no index yet; a job will see to it.
    "index_status": func.coalesce(DocumentIndex.status, IndexStatus.PENDING),
    "index_error": _FAILURE,
    "chunk_count": func.coalesce(DocumentIndex.chunk_count, 0),
    "page_count": DocumentIndex.page_count,
}
DOCUMENT = row_object(Document, DocumentRead, _INDEX)
SUMMARY = row_object(Document, DocumentSummary, _INDEX)

INDEXING = "documents.index"
"""The job that makes passages of a document."""

_ON_INDEX = DocumentIndex.document_id == Document.id
_ROW_ID = bindparam("row_id", type_=Uuid)

GET = HotStatement(
    scoped(Document, DOCUMENT)
    .outerjoin(DocumentIndex, _ON_INDEX)
    .where(Document.id == _ROW_ID)
)

STATUS = HotStatement(
    scoped(Document, DocumentIndex.status)
    .join(DocumentIndex, _ON_INDEX)
    .where(Document.id == _ROW_ID)
)


def known_to(agent_id: Any) -> Any:
    """Return the condition that a document is in an agent's knowledge base."""
    linked = select(AgentDocument.document_id).where(AgentDocument.agent_id == agent_id)
    knows_catalogue = (
        select(AgentKnowledge.agent_id)
        .where(AgentKnowledge.agent_id == agent_id, AgentKnowledge.whole_catalogue)
        .exists()
    )
    return or_(
        Document.id.in_(linked), and_(Document.product_id.is_not(None), knows_catalogue)
    )


_WORDS = func.vek1_api.fold(func.concat_ws(" ", Document.title, Document.file_name))

PAGE = PageQuery(
    scoped(Document, SUMMARY)
    .outerjoin(DocumentIndex, _ON_INDEX)
    .where(Document.store_id == bindparam("store_id", type_=Uuid)),
    at=Document.created_at,
    row_id=Document.id,
    filters={
        "category": Document.category == bindparam("category", type_=Text),
        "tag": bindparam("tag", type_=Text) == func.any(Document.tags),
        "product_id": Document.product_id == bindparam("product_id", type_=Uuid),
        "agent_id": known_to(bindparam("agent_id", type_=Uuid)),
        "index_status": func.coalesce(DocumentIndex.status, IndexStatus.PENDING)
        == bindparam("index_status", type_=Text),
        "q": func.strpos(_WORDS, func.vek1_api.fold(bindparam("q", type_=Text))) > 0,
    },
)

_NEW: dict[str, Any] = {
    "store_id": Uuid,
    "product_id": Uuid,
    "title": Text,
    "content": Text,
    "file_name": Text,
    "file_size": Integer,
    "mime_type": Text,
    "category": Text,
    "tags": ARRAY(Text),
    "metadata": JSONB,
}


def _add() -> HotStatement:
    values = {name: bindparam(name, type_=kind) for name, kind in _NEW.items()}
    table = Document.__table__
    assert isinstance(table, Table)
    document = insert(table).values(values).returning(table).cte("document")
    index = (
        insert(DocumentIndex)
        .from_select(
            ["document_id", "store_id", "status", "object_key", "counted_bytes"],
            select(
                document.c.id,
                document.c.store_id,
                literal(IndexStatus.PENDING.value),
                bindparam("object_key", type_=Text),
                bindparam("counted_bytes", type_=BigInteger),
            ),
        )
        .cte("document_index")
    )
    pending = {
        "index_status": literal(IndexStatus.PENDING.value),
        "index_error": null(),
        "chunk_count": literal(0),
        "page_count": null(),
    }
    body = row_object(document.c, DocumentRead, pending)
    id_text = cast(document.c.id, Text)
    job = jobs.enqueuing(
        INDEXING,
        {"document_id": id_text, "revision": 1},
        once=func.concat(f"{INDEXING}:", id_text, ":1"),
    )
    entry = audit_service.logging(
        "document.created", "document", document.c.id, document.c.store_id
    )
    return HotStatement(select(body, job, entry).add_cte(index))


ADD = _add()
"""Write a document that is not indexed yet, with its job and its entry; answer its JSON."""

CHUNK = row_object(DocumentChunk, ChunkRead)
CHUNKS = HotStatement(
    scoped(Document, DocumentChunk.index, CHUNK)
    .join(DocumentChunk, DocumentChunk.document_id == Document.id)
    .where(Document.id == _ROW_ID, DocumentChunk.index > bindparam("after", type_=Integer))
    .order_by(DocumentChunk.index)
    .limit(bindparam("row_limit", type_=Integer))
)


async def lock(tx: AsyncConnection, access: Access, document_id: UUID) -> Json | None:
    """Return the document as JSON, locked against other changes."""
    locked = scoped(Document, Document.id).where(Document.id == document_id)
    found = await tx.scalar(locked.with_for_update(of=Document), access.owner)
    if found is None:
        return None
    row = await GET.row(await driver_of(tx), row_id=document_id, **access.owner)
    return None if row is None else str(row["body"])


async def change(
    tx: AsyncConnection, access: Access, document_id: UUID, values: dict[str, Any]
) -> None:
    """Change a document's own columns."""
    renamed = {
        "meta" if name == "metadata" else name: value for name, value in values.items()
    }
    columns = {getattr(Document, name): value for name, value in renamed.items()}
    statement = scoped_update(Document).where(Document.id == document_id).values(columns)
    await tx.execute(statement, access.owner)


async def start_over(
    tx: AsyncConnection, document_id: UUID, store_id: UUID, *, is_new_text: bool = False
) -> int:
    """Make the document wait for a new indexing; return the revision that is to be indexed.

    A new text has no pages any more, and its passages quote nothing until then.
    """
    pages: dict[str, Any] = (
        {"pages": null(), "page_count": None, "chunk_count": 0} if is_new_text else {}
    )
    statement = (
        upsert(DocumentIndex)
        .values(document_id=document_id, store_id=store_id, status=IndexStatus.PENDING)
        .on_conflict_do_update(
            index_elements=[DocumentIndex.document_id],
            set_={
                "status": IndexStatus.PENDING,
                "revision": DocumentIndex.revision + 1,
                "error_code": None,
                "error_message": None,
                "updated_at": func.now(),
            }
            | pages,
        )
        .returning(DocumentIndex.revision)
    )
    revision: int | None = await tx.scalar(statement)
    assert revision is not None
    return revision


async def counted_bytes(tx: AsyncConnection, document_id: UUID) -> int:
    """Return what a document takes of its store's quota."""
    counted = select(DocumentIndex.counted_bytes)
    return await tx.scalar(counted.where(DocumentIndex.document_id == document_id)) or 0


async def set_counted_bytes(
    tx: AsyncConnection, document_id: UUID, size_bytes: int
) -> None:
    """Write what a document takes of its store's quota."""
    await tx.execute(
        update(DocumentIndex)
        .where(DocumentIndex.document_id == document_id)
        .values(counted_bytes=size_bytes)
    )


async def object_key(tx: AsyncConnection, document_id: UUID) -> str | None:
    """Return where the document's original lies, if it came as a file."""
    statement = select(DocumentIndex.object_key).where(
        DocumentIndex.document_id == document_id
    )
    key: str | None = await tx.scalar(statement)
    return key


async def remove(tx: AsyncConnection, access: Access, document_id: UUID) -> None:
    """Delete a document; triggers delete what hangs on it."""
    await tx.execute(
        delete(AgentDocument).where(
            AgentDocument.document_id.in_(
                scoped(Document, Document.id).where(Document.id == document_id)
            )
        ),
        access.owner,
    )
    await tx.execute(
        scoped_delete(Document).where(Document.id == document_id), access.owner
    )
