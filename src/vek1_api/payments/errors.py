"""What can go wrong with a payment."""

from uuid import UUID

from vek1_api.core.errors import ConflictError, NotFoundError, UpstreamFailedError
from vek1_api.core.money import shown
from vek1_api.orders.status import OrderStatus, PaymentMethod


class PaymentNotPossibleError(ConflictError):
    """An order of this status is not asked to pay like this."""

    code = "invalid_transition"
    title = "Invalid transition"

    def __init__(self, status: OrderStatus, method: PaymentMethod) -> None:
        when = (
            "only a draft is"
            if method is PaymentMethod.CASH_ON_DELIVERY
            else "only a draft, or one that waits for its payment, is"
        )
        super().__init__(f"An order that is {status} is not paid by {method}: {when}.")


class PaymentNotConfiguredError(ConflictError):
    """The store does not take this method; the text says what to set."""


class AmountTooSmallError(ConflictError):
    """The order costs less than can be paid like this."""

    def __init__(self, amount_cents: int, least_cents: int) -> None:
        super().__init__(
            f"The order costs {shown(amount_cents)}; PIX like this takes "
            f"{shown(least_cents)} or more."
        )


class ChargeNotMadeError(UpstreamFailedError):
    """AbacatePay made no charge, or did not say whether it did; the text tells which."""


class NotRefundableError(ConflictError):
    """There is no payment that AbacatePay could give back; the text says what to do."""


class NoCodeError(NotFoundError):
    """The order has no PIX code."""

    def __init__(self, order_id: UUID) -> None:
        super().__init__("payment_code", order_id)
        self.detail = "The order has no PIX code: ask for one with POST …/payment."
