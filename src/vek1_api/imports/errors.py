"""What can go wrong with an import."""

from uuid import UUID

from vek1_api.core.errors import NotFoundError


class ImportNotFoundError(NotFoundError):
    """The actor's company has no such import, or it is older than a week."""

    def __init__(self, import_id: UUID) -> None:
        super().__init__("import", import_id)
