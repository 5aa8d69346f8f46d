"""What can go wrong with a store."""

from uuid import UUID

from vek1_api.core.errors import ConflictError, NotFoundError


class StoreNotFoundError(NotFoundError):
    """The actor's company has no such store."""

    def __init__(self, store_id: UUID) -> None:
        super().__init__("store", store_id)


class StoreSlugTakenError(ConflictError):
    """Another store of the company has this slug."""

    code = "slug_taken"
    title = "Slug taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another of your stores has the slug {slug!r}; choose another.")
