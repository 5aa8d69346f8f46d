"""Documents: taking texts and files, changing and removing them. Indexing is a job."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.agents import service as agents
from vek1_api.audit import service as audit_service
from vek1_api.core import clock, jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.pagination import Paging, is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.documents import queries
from vek1_api.documents.errors import DocumentNotFoundError, NoFileError
from vek1_api.documents.models import Document
from vek1_api.documents.schemas import (
    DocumentCreate,
    DocumentFields,
    DocumentFilters,
    DocumentUpdate,
    FileFields,
)
from vek1_api.files import service as files
from vek1_api.files.incoming import IncomingFile
from vek1_api.products import service as products

_TEXT_ONLY = dict.fromkeys(("file_name", "file_size", "mime_type", "object_key"))
LINK_LIFE = timedelta(minutes=10)
MODEL = Document
"""For ``access.grants.assert_in_store``, where a request refers to documents."""


async def page(
    database: Database, access: Access, store_id: UUID, filters: DocumentFilters
) -> bytes:
    """Return a page of a store's documents, newest first.

    An agent or product of another store is a ``ForeignReferenceError``.
    """
    async with database.read() as connection:
        await assert_filters(
            connection, access, store_id, filters.agent_id, filters.product_id
        )
        driver = await driver_of(connection)
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def assert_filters(
    connection: AsyncConnection,
    access: Access,
    store_id: UUID,
    agent_id: UUID | None,
    product_id: UUID | None,
    *,
    at: str = "/query",
) -> None:
    """Raise unless the store, and the agent and product that narrow it, are within reach."""
    if agent_id is None and product_id is None:
        return
    await assert_owns_store(await driver_of(connection), access, store_id)
    if agent_id is not None:
        pointers = {f"{at}/agent_id": agent_id}
        await assert_in_store(
            connection,
            access,
            agents.MODEL,
            store_id=store_id,
            pointers=pointers,
            kind="agent",
        )
    if product_id is not None:
        pointers = {f"{at}/product_id": product_id}
        await assert_in_store(
            connection,
            access,
            products.MODEL,
            store_id=store_id,
            pointers=pointers,
            kind="product",
        )


async def get(database: Database, access: Access, document_id: UUID) -> Json:
    """Return a document, or raise ``DocumentNotFoundError``."""
    async with database.driver() as driver:
        return await _get(driver, access, document_id)


async def create(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: DocumentCreate
) -> Answer:
    """Take a text; it counts against the store's quota with its UTF-8 bytes."""
    await files.take_room(tx, access, store_id, len(wanted.content.encode()))
    values = {"title": wanted.title, "content": wanted.content}
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
        "title": wanted.title or file.filename,
        "content": "",
        "file_name": file.filename,
        "file_size": file.size_bytes,
        "mime_type": file.file_type.mime_type,
        "object_key": key,
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
    values = wanted.changes()
    if not values:
        return Answer(200, before)
    old = orjson.loads(before)
    store_id = UUID(old["store_id"])
    await _assert_product(tx, access, store_id, wanted)
    if "content" in values and old["file_name"] is None:
        await _resize(tx, access, store_id, old["content"], values["content"])
    await queries.change(tx, access, document_id, values)
    if {"content", "title"} & values.keys():
        revision = await queries.start_over(
            tx, document_id, store_id, is_new_text="content" in values
        )
        await _index(tx, document_id, revision)
    meta = audit_service.changed(_without_text(old), _without_text(values))
    await _log(tx, access, "document.updated", document_id, store_id, meta)
    return Answer(200, await _get(await driver_of(tx), access, document_id))


async def delete(
    tx: AsyncConnection, access: Access, document_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Remove a document: from the moment of the commit it never answers again."""
    before = await _lock(tx, access, document_id)
    if_match.check(before)
    old = orjson.loads(before)
    store_id = UUID(old["store_id"])
    key = await queries.object_key(tx, document_id)
    await queries.remove(tx, access, document_id)
    if key is None:
        await files.give_room_back(tx, store_id, len(old["content"].encode()))
    else:
        await files.discard(tx, [key])
    await _log(tx, access, "document.deleted", document_id, store_id)
    return Answer(204)


async def reindex(tx: AsyncConnection, access: Access, document_id: UUID) -> Answer:
    """Index a document again, for example after a failure."""
    old = orjson.loads(await _lock(tx, access, document_id))
    store_id = UUID(old["store_id"])
    await _index(tx, document_id, await queries.start_over(tx, document_id, store_id))
    await _log(tx, access, "document.reindexed", document_id, store_id)
    return Answer(202, await _get(await driver_of(tx), access, document_id))


async def chunks(
    database: Database, access: Access, document_id: UUID, paging: Paging, after: int
) -> list[tuple[int, Json]]:
    """Return passages after an index, in the order of the text, one more than the page."""
    async with database.driver() as driver:
        rows = await queries.CHUNKS.rows(
            driver,
            row_id=document_id,
            after=after,
            row_limit=paging.limit + 1,
            **access.owner,
        )
        if not rows:
            await _get(driver, access, document_id)
    return [(row["index"], row["body"]) for row in rows]


async def file_link(
    resources: Resources, access: Access, document_id: UUID
) -> dict[str, str]:
    """Return a link to the original that lives ten minutes, or raise ``NoFileError``."""
    async with resources.database.read() as connection:
        body = await _get(await driver_of(connection), access, document_id)
        key = await queries.object_key(connection, document_id)
    if key is None:
        message = "This document was sent as text; its `content` is all there is."
        raise NoFileError(message)
    name = orjson.loads(body)["file_name"] or "document"
    expires_at = clock.now() + LINK_LIFE
    url = await resources.bucket.link(key, filename=name, expires=LINK_LIFE)
    return {"url": url, "expires_at": expires_at.isoformat().replace("+00:00", "Z")}


async def index_status(database: Database, access: Access, document_id: UUID) -> str | None:
    """Return how far a document's indexing is; none if it is gone."""
    async with database.driver() as driver:
        row = await queries.STATUS.row(driver, row_id=document_id, **access.owner)
    return None if row is None else str(row["status"])


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
    )
    assert row is not None
    await _index(tx, row["id"], 1)
    await _log(tx, access, "document.created", row["id"], store_id)
    return Answer(201, row["body"])


async def _get(driver: Driver, access: Access, document_id: UUID) -> Json:
    row = await queries.GET.row(driver, row_id=document_id, **access.owner)
    if row is None:
        raise DocumentNotFoundError(document_id)
    return str(row["body"])


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


async def _resize(
    tx: AsyncConnection, access: Access, store_id: UUID, before: str, after: str
) -> None:
    await files.give_room_back(tx, store_id, len(before.encode()))
    await files.take_room(tx, access, store_id, len(after.encode()))


async def _index(tx: AsyncConnection, document_id: UUID, revision: int) -> None:
    payload = {"document_id": str(document_id), "revision": revision}
    await jobs.enqueue(tx, "documents.index", payload)


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
