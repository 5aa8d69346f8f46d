"""Optimistic concurrency: ``ETag``, ``If-Match`` and ``If-None-Match`` (RFC 9110, section 13)."""

from dataclasses import dataclass

from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.representation import Json, etag


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions that the caller is willing to change; none means any."""

    header: str | None = None

    def check(self, current: Json) -> None:
        """Raise ``PreconditionFailedError`` unless ``current`` is a version meant."""
        if self.header is None or matches(self.header, etag(current)):
            return
        message = "This is no longer the version in `If-Match`; read it again first."
        raise PreconditionFailedError(message)


def is_known(header: str, tag: str) -> bool:
    """Return whether ``If-None-Match`` names ``tag``; weakly: a proxy may have weakened it."""
    return matches(header.replace("W/", ""), tag)


def matches(header: str, tag: str) -> bool:
    """Return whether a list of entity tags names ``tag``."""
    return any(part.strip() in {"*", tag} for part in header.split(","))
