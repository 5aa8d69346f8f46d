"""Every error that a caller can meet, as one tree and one shape (RFC 9457).

* Vek1Error
    * MalformedRequestError 400
    * UnauthenticatedError, ActorRequiredError 401
    * ForbiddenError 403
    * NotFoundError 404
    * MethodNotAllowedError 405
    * ConflictError 409
        * IdempotencyInProgressError
    * PreconditionFailedError 412
    * PayloadTooLargeError, StorageQuotaExceededError 413
    * UnsupportedMediaTypeError 415
    * ValidationFailedError 422
        * ForeignReferenceError
        * EmptyFileError
        * IdempotencyKeyReusedError
    * UpstreamFailedError 502
    * UnavailableError 503

A class says the status, a stable ``code`` and, in its docstring, when it is met: that sentence
is its documentation in the OpenAPI document. Raise them anywhere below the router; they are
turned into answers in ``core.problems`` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with the input: where (a JSON pointer), what, in words."""

    pointer: str
    code: str
    message: str


class Vek1Error(Exception):
    """The root: carries what becomes the problem document."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds


class MalformedRequestError(Vek1Error):
    """The request could not be read at all, for example because its JSON is broken."""

    status = 400
    code = "malformed_request"
    title = "Malformed request"


class UnauthenticatedError(Vek1Error):
    """No credential was sent, or none that is valid now."""

    status = 401
    code = "unauthenticated"
    title = "Not authenticated"


class ActorRequiredError(Vek1Error):
    """The service token is valid, but `X-Actor-User-Id` does not say for whom it acts."""

    status = 401
    code = "actor_required"
    title = "Actor required"


class ForbiddenError(Vek1Error):
    """The credential is valid, but not for this."""

    status = 403
    code = "forbidden"
    title = "Forbidden"


class NotFoundError(Vek1Error):
    """There is no such thing within the caller's reach."""

    status = 404
    code = "not_found"
    title = "Not found"

    def __init__(self, kind: str, resource_id: object = None) -> None:
        # The words never tell "does not exist" from "belongs to someone else".
        super().__init__(f"No {kind.replace('_', ' ')} of yours has this id.")
        self.kind = kind
        self.resource_id = None if resource_id is None else str(resource_id)


class UnknownPathError(NotFoundError):
    """There is no such path."""

    def __init__(self) -> None:
        super().__init__("path")
        self.detail = "There is nothing at this path."


class MethodNotAllowedError(Vek1Error):
    """The path exists, but not for this method."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class ConflictError(Vek1Error):
    """The request does not fit the present state."""

    status = 409
    code = "conflict"
    title = "Conflict"


class IdempotencyInProgressError(ConflictError):
    """A request with this `Idempotency-Key` is still running; try again in a moment."""

    code = "idempotency_in_progress"
    title = "Still running"


class PreconditionFailedError(Vek1Error):
    """`If-Match` names another version than the present one; read it again first."""

    status = 412
    code = "precondition_failed"
    title = "Precondition failed"


class PayloadTooLargeError(Vek1Error):
    """The body or file is larger than allowed."""

    status = 413
    code = "payload_too_large"
    title = "Payload too large"


class StorageQuotaExceededError(Vek1Error):
    """The store has no room for this; delete something or raise `allocated_size_gb`."""

    status = 413
    code = "storage_quota_exceeded"
    title = "Storage quota exceeded"


class UnsupportedMediaTypeError(Vek1Error):
    """The content is of a type that is not taken, judged by its bytes."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class ValidationFailedError(Vek1Error):
    """The request was read, but some of its values are not valid; `errors` names each."""

    status = 422
    code = "validation_failed"
    title = "Validation failed"


class ForeignReferenceError(ValidationFailedError):
    """An id inside the request names nothing within the caller's reach."""

    def __init__(self, kind: str, pointers: dict[str, str]) -> None:
        """Take the kind of resource, and for each JSON pointer the id that it holds."""
        words = kind.replace("_", " ")
        errors = [
            FieldError(pointer, "not_found", f"No {words} of yours has this id.")
            for pointer in pointers
        ]
        super().__init__(f"The request names {words}s that are not yours.", errors=errors)
        self.kind = kind
        self.resource_ids = tuple(pointers.values())


class EmptyFileError(ValidationFailedError):
    """The file has no bytes."""

    code = "empty_file"
    title = "Empty file"


class IdempotencyKeyReusedError(ValidationFailedError):
    """This `Idempotency-Key` was used for a different request; use a new key."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class UpstreamFailedError(Vek1Error):
    """A service that we depend on answered with an error."""

    status = 502
    code = "upstream_failed"
    title = "Upstream failed"


class UnavailableError(Vek1Error):
    """Something needed is down or busy right now; nothing was changed, try again."""

    status = 503
    code = "unavailable"
    title = "Unavailable"
