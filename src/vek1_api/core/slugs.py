"""Names that stand in addresses."""

import re
import secrets
import unicodedata
from collections.abc import Iterator

MAX_LENGTH = 60
_NUMBERED = 20


def slug_of(name: str, *, fallback: str) -> str:
    """Return ``name`` in lower case, accents folded, words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:MAX_LENGTH].strip("-") or fallback


def candidates(slug: str) -> Iterator[str]:
    """Yield the slug, then ``slug-2`` and so on, then ones that are surely free."""
    yield slug
    room = slug[: MAX_LENGTH - 9].rstrip("-")
    for number in range(2, _NUMBERED):
        yield f"{room}-{number}"
    while True:
        yield f"{room}-{secrets.token_hex(4)}"
