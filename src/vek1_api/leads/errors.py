"""What can go wrong with a lead."""

from uuid import UUID

from vek1_api.core.errors import FieldError, NotFoundError, ValidationFailedError


class LeadNotFoundError(NotFoundError):
    """The actor's company has no such lead."""

    def __init__(self, lead_id: UUID) -> None:
        super().__init__("lead", lead_id)


class UnknownStatusError(ValidationFailedError):
    """The status is none of the usual ones, nor one that the company added."""

    def __init__(self, status: str, known: list[str]) -> None:
        message = (
            f"{status!r} is not one of {', '.join(known)}. A company adds its own in "
            "settings.lead_statuses."
        )
        super().__init__(message, errors=[FieldError("/status", "unknown_status", message)])
