"""Stores as callers see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Input, Name, Note, Slug
from vek1_api.core.pagination import Paging
from vek1_api.stores.status import StoreStatus

GigaBytes = Annotated[
    int, Field(strict=True, ge=1, le=1000, description="Quota, in units of 2^30 bytes.")
]
OpenStatus = Literal[StoreStatus.ACTIVE, StoreStatus.INACTIVE]


class StoreFilters(Paging):
    """Which stores to list."""

    status: OpenStatus | None = Field(None, description="Only stores with this status.")


class StoreCreate(Input):
    """A new store."""

    name: Name = Field(examples=["Loja da Savassi"])
    slug: Slug | None = Field(None, examples=["savassi"], description="Made from the name.")
    description: Note | None = Field(
        None, examples=["Cafés especiais torrados toda semana, retirada e entrega."]
    )
    status: OpenStatus = StoreStatus.ACTIVE
    allocated_size_gb: GigaBytes = 1
    embedding_dimension: Literal[1024] = 1024
    similarity_function: Literal["cosine"] = "cosine"


class StoreUpdate(Input):
    """What to change."""

    name: Name = Field("", examples=["Loja da Savassi"])
    slug: Slug = ""
    description: Note | None = None
    status: OpenStatus = StoreStatus.ACTIVE
    allocated_size_gb: GigaBytes = Field(1, examples=[2])


class StoreRead(BaseModel):
    """A store."""

    id: UUID
    company_id: str = Field(examples=["usr_9f2c1d"])
    name: str
    slug: str
    description: str | None
    status: OpenStatus
    allocated_size_gb: int = Field(examples=[1])
    used_size_bytes: int = Field(
        description="Bytes of files and texts; at most 2147483647 is shown, see `/usage`.",
        examples=[73_400_320],
    )
    embedding_dimension: int = Field(examples=[1024])
    similarity_function: str = Field(examples=["cosine"])
    created_at: datetime
    updated_at: datetime


class StorePage(BaseModel):
    """A page of stores, newest first."""

    items: list[StoreRead]
    next_cursor: str | None


class StoreCounts(BaseModel):
    """How many of each a store has."""

    agents: int = Field(examples=[1])
    documents: int = Field(examples=[12])
    products: int = Field(examples=[48])
    leads: int = Field(examples=[230])
    messages: int = Field(examples=[1840])
    orders: int = Field(examples=[97])


class StoreUsage(BaseModel):
    """How much of a store's room is used."""

    used_bytes: int = Field(examples=[73_400_320])
    allowed_bytes: int = Field(examples=[1_073_741_824])
    counts: StoreCounts
