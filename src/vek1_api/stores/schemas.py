"""Stores as callers see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Input, Name, Note, Slug
from vek1_api.core.pagination import Paging
from vek1_api.stores.status import StoreStatus

GigaBytes = Annotated[
    int, Field(ge=1, le=1000, description="Quota, in units of 2^30 bytes.")
]
OpenStatus = Literal[StoreStatus.ACTIVE, StoreStatus.INACTIVE]


class StoreFilters(Paging):
    """Which stores to list."""

    status: OpenStatus | None = None


class StoreCreate(Input):
    """A new store."""

    name: Name = Field(examples=["Loja da Savassi"])
    slug: Slug | None = Field(None, examples=["savassi"], description="Made from the name.")
    description: Note | None = None
    status: OpenStatus = StoreStatus.ACTIVE
    allocated_size_gb: GigaBytes = 1
    embedding_dimension: Literal[1024] = 1024
    similarity_function: Literal["cosine"] = "cosine"


class StoreUpdate(Input):
    """What to change."""

    name: Name = ""
    slug: Slug = ""
    description: Note | None = None
    status: OpenStatus = StoreStatus.ACTIVE
    allocated_size_gb: GigaBytes = 1


class StoreRead(BaseModel):
    """A store."""

    id: UUID
    company_id: str
    name: str
    slug: str
    description: str | None
    status: OpenStatus
    allocated_size_gb: int
    used_size_bytes: int = Field(
        description="Bytes of files and texts; at most 2147483647 is shown, see `/usage`."
    )
    embedding_dimension: int
    similarity_function: str
    created_at: datetime
    updated_at: datetime


class StorePage(BaseModel):
    """A page of stores, newest first."""

    items: list[StoreRead]
    next_cursor: str | None


class StoreCounts(BaseModel):
    """How many of each a store has."""

    agents: int
    documents: int
    products: int
    leads: int
    messages: int
    orders: int


class StoreUsage(BaseModel):
    """How much of a store's room is used."""

    used_bytes: int = Field(examples=[73_400_320])
    allowed_bytes: int = Field(examples=[1_073_741_824])
    counts: StoreCounts
