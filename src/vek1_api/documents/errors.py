"""What can go wrong with a document."""

from uuid import UUID

from vek1_api.core.errors import (
    ConflictError,
    FieldError,
    NotFoundError,
    ValidationFailedError,
)


class DocumentNotFoundError(NotFoundError):
    """The actor's company has no such document."""

    def __init__(self, document_id: UUID) -> None:
        super().__init__("document", document_id)


class GeneratedDocumentError(ConflictError):
    """The document is made from a product and follows it."""

    def __init__(self, product_id: UUID) -> None:
        super().__init__(
            f"This document is made from product {product_id}; change or delete that product."
        )


class NoFileError(ConflictError):
    """The document was sent as text: it has no original file."""


class ThresholdNeedsVectorsError(ValidationFailedError):
    """`threshold` is a similarity, which `keyword` search does not have."""

    def __init__(self) -> None:
        message = "Leave `threshold` out, or use `hybrid` or `semantic`."
        super().__init__(
            message, errors=[FieldError("/threshold", "not_applicable", message)]
        )
