"""The structure of a text as pieces: headings, questions, paragraphs, items, table rows.

A piece that is too long for a passage comes in several: sentences, or else words.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, IntEnum
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

HEADING_MAX_CHARS = 200
"""A longer line is a paragraph, whatever it starts or ends with."""


class Kind(Enum):
    """What a piece is."""

    HEADING = "heading"
    QUESTION = "question"
    ROW = "row"
    ITEM = "item"
    TEXT = "text"


class Strength(IntEnum):
    """How well a text may be cut before a piece; the lowest is the best place."""

    PARAGRAPH = 0
    LINE = 1
    SENTENCE = 2
    WORD = 3


class Piece(NamedTuple):
    """``text[start:end]``, without blanks at its ends."""

    start: int
    end: int
    kind: Kind
    strength: Strength

    @property
    def leads(self) -> bool:
        """Tell whether the piece belongs to what follows it."""
        return self.kind in {Kind.HEADING, Kind.QUESTION}


_LINE = re.compile(r"[^\r\n]+")
_INK = re.compile(r"\S")
_BLANK = re.compile(r"\s+")
_LINE_END = re.compile(r"\s*[\r\n]\s*")
_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_ITEM = re.compile(r"(?:[-*+•–·▪◦‣]|\d{1,3}[.)]|[a-z]\))\s+\S")  # noqa: RUF001  (an en dash)
_NUMBERED = re.compile(r"(?:p|q|pergunta|\d{1,3})\s?[:.)]", re.IGNORECASE)
_PAIR = re.compile(r"(?:^|; )[^:;]{1,60}: ")
_SENTENCE = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+\s++(?=[^\Wa-zà-ÿ]|[\"“(¿¡•-])")  # noqa: RUF001
_ABBREVIATION = re.compile(
    r"(?:^|\W)(?:[A-Z]|srs?|sras?|drs?|dras?|profa?|art|arts|av|cap|cia|cel|ex|fig|etc|ltda"
    r"|max|min|máx|mín|n|no|nº|num|núm|obs|pág|págs|ref|tel|vol)\.\s*$",
    re.IGNORECASE,
)
_ABBREVIATION_CHARS = 8
_ROW_HEAD_CHARS = 400
_ROW_MIN_PAIRS = 2
_HASHED_CHARS = 32
_MAX_CLUSTER_CHARS = 32
_JOINERS = "\u200c\u200d"


def parse(text: str, max_chars: int) -> list[Piece]:
    """Return the pieces of ``text`` in order, each of at most ``max_chars``.

    A piece behind a heading or question is short enough to stand in one passage with it.
    """
    pieces: list[Piece] = []
    lead = 0
    for block in _blocks(text, min(HEADING_MAX_CHARS, max_chars // 4)):
        if block.leads:
            lead = lead if pieces and pieces[-1].leads else block.start
            pieces.append(block)
            continue
        led_by = block.start - lead if pieces and pieces[-1].leads else 0
        limit = max_chars - led_by if led_by < max_chars // 2 else max_chars
        pieces.extend(_split(text, block, limit))
    return pieces


def local_hash(text: str, at: int) -> int:
    """Return a number that depends on the few characters around ``at`` alone."""
    around = text[max(0, at - _HASHED_CHARS) : at + _HASHED_CHARS]
    return crc32(around.encode("utf-8", "surrogatepass"))


def _blocks(text: str, lead_max_chars: int) -> Iterator[Piece]:
    """Yield lines, those of one paragraph or item together."""
    open_block: Piece | None = None
    for start, end, after_gap in _lines(text):
        kind = _kind(text[start:end], lead_max_chars, after_gap=after_gap)
        if (
            open_block
            and kind is Kind.TEXT
            and not after_gap
            and open_block.kind in {Kind.TEXT, Kind.ITEM}
        ):
            open_block = open_block._replace(end=end)
            continue
        if open_block:
            yield open_block
        strength = Strength.PARAGRAPH if after_gap else Strength.LINE
        open_block = Piece(start, end, kind, strength)
    if open_block:
        yield open_block


def _lines(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the ink of each line that has some, and whether a blank line is before it."""
    before = 0
    for match in _LINE.finditer(text):
        line = match[0].strip()
        if line:
            start = match.end() - len(match[0].lstrip())
            between = text[before:start]
            newlines = max(between.count("\n"), between.count("\r"))
            yield start, start + len(line), newlines > 1 or before == 0
            before = start + len(line)


def _kind(line: str, lead_max_chars: int, *, after_gap: bool) -> Kind:
    if len(line) <= lead_max_chars:
        if _HEADING.match(line):
            return Kind.HEADING
        if line.endswith("?") and (after_gap or _NUMBERED.match(line)):
            return Kind.QUESTION
    head = line[:_ROW_HEAD_CHARS]
    if " | " in head or len(_PAIR.findall(head)) >= _ROW_MIN_PAIRS:
        return Kind.ROW
    return Kind.ITEM if _ITEM.match(head) else Kind.TEXT


def _split(text: str, block: Piece, limit: int) -> Iterator[Piece]:
    if block.end - block.start <= limit:
        yield block
        return
    strength = block.strength
    for start, end in _sentences(text, block.start, block.end):
        if end - start <= limit:
            yield Piece(start, end, block.kind, strength)
        else:
            for from_, to in _words(text, start, end, limit):
                yield Piece(from_, to, block.kind, strength)
                strength = Strength.WORD
        strength = Strength.SENTENCE


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    cuts = [start]
    for match in _SENTENCE.finditer(text, start, end):
        before = text[max(cuts[-1], match.end() - _ABBREVIATION_CHARS) : match.end()]
        if not _ABBREVIATION.search(before):
            cuts.append(match.end())
    for from_, to in pairwise([*cuts, end]):
        yield from_, from_ + len(text[from_:to].rstrip())


def _words(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Cut at line ends, else between words, else between characters as people see them."""
    while end - start > limit:
        window = (start + limit // 2, start + limit + 1)
        gaps = list(_LINE_END.finditer(text, *window)) or list(
            _BLANK.finditer(text, *window)
        )
        if gaps:
            cut = min(gaps, key=lambda gap: local_hash(text, gap.end())).start()
        else:
            cut = _between_characters(text, start + limit, start + limit // 2)
        yield start, start + len(text[start:cut].rstrip())
        ink = _INK.search(text, cut, end)
        assert ink is not None  # A block ends with ink.
        start = ink.start()
    yield start, end


def _between_characters(text: str, at: int, floor: int) -> int:
    """Return the last place up to ``at`` that leaves accents and emoji whole, if near."""
    for place in range(at, max(floor, at - _MAX_CLUSTER_CHARS), -1):
        char = text[place]
        joined = char in _JOINERS or text[place - 1] in _JOINERS
        low_surrogate = "\udc00" <= char <= "\udfff"
        modifier = "\U0001f3fb" <= char <= "\U0001f3ff"
        if not (
            joined or low_surrogate or modifier or unicodedata.category(char)[0] == "M"
        ):
            return place
    return at
