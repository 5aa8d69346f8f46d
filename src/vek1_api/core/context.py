"""What is known about the request or job that is running: for logs, audit rows and jobs."""

import re
import secrets
from contextvars import ContextVar

_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")
_MADE_BY_MACHINE = re.compile(
    rb"(?<![A-Za-z0-9])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # UUID
    rb"|(?=[0-9]*[a-f])[0-9a-f]{16,}|[0-7][0-9A-HJKMNP-TV-Z]{25})(?![A-Za-z0-9])",  # hex, ULID
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(rb"[0-9]{8}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request, kept by the jobs that it enqueues."""


def sane_request_id(offered: bytes | None) -> str:
    """Return the caller's request id if it is short and plain, else a new one.

    Nor may it hold eight digits in a row outside a UUID, a ULID or hexadecimal digits: that
    may be a phone or a tax id, and the audit log keeps it for ever.
    """
    if (
        offered
        and _SANE_REQUEST_ID.fullmatch(offered)
        and not _LONG_NUMBER.search(_MADE_BY_MACHINE.sub(b"", offered))
    ):
        return offered.decode()
    return secrets.token_hex(16)
