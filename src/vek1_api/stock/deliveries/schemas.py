"""Messages to an ERP and their attempts, as callers see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.outbound.posting import ERRORS
from vek1_api.core.pagination import Paging
from vek1_api.products.status import MovementReason
from vek1_api.stock.outbound_status import DeliveryStatus, MessageType

NO_SECRET = "no_secret"  # noqa: S105 - The name of an error.
_WHY = ERRORS | {NO_SECRET: "There is no secret that could sign it: make one."}
_ERRORS = "  \n".join(f"`{code}`: {words}" for code, words in _WHY.items())


class DeliveryFilters(Paging):
    """Which messages to list."""

    status: DeliveryStatus | None = Field(None, description="Only those in this state.")
    product_id: UUID | None = Field(None, description="Only those about this product.")


class DeliveryAttempt(BaseModel):
    """One try."""

    number: int = Field(examples=[1])
    at: datetime
    duration_ms: int = Field(examples=[84])
    status: int | None = Field(description="Of the answer.", examples=[200])
    error: str | None = Field(
        description=f"Null where all went well.  \n{_ERRORS}", examples=[None]
    )
    answer: str | None = Field(
        description="How the answer began, where it was no success.", examples=[None]
    )


class DeliveryRead(BaseModel):
    """A message: one for each change of stock that the ERP must hear of."""

    id: UUID = Field(description="The id of the movement.")
    type: MessageType = Field(examples=["stock.decremented"])
    product_id: UUID
    product_integration_id: str | None = Field(examples=["CAF-500G"])
    sequence: int = Field(examples=[42])
    stock: int = Field(examples=[11])
    delta: int = Field(examples=[-1])
    reason: MovementReason
    order_id: UUID | None
    status: DeliveryStatus = Field(
        description="`held`: a day of attempts did not deliver it; ask for it again.",
        examples=["delivered"],
    )
    created_at: datetime
    next_attempt_at: datetime | None = Field(
        description="When it is tried again; null where it is not, or waits for its turn."
    )
    delivered_at: datetime | None
    attempt_count: int = Field(examples=[1])
    attempts: list[DeliveryAttempt] = Field(description="The last twenty, newest first.")


class DeliveryPage(BaseModel):
    """A page of messages, newest first."""

    items: list[DeliveryRead]
    next_cursor: str | None
