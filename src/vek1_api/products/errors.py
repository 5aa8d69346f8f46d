"""What can go wrong with a product."""

from uuid import UUID

from vek1_api.core.errors import ConflictError, NotFoundError


class ProductNotFoundError(NotFoundError):
    """The actor's company has no such product."""

    def __init__(self, product_id: UUID | None) -> None:
        super().__init__("product", product_id)


class IntegrationIdTakenError(ConflictError):
    """Another product of the store has this `product_integration_id`."""

    def __init__(self, integration_id: str) -> None:
        super().__init__(
            f"Another product of this store has the product_integration_id "
            f"{integration_id!r}. Change that product, or PUT it by its integration id."
        )


class InsufficientStockError(ConflictError):
    """Fewer units are in stock than were asked for, or more than can be counted."""

    code = "insufficient_stock"
    title = "Insufficient stock"

    def __init__(self, product_id: UUID) -> None:
        super().__init__(f"The stock of product {product_id} does not allow this change.")
        self.product_id = product_id
