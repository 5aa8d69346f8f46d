"""Showing documents: lists, one, its passages, a link to its original."""

from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.agents import service as agents
from vek1_api.core import clock
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.pagination import Paging, is_empty
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.documents import queries
from vek1_api.documents.errors import DocumentNotFoundError, NoFileError
from vek1_api.documents.schemas import DocumentFilters
from vek1_api.products import service as products

LINK_LIFE = timedelta(minutes=10)


async def page(
    database: Database, access: Access, store_id: UUID, filters: DocumentFilters
) -> bytes:
    """Return a page of a store's documents, newest first.

    An agent or product of another store is a ``ForeignReferenceError``.
    """
    if filters.agent_id is not None or filters.product_id is not None:
        async with database.read() as connection:
            await assert_filters(
                connection, access, store_id, filters.agent_id, filters.product_id
            )
    async with database.driver() as driver:
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
        return await read(driver, access, document_id)


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
            await read(driver, access, document_id)
    return [(row["index"], row["body"]) for row in rows]


async def file_link(
    resources: Resources, access: Access, document_id: UUID
) -> dict[str, str]:
    """Return a link to the original that lives ten minutes, or raise ``NoFileError``."""
    async with resources.database.read() as connection:
        body = await read(await driver_of(connection), access, document_id)
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


async def read(driver: Driver, access: Access, document_id: UUID) -> Json:
    """Return a document on a connection that is open already, or raise."""
    row = await queries.GET.row(driver, row_id=document_id, **access.owner)
    if row is None:
        raise DocumentNotFoundError(document_id)
    return str(row["body"])
