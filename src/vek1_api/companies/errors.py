"""What can go wrong with a company."""

from vek1_api.core.errors import ConflictError, NotFoundError


class CompanyNotFoundError(NotFoundError):
    """The actor has no company yet; `POST /internal/company/ensure` makes it."""

    def __init__(self) -> None:
        super().__init__("company")
        self.detail = "You have no company yet; sign up first."


class SlugTakenError(ConflictError):
    """Another company or store has this slug."""

    code = "slug_taken"
    title = "Slug taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The slug {slug!r} is taken; choose another.")
