"""What all formats have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

MAX_PARTS = 100_000
"""Ten times what a picture of 10 MB has; each takes longer than its bytes do."""

Part = TypeVar("Part")


class BrokenImageError(ValueError):
    """The file begins like a picture, but its parts do not follow."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it may be shown; ``width`` and ``height`` are in pixels."""

    width: int
    height: int
    content: bytes


def part(data: bytes, start: int, size: int) -> bytes:
    """Return ``size`` bytes of a header, all of them or a :class:`BrokenImageError`."""
    found = data[start : start + size]
    if len(found) < size:
        message = f"it ends before byte {start + size}"
        raise BrokenImageError(message)
    return found


def bounded(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, at most so many, or raise a :class:`BrokenImageError`."""
    for count, each in enumerate(parts):
        if count == MAX_PARTS:
            message = f"it has more than {MAX_PARTS} parts"
            raise BrokenImageError(message)
        yield each
