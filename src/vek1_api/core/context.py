"""What is known about the request or job that is running: for logs, audit rows and jobs."""

import re
import secrets
from contextvars import ContextVar

_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request, kept by the jobs that it enqueues."""


def sane_request_id(offered: bytes | None) -> str:
    """Return the caller's request id if it is short and plain, else a new one."""
    if offered and _SANE_REQUEST_ID.fullmatch(offered):
        return offered.decode()
    return secrets.token_hex(16)
