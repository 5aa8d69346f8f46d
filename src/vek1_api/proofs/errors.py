"""What can go wrong with a proof."""

from vek1_api.core.errors import ConflictError
from vek1_api.orders.status import OrderStatus


class NoProofToReviewError(ConflictError):
    """The order has no proof that waits for a person."""

    code = "invalid_transition"
    title = "Invalid transition"

    def __init__(self, status: OrderStatus) -> None:
        super().__init__(
            f"The order is {status}: no proof of it waits to be accepted or rejected."
        )


class UnreadableError(Exception):
    """A proof gives no text; ``code`` is stored and public, ``detail`` is for the log."""

    def __init__(self, code: str, detail: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
