"""Lenient readers of what a stranger sent: a value of the expected kind, or none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_LONGEST_ID = 255
_MOST_CENTS = 2**31 - 1  # What our columns hold: R$ 21 million.


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def verbatim(value: object, limit: int) -> str | None:
    """Return a text as it stands; one that is blank, too long or unprintable is none."""
    if isinstance(value, str) and 0 < len(value) <= limit and value.isprintable():
        return value
    return None


def identifier(value: object) -> str | None:
    """Return an id as it stands, or none."""
    return verbatim(value, _LONGEST_ID)


def words(value: object, limit: int = 500) -> str | None:
    """Return a text that a database can hold (no NUL, no half character), cut to a limit."""
    if not isinstance(value, str):
        return None
    sound = value.replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(sound.split())[:limit] or None


def cents(value: object) -> int | None:
    """Return an amount of whole cents, given as a number or as digits."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) <= len(str(_MOST_CENTS)) else None
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _MOST_CENTS else None
    return None


def instant(value: object) -> datetime | None:
    """Return an ISO 8601 time, aware, in UTC; one without a zone is taken as UTC."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None:
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # Not a time.
    return None
