"""The catalogue: products of a store."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.convertors import Convertor, register_url_convertor
from typing_extensions import override

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.products import service
from vek1_api.products.errors import IntegrationIdTakenError, ProductNotFoundError
from vek1_api.products.schemas import (
    IntegrationId,
    ProductCreate,
    ProductFilters,
    ProductPage,
    ProductRead,
    ProductReplace,
    ProductUpdate,
)
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Catalogue"])


class _AnyText(Convertor[str]):
    """The rest of a path, with its slashes and line breaks; ``path`` swallows the last."""

    regex = r"[\s\S]*"

    @override
    def convert(self, value: str) -> str:
        return value

    @override
    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", _AnyText())


@router.get(
    "/stores/{store_id}/products",
    response_model=ProductPage,
    responses=responses(StoreNotFoundError),
)
async def list_products(
    read: Read, store_id: UUID, filters: Annotated[ProductFilters, Query()]
) -> Response:
    """List or search a store's products, newest first."""
    return read.page(await service.page(read.database, read.access, store_id, filters))


@router.post(
    "/stores/{store_id}/products",
    status_code=201,
    response_model=ProductRead,
    responses=responses(StoreNotFoundError, IntegrationIdTakenError),
)
async def create_product(write: Write, store_id: UUID, body: ProductCreate) -> Response:
    """Add a product; its first stock is the first movement of its ledger.

    A document that speaks for it joins the store's knowledge and follows its changes, so
    that an agent that knows the whole catalogue answers about it.
    """
    return await write(lambda tx: service.create(tx, write.access, store_id, body))


@router.get(
    "/stores/{store_id}/products/by-integration-id/{product_integration_id:any_text}",
    response_model=ProductRead,
    responses=responses(StoreNotFoundError),
)
async def get_product_by_integration_id(
    read: Read, store_id: UUID, product_integration_id: IntegrationId
) -> Response:
    """Get the product with this id in the ERP."""
    return read.one(
        await service.get_named(
            read.database, read.access, store_id, product_integration_id
        )
    )


@router.put(
    "/stores/{store_id}/products/by-integration-id/{product_integration_id:any_text}",
    response_model=ProductRead,
    responses={
        201: {"model": ProductRead, "description": "There was none: it is created."},
        **responses(StoreNotFoundError, IntegrationIdTakenError, PreconditionFailedError),
    },
)
async def put_product_by_integration_id(
    write: Write,
    store_id: UUID,
    product_integration_id: IntegrationId,
    body: ProductReplace,
) -> Response:
    """Create or replace the product with this id in the ERP."""
    return await write(
        lambda tx: service.replace(
            tx,
            write.access,
            store_id,
            product_integration_id,
            body,
            if_match=write.if_match,
        )
    )


@router.get(
    "/products/{product_id}",
    response_model=ProductRead,
    responses=responses(ProductNotFoundError),
)
async def get_product(read: Read, product_id: UUID) -> Response:
    """Get a product."""
    return read.one(await service.get(read.database, read.access, product_id))


@router.patch(
    "/products/{product_id}",
    response_model=ProductRead,
    responses=responses(
        ProductNotFoundError, IntegrationIdTakenError, PreconditionFailedError
    ),
)
async def update_product(write: Write, product_id: UUID, body: ProductUpdate) -> Response:
    """Change a product; a change of its stock is a movement of its ledger."""
    return await write(
        lambda tx: service.update(
            tx, write.access, product_id, body, if_match=write.if_match
        )
    )


@router.delete(
    "/products/{product_id}",
    status_code=204,
    responses=responses(ProductNotFoundError, PreconditionFailedError),
)
async def delete_product(write: Write, product_id: UUID) -> Response:
    """Remove a product and its files; orders and stock movements stay, without the link."""
    return await write(
        lambda tx: service.delete(tx, write.access, product_id, if_match=write.if_match)
    )
