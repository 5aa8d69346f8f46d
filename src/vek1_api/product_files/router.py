"""Files of products: pictures, manuals, tables."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import (
    EmptyFileError,
    PayloadTooLargeError,
    PreconditionFailedError,
    StorageQuotaExceededError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.pagination import Paging
from vek1_api.core.problems import responses
from vek1_api.product_files import intake, service
from vek1_api.product_files.errors import NotUploadedError, ProductFileNotFoundError
from vek1_api.product_files.schemas import (
    ProductFilePage,
    ProductFileRead,
    ProductUploadCreate,
    ProductUploadRead,
)
from vek1_api.products.errors import ProductNotFoundError

router = APIRouter(prefix="/v1", tags=["Catalogue"])


@router.get(
    "/products/{product_id}/files",
    response_model=ProductFilePage,
    responses=responses(ProductNotFoundError),
)
async def list_product_files(
    read: Read, product_id: UUID, paging: Annotated[Paging, Query()]
) -> Response:
    """List a product's files without their texts, newest first."""
    return read.page(await service.page(read.database, read.access, product_id, paging))


@router.post(
    "/products/{product_id}/files",
    status_code=201,
    response_model=ProductFileRead,
    responses=responses(
        ProductNotFoundError,
        StorageQuotaExceededError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        EmptyFileError,
    ),
)
async def create_product_file(
    write: Write,
    product_id: UUID,
    file: Annotated[
        UploadFile, File(description="PDF, CSV, DOCX, JPEG, PNG, GIF or WebP.")
    ],
) -> Response:
    """Add a file to a product. Its kind is judged by its content, its address is public.

    A picture loses its metadata, such as where it was taken. A job reads the text of the
    others, which becomes part of what the product's agents know.
    """
    return await intake.take(write, product_id, file)


@router.post(
    "/products/{product_id}/files/presign",
    status_code=201,
    response_model=ProductUploadRead,
    responses=responses(
        ProductNotFoundError,
        StorageQuotaExceededError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
    ),
)
async def presign_product_file(
    write: Write, product_id: UUID, body: ProductUploadCreate
) -> Response:
    """Get a form with which a browser puts a file into the bucket by itself.

    Room is reserved until the form expires. Complete the upload to make it a file.
    """
    return await intake.presign(write, product_id, body)


@router.post(
    "/product-files/{file_id}/complete",
    response_model=ProductFileRead,
    responses=responses(
        ProductFileNotFoundError,
        NotUploadedError,
        StorageQuotaExceededError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        EmptyFileError,
    ),
)
async def complete_product_file(write: Write, file_id: UUID) -> Response:
    """Check what the browser uploaded and make it the product's file; twice is as once.

    After a refusal the form may be used again until it expires.
    """
    return await intake.complete(write, file_id)


@router.get(
    "/product-files/{file_id}",
    response_model=ProductFileRead,
    responses=responses(ProductFileNotFoundError),
)
async def get_product_file(read: Read, file_id: UUID) -> Response:
    """Get a file with its text."""
    return read.one(await service.get(read.database, read.access, file_id))


@router.delete(
    "/product-files/{file_id}",
    status_code=204,
    responses=responses(ProductFileNotFoundError, PreconditionFailedError),
)
async def delete_product_file(write: Write, file_id: UUID) -> Response:
    """Remove a file from the product and from the bucket."""
    return await write(
        lambda tx: service.delete(tx, write.access, file_id, if_match=write.if_match)
    )
