"""What can go wrong with a message to an ERP."""

from uuid import UUID

from vek1_api.core.errors import NotFoundError


class DeliveryNotFoundError(NotFoundError):
    """The store has no such delivery."""

    def __init__(self, delivery_id: UUID) -> None:
        super().__init__("stock_delivery", delivery_id)
