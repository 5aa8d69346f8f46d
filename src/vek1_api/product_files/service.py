"""Files of products: adding, expecting, showing and removing them. Reading them is a job."""

from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.errors import Vek1Error
from vek1_api.core.pagination import Paging, is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.files import service as files
from vek1_api.files.filetypes import FileType
from vek1_api.files.incoming import IncomingFile
from vek1_api.files.service import Upload
from vek1_api.product_files import queries
from vek1_api.product_files.errors import ProductFileNotFoundError
from vek1_api.product_files.queries import Staged
from vek1_api.products.errors import ProductNotFoundError

ALLOWED = frozenset(FileType) - {FileType.TEXT, FileType.MARKDOWN}
READING = "product_files.extract"
"""The job that reads a file's text."""


async def page(
    database: Database, access: Access, product_id: UUID, paging: Paging
) -> bytes:
    """Return a page of a product's files, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(
            driver, paging, product_id=product_id, **access.owner
        )
    if is_empty(body):
        await store_of(database, access, product_id)
    return body


async def store_of(database: Database, access: Access, product_id: UUID) -> UUID:
    """Return the store of a product, or raise ``ProductNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.STORE_OF.row(driver, product_id=product_id, **access.owner)
    if row is None:
        raise ProductNotFoundError(product_id)
    return UUID(str(row["store_id"]))


async def get(database: Database, access: Access, file_id: UUID) -> Json:
    """Return a file with its text, or raise ``ProductFileNotFoundError``."""
    async with database.driver() as driver:
        body = await _read(driver, access, file_id)
    if body is None:
        raise ProductFileNotFoundError(file_id)
    return body


async def create(
    tx: AsyncConnection,
    access: Access,
    resources: Resources,
    product_id: UUID,
    file: IncomingFile,
    *,
    key: str,
) -> Answer:
    """Add a file whose bytes are in the bucket under ``key`` already."""
    store_id = await _lock_product(tx, access, product_id)
    await files.keep(tx, key)
    place = _place(resources, access, product_id, key)
    body = await _add(tx, access, store_id, file, place | {"id": uuid4()})
    return Answer(201, body)


async def expect(
    tx: AsyncConnection, access: Access, staged: Staged, answer: Answer
) -> Answer:
    """Reserve room for a file that a browser is going to put into the bucket by itself."""
    store_id = await _lock_product(tx, access, staged.product_id)
    upload = Upload(
        key=staged.object_key,
        store_id=store_id,
        size_bytes=staged.size_bytes,
        content_type=staged.mime_type,
    )
    await files.reserve(tx, access, upload)
    await queries.stage(tx, staged)
    meta = {"product_id": str(staged.product_id), "size": staged.size_bytes}
    await _log(tx, access, "product_file.announced", staged.file_id, store_id, meta)
    return answer


async def complete(
    tx: AsyncConnection,
    access: Access,
    resources: Resources,
    staged: Staged,
    file: IncomingFile,
    *,
    key: str,
) -> Answer:
    """Add an expected file, which lies under ``key`` now; of two at once one adds it."""
    store_id = await queries.lock_product(tx, access, staged.product_id)
    if store_id is None or not await queries.unstage(tx, access, staged.file_id):
        return await completed(tx, access, staged.file_id)
    await files.keep_instead(tx, access, key, file.size_bytes, staged=staged.object_key)
    place = _place(resources, access, staged.product_id, key)
    body = await _add(tx, access, store_id, file, place | {"id": staged.file_id})
    return Answer(200, body)


async def completed(
    tx: AsyncConnection,
    access: Access,
    file_id: UUID,
    otherwise: Vek1Error | None = None,
) -> Answer:
    """Return a file that is there already; if it is not, raise ``otherwise``, or that."""
    body = await _read(await driver_of(tx), access, file_id)
    if body is None:
        raise otherwise or ProductFileNotFoundError(file_id)
    return Answer(200, body)


async def delete(
    tx: AsyncConnection, access: Access, file_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Remove a file; its room is free at once, a job takes it out of the bucket."""
    seen = await _read(await driver_of(tx), access, file_id)
    if seen is None:
        raise ProductFileNotFoundError(file_id)
    product_id = UUID(orjson.loads(seen)["product_id"])
    # The product first, as when it is removed itself: the two never wait crosswise.
    store_id = await _lock_product(tx, access, product_id)
    before = await queries.lock(tx, access, file_id)
    if before is None:
        raise ProductFileNotFoundError(file_id)
    if_match.check(before)
    await queries.remove(tx, access, file_id)
    meta = {"product_id": str(product_id)}
    await _log(tx, access, "product_file.deleted", file_id, store_id, meta)
    return Answer(204)


async def enqueue_reading(tx: AsyncConnection, file_id: UUID) -> None:
    """Let a job read a file; one that waits or runs already is enough."""
    payload = {"file_id": str(file_id)}
    await jobs.enqueue(tx, READING, payload, once=f"{READING}:{file_id}")


async def _read(driver: Driver, access: Access, file_id: UUID) -> Json | None:
    row = await queries.GET.row(driver, row_id=file_id, **access.owner)
    return None if row is None else str(row["body"])


async def _add(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    file: IncomingFile,
    place: dict[str, Any],
) -> Json:
    body = await queries.add(
        tx,
        place
        | {
            "original_filename": file.filename,
            "file_size": file.size_bytes,
            "file_type": file.file_type.mime_type,
        },
    )
    await enqueue_reading(tx, place["id"])
    meta = {"product_id": str(place["product_id"]), "file_size": file.size_bytes}
    await _log(tx, access, "product_file.created", place["id"], store_id, meta)
    return body


def _place(
    resources: Resources, access: Access, product_id: UUID, key: str
) -> dict[str, Any]:
    return {
        "company_id": access.company_id,
        "product_id": product_id,
        "filename": key,
        "file_url": resources.bucket.public_url(key),
        "bucket_name": resources.settings.s3_bucket,
    }


async def _lock_product(tx: AsyncConnection, access: Access, product_id: UUID) -> UUID:
    store_id = await queries.lock_product(tx, access, product_id)
    if store_id is None:
        raise ProductNotFoundError(product_id)
    return store_id


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    file_id: object,
    store_id: UUID,
    meta: dict[str, Any],
) -> None:
    await audit_service.log_audit(
        tx, access, action, "product_file", file_id, store_id=store_id, meta=meta
    )
