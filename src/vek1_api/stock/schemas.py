"""Movements, levels and reconciliation as callers see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from vek1_api.core.inputs import Input, Instant, Note
from vek1_api.core.pagination import Paging
from vek1_api.products.schemas import LARGEST_STOCK, Stock
from vek1_api.products.status import MovementReason


class StockChange(Input):
    """A change by hand: `delta` units more or less, or the `stock` that was counted."""

    delta: (
        Annotated[int, Field(strict=True, ge=-LARGEST_STOCK, le=LARGEST_STOCK)] | None
    ) = Field(None, examples=[-2])
    stock: Stock | None = Field(None, examples=[None])
    reason: Note | None = Field(
        None, description="Why, in words; kept with the movement.", examples=["Quebrou"]
    )

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.delta is None) == (self.stock is None):
            message = "say `delta` or `stock`, one of them"
            raise ValueError(message)
        return self


class MovementFilters(Paging):
    """Which movements to list."""

    product_id: UUID | None = Field(None, description="Only of this product.")
    reason: MovementReason | None = Field(None, description="Only for this reason.")
    order_id: UUID | None = Field(None, description="Only of this order.")
    from_: Instant | None = Field(None, alias="from", description="Moved at or after.")
    to: Instant | None = Field(None, description="Moved before.")


class MovementRead(BaseModel):
    """A change of a product's stock; a product's deltas add up to its stock, always."""

    id: UUID
    store_id: UUID
    product_id: UUID | None = Field(description="Null once the product was deleted.")
    delta: int = Field(examples=[-2])
    reason: MovementReason
    order_id: UUID | None
    external_id: str | None = Field(description="The ERP's id of the change.")
    payload: Any = Field(
        description="What more is known: `source`, the `reason` of a change by hand, what "
        "the ERP `said`.",
        examples=[{"source": "manual", "reason": "Quebrou"}],
    )
    created_at: datetime


class MovementPage(BaseModel):
    """A page of movements, newest first."""

    items: list[MovementRead]
    next_cursor: str | None


class LevelFilters(Paging):
    """Which levels to list."""

    updated_since: Instant | None = Field(
        None,
        description="Changed at or after this: `read_until` of the round before.",
    )


class LevelRead(BaseModel):
    """What is in stock of a product."""

    product_id: UUID
    product_integration_id: str | None = Field(examples=["CAF-500G"])
    stock: int = Field(examples=[12])
    updated_at: datetime


class LevelPage(BaseModel):
    """A page of levels, those that changed last at the end."""

    items: list[LevelRead]
    next_cursor: str | None
    read_until: datetime = Field(
        description="All that changed before this is in the round that begins with this "
        "page. Keep that of a round's first page as `updated_since` of the next round."
    )


class ReportFormat(StrEnum):
    """How a report comes."""

    JSON = "json"
    CSV = "csv"


class ReconciliationQuery(BaseModel):
    """Which part of the report, and how."""

    model_config = {"extra": "forbid"}

    format: ReportFormat = Field(
        ReportFormat.JSON, description="`csv` is the whole report as one file."
    )
    limit: int = Field(50, ge=1, le=200, description="Items per page.")
    cursor: str | None = Field(
        None, max_length=512, description="`next_cursor` of the page before."
    )


class ErpWord(BaseModel):
    """The last level that the ERP gave for a product."""

    level: int = Field(examples=[14])
    occurred_at: datetime
    received_at: datetime
    external_id: str | None


class ReconciledProduct(BaseModel):
    """Three witnesses of a product's stock, and how far they are apart."""

    product_id: UUID
    product_integration_id: str | None = Field(examples=["CAF-500G"])
    name: str = Field(examples=["Café Serra Azul 500 g"])
    stock: int = Field(examples=[12])
    ledger: int = Field(description="The sum of its movements.", examples=[12])
    erp: ErpWord | None = Field(description="Null: it never gave a level.")
    expected: int | None = Field(
        description="The ERP's level and what moved since.", examples=[12]
    )
    difference: int | None = Field(
        description="`stock` less `expected`; 0 is what it should be.", examples=[0]
    )


class ReconciliationPage(BaseModel):
    """A page of the report: products whose witnesses differ come first."""

    items: list[ReconciledProduct]
    next_cursor: str | None
