"""What a person must look at, as callers see it."""

from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.pagination import Paging


class AttentionKind(StrEnum):
    """Why a person must look."""

    LATE_PAYMENT = "late_payment"
    WRONG_AMOUNT = "wrong_amount"
    PAID_TWICE = "paid_twice"
    REFUND_DUE = "refund_due"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    UNKNOWN_CHARGE = "unknown_charge"
    WRONG_ENVIRONMENT = "wrong_environment"
    GATEWAY_REFUSED = "gateway_refused"


ADVICE = MappingProxyType(
    {
        AttentionKind.LATE_PAYMENT: "Paid after the order was cancelled: give the money "
        "back (POST /v1/orders/{order_id}/refund), or make the order anew.",
        AttentionKind.WRONG_AMOUNT: "What came is not what the order costs, so nothing was "
        "confirmed: agree with the customer, then refund it or confirm the order by hand.",
        AttentionKind.PAID_TWICE: "The order was paid before: give this payment back "
        "(POST /v1/orders/{order_id}/refund with its attempt_id).",
        AttentionKind.REFUND_DUE: "A paid order was cancelled: give the money back "
        "(POST /v1/orders/{order_id}/refund; by hand if it came by hand).",
        AttentionKind.REFUND_FAILED: "The refund did not go through; details say why. Put "
        "that right at AbacatePay (often the balance), then ask for the refund again.",
        AttentionKind.DISPUTE: "The customer's bank disputes the payment: answer it in "
        "AbacatePay's panel, and do not send the goods yet.",
        AttentionKind.UNKNOWN_CHARGE: "AbacatePay tells of a charge that no order of this "
        "store has: look it up in its panel.",
        AttentionKind.WRONG_ENVIRONMENT: "A webhook or a charge is of the other mode (test "
        "or live) than the store's key: check both in the payment settings.",
        AttentionKind.GATEWAY_REFUSED: "AbacatePay refuses the store's key: make a new one "
        "in its panel, with all permissions, and enter it in the payment settings.",
    }
)
"""What to do about each kind, in words for the merchant."""


class AttentionFilters(Paging):
    """Which of them to list."""

    kind: AttentionKind | None = Field(None, description="Only of this kind.")
    order_id: UUID | None = Field(None, description="Only about this order.")
    resolved: bool = Field(
        default=False, description="Those that are dealt with, not those that wait."
    )


class AttentionRead(BaseModel):
    """Something about money that does not fit; `advice` says what to do."""

    id: UUID
    store_id: UUID
    kind: AttentionKind
    order_id: UUID | None
    number: int | None = Field(description="The order's number.", examples=[1042])
    attempt_id: UUID | None
    amount_cents: int | None = Field(examples=[7480])
    details: Any = Field(
        description="Amounts, ids and reasons.",
        examples=[{"amount_cents": 7480, "number": 1042}],
    )
    advice: str = Field(examples=["The order was paid before: give this payment back."])
    created_at: datetime
    resolved_at: datetime | None


class AttentionPage(BaseModel):
    """A page of them, newest first."""

    items: list[AttentionRead]
    next_cursor: str | None
