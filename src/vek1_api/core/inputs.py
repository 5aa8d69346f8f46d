"""What comes in: bounded, NUL-free, and nothing that is not known."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
)


def _nul_free(text: str) -> str:
    if "\x00" in text:
        # Postgres cannot hold it, and chat clients do send it.
        message = "must not contain the NUL character"
        raise ValueError(message)
    return text


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "must not contain half of a surrogate pair"
        raise ValueError(message) from error
    return text


def storable(text: str) -> str:
    """Return the text if UTF-8 and Postgres can hold it."""
    return _encodable(_nul_free(text))


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(storable),
]
Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, strip_whitespace=True),
    AfterValidator(storable),
]
Note = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(storable)]
Question = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)
]
"""What somebody types into a search box."""
LongText = Annotated[str, StringConstraints(max_length=50_000), AfterValidator(storable)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
"""An opaque id of another system: visible ASCII."""

Slug = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
]


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        message = "is out of range"
        raise ValueError(message) from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with its offset (RFC 3339)."""

MAX_JSON_DEPTH = 8
MAX_JSON_NODES = 2_000
MAX_JSON_CHARACTERS = 64 * 1024


def bounded_json(value: Any) -> Any:
    """Refuse JSON that is deep, large, or holds what Postgres cannot."""
    pending, nodes, characters = [(value, 0)], 0, 0
    while pending:
        item, depth = pending.pop()
        nodes += 1
        characters += _characters(item)
        if depth > MAX_JSON_DEPTH or nodes > MAX_JSON_NODES:
            message = (
                f"must have at most {MAX_JSON_DEPTH} levels and {MAX_JSON_NODES} values"
            )
            raise ValueError(message)
        if isinstance(item, dict):
            pending.extend((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list):
            pending.extend((part, depth + 1) for part in item)
    if characters > MAX_JSON_CHARACTERS:
        message = f"must have at most {MAX_JSON_CHARACTERS} characters"
        raise ValueError(message)
    return value


def _characters(item: Any) -> int:
    """Return the length of a string, 0 of the rest; raise for what cannot be stored."""
    if isinstance(item, str):
        return len(storable(item))
    if isinstance(item, int) and not -(2**63) <= item < 2**63:
        message = "must not contain integers beyond 64 bits"
        raise ValueError(message)
    if isinstance(item, float) and not math.isfinite(item):
        message = "must not contain NaN or Infinity, which JSON does not have"
        raise ValueError(message)
    return 0


JsonObject = Annotated[dict[str, Any], AfterValidator(bounded_json)]
"""Any JSON object of modest size."""


class Input(BaseModel):
    """The base of every request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def changes(self) -> dict[str, Any]:
        """Return only the fields that the caller sent; null means "clear it"."""
        return {name: getattr(self, name) for name in self.model_fields_set}
