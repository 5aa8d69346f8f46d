"""What can go wrong with a product's file."""

from uuid import UUID

from vek1_api.core.errors import ConflictError, NotFoundError


class ProductFileNotFoundError(NotFoundError):
    """The actor's company has no such file, and expects none."""

    def __init__(self, file_id: UUID) -> None:
        super().__init__("product_file", file_id)


class NotUploadedError(ConflictError):
    """The file is not in the bucket yet: post it to the form's `url` first."""

    def __init__(self) -> None:
        super().__init__("The file has not been uploaded yet. Post it to `url` first.")
