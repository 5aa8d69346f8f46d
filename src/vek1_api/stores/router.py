"""Stores."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.companies.errors import CompanyNotFoundError
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.stores import service
from vek1_api.stores.errors import StoreNotFoundError, StoreSlugTakenError
from vek1_api.stores.schemas import (
    StoreCreate,
    StoreFilters,
    StorePage,
    StoreRead,
    StoreUpdate,
    StoreUsage,
)

router = APIRouter(prefix="/v1/stores", tags=["Stores"])


@router.get("", response_model=StorePage)
async def list_stores(read: Read, filters: Annotated[StoreFilters, Query()]) -> Response:
    """List the company's stores, newest first."""
    return read.page(await service.page(read.database, read.access, filters))


@router.post(
    "",
    status_code=201,
    response_model=StoreRead,
    responses=responses(CompanyNotFoundError, StoreSlugTakenError),
)
async def create_store(write: Write, body: StoreCreate) -> Response:
    """Open a store."""
    return await write(lambda tx: service.create(tx, write.access, body))


@router.get(
    "/{store_id}", response_model=StoreRead, responses=responses(StoreNotFoundError)
)
async def get_store(read: Read, store_id: UUID) -> Response:
    """Get a store."""
    return read.one(await service.get(read.database, read.access, store_id))


@router.patch(
    "/{store_id}",
    response_model=StoreRead,
    responses=responses(StoreNotFoundError, StoreSlugTakenError, PreconditionFailedError),
)
async def update_store(write: Write, store_id: UUID, body: StoreUpdate) -> Response:
    """Change a store."""
    return await write(
        lambda tx: service.update(tx, write.access, store_id, body, if_match=write.if_match)
    )


@router.delete(
    "/{store_id}",
    status_code=204,
    responses=responses(StoreNotFoundError, PreconditionFailedError),
)
async def delete_store(write: Write, store_id: UUID) -> Response:
    """Close a store for good: everything below it answers 404 from then on."""
    return await write(
        lambda tx: service.delete(tx, write.access, store_id, if_match=write.if_match)
    )


@router.get(
    "/{store_id}/usage", response_model=StoreUsage, responses=responses(StoreNotFoundError)
)
async def get_store_usage(read: Read, store_id: UUID) -> Response:
    """Get how much of the store's room is used, and by how many rows."""
    return read.one(await service.usage(read.database, read.access, store_id))
