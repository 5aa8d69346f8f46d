"""A store's sales as callers see them; amounts are integer cents, days are the store's own."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vek1_api.orders.status import OrderStatus, PaymentMethod


class By(StrEnum):
    """How long a period is; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Format(StrEnum):
    """As what to answer."""

    JSON = "json"
    CSV = "csv"
    SVG = "svg"


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]


class SummaryQuery(BaseModel):
    """Which days to count, and how to show them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Day | None = Field(
        None,
        alias="from",
        description="The first day; without it 30 days, 12 weeks or 12 months are counted.",
    )
    to: Day | None = Field(None, description="The last day, counted too; today without it.")
    by: By = Field(By.DAY, description="How long a period is; a week begins on Monday.")
    format: Format = Field(
        Format.JSON,
        description="`csv` for a spreadsheet, `svg` for a chart of the revenue.",
    )


class Sales(BaseModel):
    """What was sold within some days."""

    orders: int = Field(description="Confirmed within these days.", examples=[42])
    revenue_cents: int = Field(description="Of those orders.", examples=[314_160])
    average_ticket_cents: int = Field(
        description="Revenue by order, half a cent up; 0 without orders.", examples=[7480]
    )
    cancelled: int = Field(description="Orders cancelled within these days.", examples=[2])


class SalesPeriod(Sales):
    """A day, a week or a month; the first and the last end where the range does."""

    from_: date = Field(alias="from", examples=["2026-11-01"])
    to: date = Field(examples=["2026-11-30"])


class SalesByStatus(BaseModel):
    """Orders made within these days, by what has become of them since."""

    status: OrderStatus
    orders: int = Field(examples=[42])
    total_cents: int = Field(examples=[314_160])


class SalesByMethod(BaseModel):
    """Revenue by how it was paid."""

    method: PaymentMethod | None
    orders: int = Field(examples=[42])
    revenue_cents: int = Field(examples=[314_160])


class ProductSales(BaseModel):
    """A product's part; what is not in the catalogue has no id."""

    product_id: UUID | None
    name: str = Field(examples=["Café Serra Azul 500 g"])
    quantity: int = Field(examples=[60])
    revenue_cents: int = Field(
        description="Of its lines: before shipping and discounts.", examples=[179_400]
    )


class SalesSummary(Sales):
    """What a store sold.

    Revenue are the totals of orders that are confirmed, shipping or fulfilled, by when they
    were confirmed.
    """

    store_id: UUID
    time_zone: str = Field(
        description="`settings.time_zone` of the company.", examples=["America/Sao_Paulo"]
    )
    from_: date = Field(alias="from", examples=["2026-11-01"])
    to: date = Field(examples=["2026-11-30"])
    by: By
    by_status: list[SalesByStatus]
    by_method: list[SalesByMethod]
    top_products_by_revenue: list[ProductSales] = Field(description="At most ten.")
    top_products_by_quantity: list[ProductSales] = Field(description="At most ten.")
    periods: list[SalesPeriod] = Field(description="All of them, those with nothing too.")
