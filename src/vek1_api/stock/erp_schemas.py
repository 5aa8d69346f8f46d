"""What an ERP sends, and what it is answered."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from vek1_api.core.inputs import Input, Instant, storable
from vek1_api.stock.status import ItemCode, ItemStatus

MAX_ITEMS = 1_000
LARGEST_NUMBER = 1e15
"""Beyond it a double has no units; what is too large for a stock is refused item by item."""

Key = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)
]


Amount = Annotated[
    float,
    Field(strict=True, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False),
]
"""A number as ERPs send it: `12.0` is 12; a fraction is refused item by item."""


class StockItem(Input):
    """A level or a change of one product, as the ERP knows it."""

    product_integration_id: Key | None = Field(
        None, description="Its id in the ERP.", examples=["CAF-500G"]
    )
    product_id: UUID | None = Field(
        None, description="Its id here; with both, they must agree.", examples=[None]
    )
    stock: Amount | None = Field(None, description="The level.", examples=[12])
    delta: Amount | None = Field(None, description="Units more or less.", examples=[None])
    external_id: Key | None = Field(
        None,
        description="The ERP's id of this change: the same id has one effect.",
        examples=["mov-2026-000123"],
    )
    occurred_at: Instant | None = Field(
        None,
        description="When it was so in the ERP; unset: now.",
        examples=["2026-11-22T10:15:30-03:00"],
    )

    @model_validator(mode="after")
    def _says_what_of_what(self) -> Self:
        if self.product_id is None and self.product_integration_id is None:
            message = "name the product by `product_integration_id` or `product_id`"
            raise ValueError(message)
        if (self.stock is None) == (self.delta is None):
            message = "say `stock` or `delta`, one of them"
            raise ValueError(message)
        return self


class StockBatch(Input):
    """What happened in the ERP, in its order; or the `plan_id` of a dry run."""

    items: list[StockItem] | None = Field(None, min_length=1, max_length=MAX_ITEMS)
    plan_id: UUID | None = Field(
        None, description="Apply this dry run; `items` may be left out.", examples=[None]
    )

    def rows(self) -> list[dict[str, Any]] | None:
        """Return the items as the database takes them."""
        if self.items is None:
            return None
        return [item.model_dump(mode="json") for item in self.items]


class BatchOptions(BaseModel):
    """How a batch is to be taken."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=False, description="Only say what would become of it.")
    force: bool = Field(
        default=False, description="However much of the catalogue it changes."
    )
    plan_id: UUID | None = Field(
        None, description="Apply this dry run, as if it stood in the body."
    )


class ItemVerdict(BaseModel):
    """What became of an item; the verdicts are in the order of the items."""

    product_integration_id: str | None = Field(examples=["CAF-500G"])
    product_id: UUID | None
    external_id: str | None = Field(examples=["mov-2026-000123"])
    status: ItemStatus
    before: int | None = Field(examples=[9])
    after: int | None = Field(
        description="What is left; of a duplicate, what was left the first time.",
        examples=[12],
    )
    code: ItemCode | None = Field(examples=[None])
    message: str | None = Field(examples=[None])


class Summary(BaseModel):
    """How many items there are of each status."""

    applied: int = Field(examples=[1])
    unchanged: int = Field(examples=[0])
    duplicate: int = Field(examples=[0])
    stale: int = Field(examples=[0])
    not_found: int = Field(examples=[0])
    rejected: int = Field(examples=[0])


class StockResult(BaseModel):
    """What became, or in a dry run would become, of a batch."""

    dry_run: bool = Field(examples=[False])
    plan_id: UUID | None = Field(
        description="Of a dry run: send it within a day to apply exactly this.",
        examples=[None],
    )
    needs_force: bool = Field(
        description="Of a dry run: so much would change that it needs `force=true`.",
        examples=[False],
    )
    summary: Summary
    items: list[ItemVerdict]
