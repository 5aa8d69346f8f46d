"""PDF: pages of lines, put together into paragraphs and headings by where they stand."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from pypdfium2 import (
    PdfDocument,
    PdfiumError,
    PdfTextPage,
    raw,
)

from vek1_api.documents.extractors import hyphens, plain
from vek1_api.documents.extractors.result import (
    ExtractedText,
    ExtractionCode,
    ExtractionError,
    PageSpan,
    bounded,
)

MAX_PAGES = 2_000

PARAGRAPH_GAP = 1.25
"""A step down this much larger than the usual one opens a new paragraph."""

COLUMN_STEPS = 8
"""A leap of more lines than this up the page opens a new column, and a paragraph."""

HEADING_SCALE = 1.15
"""A short line set this much larger than the body of the text is a heading."""

HEADING_STEP = 1.2
"""Lines of one heading stand at most this many times their own height apart."""

HEADING_MAX_CHARS = 120
HEADING_LEVELS = 4

FURNITURE_LINES = 2
FURNITURE_MIN_PAGES = 3
"""Lines this near to a page's edge that stand on so many pages, and on half of all, are
running headers and footers; only the first of each is kept."""

_LEADERS = re.compile(r"(?:\s?\.){4,}")
_SENTENCE_END = re.compile(r"[.!?:;…]\W*$")


class Line(NamedTuple):
    """A printed line; size and heights of its first and last glyph in points."""

    text: str
    size: float
    first_y: float
    last_y: float


class Layout(NamedTuple):
    """What is usual in a document: size of the body, step between lines, heading sizes."""

    body_size: float
    step: float
    heading_sizes: tuple[float, ...]

    def level(self, line: Line) -> int:
        """Return 1 for the largest headings, and so on; 0 for the body."""
        if not _may_head(line, self.body_size):
            return 0
        return min(1 + self.heading_sizes.index(round(line.size)), HEADING_LEVELS)


def extract(path: Path) -> ExtractedText:
    """Return the text with its pages; lines keep their breaks, headings get ``#``.

    Pages are joined by a blank line, or by one line end where a paragraph runs on.
    """
    pages = _without_furniture(_read(path))
    layout = _measure([line for page in pages for line in page])
    texts = hyphens.join(["".join(_compose(page, layout)) for page in pages])
    return _bind([plain.clean(text).strip() for text in bounded(texts)])


def _read(path: Path) -> list[list[Line]]:
    try:
        document = PdfDocument(path)
    except PdfiumError as error:
        locked = error.err_code in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}
        code = ExtractionCode.ENCRYPTED if locked else ExtractionCode.CORRUPT
        raise ExtractionError(code, detail=str(error)) from error
    with closing(document):
        if len(document) > MAX_PAGES:
            message = (
                f"The file has {len(document):,} pages; at most {MAX_PAGES:,} are read."
            )
            raise ExtractionError(
                ExtractionCode.TOO_MANY_PAGES, f"{message} Split it and upload the parts."
            )
        return [_lines(document, index) for index in range(len(document))]


def _lines(document: PdfDocument, index: int) -> list[Line]:
    try:
        page = document[index]
    except PdfiumError:
        return []  # One broken page is not worth the others.
    with closing(page), closing(page.get_textpage()) as glyphs:
        lines, at = [], 0
        for text in glyphs.get_text_range().split("\r\n"):
            if text.strip():
                first = at + len(text) - len(text.lstrip())
                top, low = _box(glyphs, first)
                _, last_low = _box(glyphs, at + len(text.rstrip()) - 1)
                ink = _LEADERS.sub(" …", text.strip())
                lines.append(Line(ink, top - low, low, last_low))
            at += len(text) + 2
        return lines


def _box(glyphs: PdfTextPage, text_index: int) -> tuple[float, float]:
    """Return how high a glyph's line reaches and how low, in points."""
    box = raw.FS_RECTF()
    glyph = raw.FPDFText_GetCharIndexFromTextIndex(glyphs, text_index)
    raw.FPDFText_GetLooseCharBox(glyphs, glyph, ctypes.byref(box))
    return float(box.top), float(box.bottom)


def _without_furniture(pages: list[list[Line]]) -> list[list[Line]]:
    marks = [
        {_mark(line, number) for line in _edges(page)}
        for number, page in enumerate(pages, 1)
    ]
    often = max(FURNITURE_MIN_PAGES, len(pages) / 2)
    furniture = {
        mark for mark, n in Counter(m for s in marks for m in s).items() if n >= often
    }
    seen: set[str] = set()
    kept = []
    for number, page in enumerate(pages, 1):
        edges = set(_edges(page))
        again = {line for line in edges if _mark(line, number) in seen & furniture}
        kept.append([line for line in page if line not in again])
        seen |= {_mark(line, number) for line in edges}
    return kept


def _edges(page: Sequence[Line]) -> list[Line]:
    return [*page[:FURNITURE_LINES], *page[-FURNITURE_LINES:]]


def _mark(line: Line, number: int) -> str:
    """Return the line with the page's own number, and no other, made the same."""
    return re.sub(rf"\b{number}\b", "#", line.text, count=1)


def _measure(lines: Sequence[Line]) -> Layout:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    half, body_size = sizes.total() / 2, 0.0
    for size in sorted(sizes):
        half -= sizes[size]
        body_size = size
        if half <= 0:
            break
    body = [line for line in lines if not _may_head(line, body_size)]
    steps = [a.last_y - b.first_y for a, b in pairwise(body) if a.last_y > b.first_y]
    headings = {round(line.size) for line in lines if _may_head(line, body_size)}
    return Layout(
        body_size, median_low(steps or [0.0]), tuple(sorted(headings, reverse=True))
    )


def _may_head(line: Line, body_size: float) -> bool:
    return (
        line.size >= HEADING_SCALE * body_size
        and len(line.text) <= HEADING_MAX_CHARS
        and any(char.isalpha() for char in line.text)
    )


def _compose(page: Sequence[Line], layout: Layout) -> Iterator[str]:
    """Yield the page's lines with what stands between them."""
    above: Line | None = None
    for line in page:
        level = layout.level(line)
        above_level = layout.level(above) if above else 0
        step = above.last_y - line.first_y if above else 0.0
        if level and level == above_level and 0 < step <= HEADING_STEP * line.size:
            yield " "  # A heading of two lines.
        else:
            yield _gap(step, layout, after_heading=bool(above_level) or bool(level))
            yield "#" * level + " " if level else ""
        yield line.text
        above = line


def _gap(step: float, layout: Layout, *, after_heading: bool) -> str:
    """Return what separates two lines; a short step up leads to the next cell of a row."""
    next_column = step < -COLUMN_STEPS * layout.step
    is_paragraph = step > PARAGRAPH_GAP * layout.step or next_column
    return "\n\n" if is_paragraph or after_heading else "\n"


def _bind(texts: Sequence[str]) -> ExtractedText:
    parts: list[str] = []
    spans = []
    at = 0
    for number, text in enumerate(texts, 1):
        if text and parts:
            runs_on = text[0].islower() and not _SENTENCE_END.search(parts[-1][-8:])
            parts.append("\n" if runs_on else "\n\n")
            at += len(parts[-1])
        spans.append(PageSpan(number, at, at + len(text)))
        if text:
            parts.append(text)
            at += len(text)
    return ExtractedText("".join(parts), tuple(spans))
