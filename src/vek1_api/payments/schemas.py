"""What callers ask of payments."""

from uuid import UUID

from pydantic import Field

from vek1_api.core.inputs import Input, Note
from vek1_api.orders.status import PaymentMethod


class PaymentStart(Input):
    """How the customer pays."""

    method: PaymentMethod = Field(examples=["pix_gateway"])


class RefundRequest(Input):
    """Which payment to give back; all of it, there are no partial refunds."""

    reason: Note | None = Field(None, examples=["Cliente desistiu"])
    attempt_id: UUID | None = Field(
        None, description="One of `payment_attempts`, where the order was paid twice."
    )
