"""What can go wrong with an order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from vek1_api.core.errors import (
    ConflictError,
    FieldError,
    NotFoundError,
    ValidationFailedError,
)
from vek1_api.core.money import shown


class OrderNotFoundError(NotFoundError):
    """The actor's company has no such order."""

    def __init__(self, order_id: UUID) -> None:
        super().__init__("order", order_id)


class AttentionNotFoundError(NotFoundError):
    """The store has nothing of this id to look at."""

    def __init__(self, attention_id: UUID) -> None:
        super().__init__("attention", attention_id)
        self.detail = "There is nothing of this id to look at."


class InvalidTransitionError(ConflictError):
    """An order of this status cannot take this step; the text lists what it may become."""

    code = "invalid_transition"
    title = "Invalid transition"

    def __init__(
        self, status: str, target: str, allowed: Sequence[str], ways: Sequence[str] = ()
    ) -> None:
        """Take the steps, other than the one that was tried, that lead there all the same."""
        others = ", ".join(allowed) or "nothing else any more"
        what = f"becomes {target} only by {', '.join(ways)}"
        if not ways:
            what = f"does not become {target}"
        super().__init__(f"An order that is {status} {what}; it may become {others}.")


class NotADraftError(ConflictError):
    """What was bought and what it costs changes only while the order is a draft."""

    def __init__(self, status: str, fields: Sequence[str]) -> None:
        super().__init__(
            f"The order is {status}: {', '.join(fields)} can be changed only while it is a "
            "draft. Cancel it and make another one."
        )


class ShortStockError(ConflictError):
    """Fewer units are in stock than were asked for; `errors` names each product."""

    code = "insufficient_stock"
    title = "Insufficient stock"

    def __init__(self, short: Sequence[dict[str, Any]], places: dict[str, int]) -> None:
        """Take what is short, and the first line of the request that names each product."""
        super().__init__(
            "The stock does not suffice; nothing was changed.",
            errors=[
                FieldError(
                    f"/items/{places.get(each['product_id'], 0)}/quantity",
                    "insufficient_stock",
                    f"Of product {each['product_id']} {each['requested']} are wanted and "
                    f"{each['available']} are in stock.",
                )
                for each in short
            ],
        )


class AmountTooLargeError(ValidationFailedError):
    """The order's total is more than can be kept."""

    def __init__(self, amount_cents: int) -> None:
        message = f"The order adds up to {shown(amount_cents)}, more than can be kept."
        problem = FieldError("/items", "too_large", message)
        super().__init__(message, errors=[problem])


class DiscountTooLargeError(ValidationFailedError):
    """The discount is more than the order costs."""

    def __init__(self, amount_cents: int) -> None:
        message = f"The discount is more than items and shipping: {shown(amount_cents)}."
        problem = FieldError("/discount_cents", "too_large", message)
        super().__init__(message, errors=[problem])
