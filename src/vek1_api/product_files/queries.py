"""The statements of product files; each reaches them through the store of their product."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import scoped
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, row_object
from vek1_api.product_files.models import FileUpload, ProductFile
from vek1_api.product_files.schemas import ProductFileRead, ProductFileSummary
from vek1_api.product_files.status import FileStatus
from vek1_api.products.service import MODEL as PRODUCT

FILE = row_object(ProductFile, ProductFileRead)
SUMMARY = row_object(ProductFile, ProductFileSummary)


def _of_products(*columns: Any) -> Select[Any]:
    """Select columns of the files of products within reach."""
    return scoped(PRODUCT, *columns).join(ProductFile, ProductFile.product_id == PRODUCT.id)


GET = HotStatement(
    _of_products(FILE).where(ProductFile.id == bindparam("row_id", type_=Uuid))
)
STORE_OF = HotStatement(
    scoped(PRODUCT, PRODUCT.store_id).where(
        PRODUCT.id == bindparam("product_id", type_=Uuid)
    )
)
PAGE = PageQuery(
    _of_products(SUMMARY).where(PRODUCT.id == bindparam("product_id", type_=Uuid)),
    at=ProductFile.upload_date,
    row_id=ProductFile.id,
)


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that a browser may put into the bucket by itself."""

    file_id: UUID
    product_id: UUID
    object_key: str
    filename: str
    mime_type: str
    size_bytes: int
    expires_at: datetime


async def lock_product(
    tx: AsyncConnection, access: Access, product_id: UUID
) -> UUID | None:
    """Return the store of a product that stays until the transaction ends."""
    statement = (
        scoped(PRODUCT, PRODUCT.store_id)
        .where(PRODUCT.id == product_id)
        .with_for_update(of=PRODUCT, read=True, key_share=True)
    )
    store_id: UUID | None = await tx.scalar(statement, access.owner)
    return store_id


async def add(tx: AsyncConnection, values: dict[str, Any]) -> Json:
    """Add a file to a product that the caller has locked."""
    return str(await tx.scalar(insert(ProductFile).values(values).returning(FILE)))


async def lock(tx: AsyncConnection, access: Access, file_id: UUID) -> Json | None:
    """Return a file as JSON, locked against other changes."""
    locked = _of_products(ProductFile.id).where(ProductFile.id == file_id)
    if await tx.scalar(locked.with_for_update(of=ProductFile), access.owner) is None:
        return None
    row = await GET.row(await driver_of(tx), row_id=file_id, **access.owner)
    return None if row is None else str(row["body"])


async def remove(tx: AsyncConnection, access: Access, file_id: UUID) -> None:
    """Delete a file; a trigger frees its room and dooms its object."""
    mine = ProductFile.product_id.in_(scoped(PRODUCT, PRODUCT.id))
    await tx.execute(
        delete(ProductFile).where(ProductFile.id == file_id, mine), access.owner
    )


async def stage(tx: AsyncConnection, staged: Staged) -> None:
    """Expect a file of a product that the caller has locked."""
    await tx.execute(insert(FileUpload).values(asdict(staged)))


async def staged(
    connection: AsyncConnection, access: Access, file_id: UUID
) -> Staged | None:
    """Return a file that is expected."""
    columns = [getattr(FileUpload, name) for name in Staged.__dataclass_fields__]
    statement = (
        scoped(PRODUCT, *columns)
        .join(FileUpload, FileUpload.product_id == PRODUCT.id)
        .where(FileUpload.file_id == file_id)
    )
    row = (await connection.execute(statement, access.owner)).one_or_none()
    return None if row is None else Staged(*row)


async def unstage(tx: AsyncConnection, access: Access, file_id: UUID) -> bool:
    """Expect a file no more; false if it has come already, or was swept."""
    mine = FileUpload.product_id.in_(scoped(PRODUCT, PRODUCT.id))
    statement = delete(FileUpload).where(FileUpload.file_id == file_id, mine)
    return (await tx.execute(statement, access.owner)).rowcount == 1


async def sweep_staged(tx: AsyncConnection, before: datetime, limit: int) -> list[str]:
    """Expect the files no more that expired before; return the keys they were to have."""
    expired = (
        select(FileUpload.file_id)
        .where(FileUpload.expires_at < before)
        .order_by(FileUpload.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = delete(FileUpload).where(FileUpload.file_id.in_(expired))
    return list(await tx.scalars(statement.returning(FileUpload.object_key)))


async def source(connection: AsyncConnection, file_id: UUID) -> tuple[str, str] | None:
    """Return the key and media type of a file that waits for being read."""
    statement = select(ProductFile.filename, ProductFile.file_type).where(
        ProductFile.id == file_id, ProductFile.status == FileStatus.PENDING
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (row.filename, row.file_type)


async def settle(
    tx: AsyncConnection, file_id: UUID, status: FileStatus, content: str | None
) -> None:
    """Write what became of a file that waits; a trigger lets its product speak of it."""
    await tx.execute(
        update(ProductFile)
        .where(ProductFile.id == file_id, ProductFile.status == FileStatus.PENDING)
        .values(status=status, content=content)
    )


async def waiting(
    connection: AsyncConnection, before: datetime, limit: int
) -> Sequence[UUID]:
    """Return files that have waited for being read since before."""
    statement = (
        select(ProductFile.id)
        .where(ProductFile.status == FileStatus.PENDING, ProductFile.upload_date < before)
        .order_by(ProductFile.upload_date)
        .limit(limit)
    )
    return (await connection.scalars(statement)).all()


async def fail_lost(tx: AsyncConnection, keys: Sequence[str]) -> None:
    """Mark files whose objects are lost; what was read of them stays."""
    await tx.execute(
        update(ProductFile)
        .where(ProductFile.filename.in_(keys), ProductFile.status != FileStatus.FAILED)
        .values(status=FileStatus.FAILED)
    )
