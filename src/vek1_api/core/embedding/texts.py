"""What a model is given: clean text, in batches of a bounded size."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vek1_api.core.embedding.errors import BlankTextError

LONGEST_TEXT = 32_768
"""Characters that are read of one text: about the 8,192 tokens that bge-m3 reads."""

_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters, and surrogates, which are no text and cannot be sent as UTF-8."""


@dataclass(frozen=True, slots=True)
class BatchLimit:
    """How much goes into one call of a model; one longer text is a batch of its own."""

    texts: int
    characters: int


def clean(text: str) -> str:
    """Return what is to be read of ``text``, or raise ``BlankTextError``."""
    readable = _UNREADABLE.sub(" ", text[:LONGEST_TEXT])
    if not readable.strip():
        raise BlankTextError
    return readable


def batches(texts: Sequence[str], limit: BatchLimit) -> Iterator[list[str]]:
    """Cut ``texts`` into lists within ``limit``, in order."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        is_full = len(batch) == limit.texts or characters + len(text) > limit.characters
        if batch and is_full:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch
