"""Documents: taking texts and files, changing and removing them. Indexing is a job."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.documents import queries, reading
from vek1_api.documents.errors import DocumentNotFoundError, GeneratedDocumentError
from vek1_api.documents.models import Document
from vek1_api.documents.schemas import (
    DocumentCreate,
    DocumentFields,
    DocumentUpdate,
    FileFields,
)
from vek1_api.files import service as files
from vek1_api.files.incoming import IncomingFile
from vek1_api.products import service as products

MAX_TITLE_CHARS = 200
_TEXT_ONLY = dict.fromkeys(("file_name", "file_size", "mime_type", "object_key"))
_GENERATED = frozenset({"title", "content", "product_id"})
"""What a product says of itself; the rest of its document is the merchant's."""
MODEL = Document
"""For ``access.grants.assert_in_store``, where a request refers to documents."""


async def create(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: DocumentCreate
) -> Answer:
    """Take a text; it counts against the store's quota with its UTF-8 bytes."""
    size_bytes = len(wanted.content.encode())
    await files.take_room(tx, access, store_id, size_bytes)
    values = {
        "title": wanted.title,
        "content": wanted.content,
        "counted_bytes": size_bytes,
    }
    return await _add(tx, access, store_id, wanted, values)


async def create_from_file(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: FileFields,
    file: IncomingFile,
    *,
    key: str,
) -> Answer:
    """Take a file whose bytes are in the bucket under ``key`` already."""
    await files.keep(tx, key)
    values = {
        "title": wanted.title or file.filename[:MAX_TITLE_CHARS],
        "content": "",
        "file_name": file.filename,
        "file_size": file.size_bytes,
        "mime_type": file.file_type.mime_type,
        "object_key": key,
        "counted_bytes": file.size_bytes,
    }
    return await _add(tx, access, store_id, wanted, values)


async def update(
    tx: AsyncConnection,
    access: Access,
    document_id: UUID,
    wanted: DocumentUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent; a new title or content is indexed again."""
    before = await _lock(tx, access, document_id)
    if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, wanted.changes())
    if not values:
        return Answer(200, before)
    store_id = UUID(old["store_id"])
    if _GENERATED & values.keys():
        await _assert_not_generated(tx, old)
    await _assert_product(tx, access, store_id, wanted)
    await queries.change(tx, access, document_id, values)
    if {"content", "title"} & values.keys():
        revision = await queries.start_over(
            tx, document_id, store_id, is_new_text="content" in values
        )
        await enqueue_indexing(tx, document_id, revision)
    if "content" in values and old["file_name"] is None:
        await _resize(tx, access, store_id, document_id, len(values["content"].encode()))
    meta = audit_service.changed(_without_text(old), _without_text(values))
    await _log(tx, access, "document.updated", document_id, store_id, meta)
    return Answer(200, await reading.read(await driver_of(tx), access, document_id))


async def delete(
    tx: AsyncConnection, access: Access, document_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Remove a document: from the moment of the commit it never answers again."""
    before = await _lock(tx, access, document_id)
    if_match.check(before)
    old = orjson.loads(before)
    await _assert_not_generated(tx, old)
    store_id = UUID(old["store_id"])
    has_file = await queries.object_key(tx, document_id) is not None
    # A trigger gives its room back and dooms its original, whoever deletes the row.
    await queries.remove(tx, access, document_id)
    if has_file:
        await jobs.enqueue(tx, "files.remove")
    await _log(tx, access, "document.deleted", document_id, store_id)
    return Answer(204)


async def reindex(tx: AsyncConnection, access: Access, document_id: UUID) -> Answer:
    """Index a document again, for example after a failure."""
    old = orjson.loads(await _lock(tx, access, document_id))
    store_id = UUID(old["store_id"])
    await enqueue_indexing(
        tx, document_id, await queries.start_over(tx, document_id, store_id)
    )
    await _log(tx, access, "document.reindexed", document_id, store_id)
    return Answer(202, await reading.read(await driver_of(tx), access, document_id))


async def _add(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: DocumentFields,
    values: dict[str, Any],
) -> Answer:
    await _assert_product(tx, access, store_id, wanted)
    row = await queries.ADD.row(
        await driver_of(tx),
        store_id=store_id,
        product_id=wanted.product_id,
        category=wanted.category,
        tags=wanted.tags,
        metadata=wanted.metadata,
        **(_TEXT_ONLY | values),
        **audit_service.values(access),
        **jobs.values(),
    )
    assert row is not None
    return Answer(201, row["body"])


async def _lock(tx: AsyncConnection, access: Access, document_id: UUID) -> Json:
    body = await queries.lock(tx, access, document_id)
    if body is None:
        raise DocumentNotFoundError(document_id)
    return body


async def _assert_product(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: DocumentFields
) -> None:
    if wanted.product_id is not None:
        await assert_in_store(
            tx,
            access,
            products.MODEL,
            store_id=store_id,
            pointers={"/product_id": wanted.product_id},
            kind="product",
        )


async def _assert_not_generated(tx: AsyncConnection, document: Mapping[str, Any]) -> None:
    """Raise ``GeneratedDocumentError`` for a document that speaks for a product."""
    if document["product_id"] is None:
        return
    product_id = await products.spoken_for(tx, UUID(document["id"]))
    if product_id is not None:
        raise GeneratedDocumentError(product_id)


async def _resize(
    tx: AsyncConnection, access: Access, store_id: UUID, document_id: UUID, size_bytes: int
) -> None:
    more = size_bytes - await queries.counted_bytes(tx, document_id)
    if more > 0:
        await files.take_room(tx, access, store_id, more)
    elif more < 0:
        # Never refused: a store that is over its quota may shrink.
        await files.give_room_back(tx, store_id, -more)
    await queries.set_counted_bytes(tx, document_id, size_bytes)


async def enqueue_indexing(tx: AsyncConnection, document_id: UUID, revision: int) -> None:
    """Let a job index this revision; one that waits or runs already is enough."""
    payload = {"document_id": str(document_id), "revision": revision}
    once = f"{queries.INDEXING}:{document_id}:{revision}"
    await jobs.enqueue(tx, queries.INDEXING, payload, once=once)


def _without_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log may hold: of a content only its length."""
    return {
        ("content_chars" if name == "content" else name): (
            len(value) if name == "content" else value
        )
        for name, value in values.items()
    }


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    document_id: object,
    store_id: UUID,
    meta: dict[str, Any] | None = None,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "document", document_id, store_id=store_id, meta=meta
    )
