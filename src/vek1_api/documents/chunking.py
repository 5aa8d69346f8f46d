"""Passages: a text cut where its structure allows, each part small enough to embed.

Cuts depend on the text around them and not on the distance from its start: headings,
questions and pages always cut; between them the strongest boundary within reach wins, and
of equals the one whose surroundings hash lowest. An edit therefore moves only the cuts
near it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vek1_api.documents.extraction import PageSpan
from vek1_api.documents.structure import Kind, Piece, Strength, local_hash, parse

TARGET_CHARS = 500
MAX_CHARS = 900
OVERLAP_CHARS = 120
"""About 150, 220 and 30 tokens of Portuguese. Small sentence encoders (the bundled one)
blur what is longer; bge-m3 takes any of it."""

ROWS_SHARE = 0.5
"""Rows of a table come in groups of this share of the target: a question names one."""

LOW, HIGH = 0.5, 1.3
"""A cut is sought where the passage has between these shares of its target."""


_BLANK = re.compile(r"\s+")
_PATH = " > "


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: ``text`` is ``content[start:end]``; ``page`` is where it starts.

    ``context`` is the path of headings above it (``Manual > Limpeza``) without those in
    the passage itself: to be embedded before it, not stored.
    """

    index: int
    text: str
    start: int
    end: int
    page: int | None
    context: str


class _Reach(NamedTuple):
    """Sizes of a passage, in characters."""

    low: float
    high: float
    limit: int


def chunk(
    text: str,
    *,
    pages: Sequence[PageSpan] | None = None,
    target_chars: int = TARGET_CHARS,
    max_chars: int = MAX_CHARS,
    overlap_chars: int = OVERLAP_CHARS,
) -> list[Chunk]:
    """Return the passages of ``text`` in order; together they hold all that is not blank.

    A passage has at most ``max_chars``. It overlaps the one before by whole sentences (or
    words) of at most ``overlap_chars``, and only where a paragraph had to be cut. It
    crosses into the next page only with a paragraph that does, or with its heading.
    ``page`` is null without ``pages``. Linear in the length of the text.
    """
    page_starts = [page.start for page in pages or ()]
    path: list[tuple[int, str]] = []
    chunks: list[Chunk] = []
    for section in _sections(text, parse(text, max_chars), page_starts):
        path, context = _enter(section, text, path)
        floor = 0
        for first, last in _passages(text, section, target_chars, max_chars):
            end = section[last].end
            room = min(overlap_chars, max_chars - (end - section[first].start))
            start = _reach_back(text, section, first, floor, room)
            page = pages[_page_index(page_starts, start)].number if pages else None
            chunks.append(Chunk(len(chunks), text[start:end], start, end, page, context))
            context, floor = _PATH.join(title for _, title in path), first
    return chunks


def _page_index(page_starts: Sequence[int], at: int) -> int:
    return max(0, bisect_right(page_starts, at) - 1)


def _enter(
    section: Sequence[Piece], text: str, path: list[tuple[int, str]]
) -> tuple[list[tuple[int, str]], str]:
    """Return the paths of headings inside ``section`` and above its first passage."""
    context: str | None = None
    for piece in section:
        if piece.kind is not Kind.HEADING:
            break
        marks, _, title = text[piece.start : piece.end].partition(" ")
        path = [entry for entry in path if entry[0] < len(marks)]
        context = _PATH.join(entry[1] for entry in path) if context is None else context
        path.append((len(marks), title.strip()))
    return path, _PATH.join(title for _, title in path) if context is None else context


def _sections(
    text: str, pieces: Sequence[Piece], page_starts: Sequence[int]
) -> Iterator[list[Piece]]:
    """Yield runs of pieces between the places that always cut."""
    section: list[Piece] = []
    for piece in pieces:
        has_body = bool(section) and section[-1].kind is not Kind.HEADING
        if has_body and _always_cuts(text, section[-1], piece, page_starts):
            yield section
            section = []
        section.append(piece)
    if section:
        yield section


def _always_cuts(text: str, above: Piece, piece: Piece, page_starts: Sequence[int]) -> bool:
    if piece.leads:
        return True
    if piece.strength is Strength.PARAGRAPH and page_starts:
        last = _page_index(page_starts, above.end - 1)
        if _page_index(page_starts, piece.start) != last:
            return True
    turns = (piece.kind is Kind.ROW) is not (above.kind is Kind.ROW)
    return turns and not _introduces(text, above)


def _introduces(text: str, piece: Piece) -> bool:
    """Tell whether the piece belongs to what follows: a heading, or ``as opções são:``."""
    return piece.leads or text[piece.end - 1] == ":"


def _passages(
    text: str, section: Sequence[Piece], target_chars: int, max_chars: int
) -> Iterator[tuple[int, int]]:
    """Yield the first and last piece of each passage of ``section``."""
    has_rows = any(piece.kind is Kind.ROW for piece in section)
    target = target_chars * (ROWS_SHARE if has_rows else 1)
    reach = _Reach(target * LOW, min(target * HIGH, max_chars), max_chars)
    first = 0
    while first < len(section):
        stop = _stop(text, section, first, reach)
        yield first, stop - 1
        first = stop


def _stop(text: str, section: Sequence[Piece], first: int, reach: _Reach) -> int:
    """Return the piece before which to cut, after ``first``."""
    start, last = section[first].start, section[-1].end
    if last - start <= reach.high:
        return len(section)
    best: tuple[int, int, int] | None = None
    fitting, furthest = 0, first + 1
    for at in range(first + 1, len(section)):
        size = section[at - 1].end - start
        if size > reach.limit or (fitting and size > reach.high):
            break
        furthest = at
        if _introduces(text, section[at - 1]):
            continue
        fitting = at
        if size >= reach.low and last - section[at].start >= reach.low / 2:
            rank = (section[at].strength, local_hash(text, section[at].start), at)
            best = min(best or rank, rank)
    return best[2] if best else fitting or furthest


def _reach_back(
    text: str, section: Sequence[Piece], first: int, floor: int, room: int
) -> int:
    """Return where the passage from ``first`` starts, its overlap included.

    ``floor`` is the first piece of the passage before, which always starts earlier.
    """
    start, at = section[first].start, first
    while (
        section[at].strength >= Strength.SENTENCE
        and at - 1 > floor
        and start - section[at - 1].start <= room
    ):
        at -= 1
    if at == first and section[first].strength is Strength.WORD:
        blank = _BLANK.search(text, max(start - room, section[floor].start), start)
        return blank.end() if blank else start
    return section[at].start
