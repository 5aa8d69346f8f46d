"""DOCX: paragraphs and tables in the order of the document."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import docx
from docx.document import Document
from docx.oxml.ns import nsmap, qn
from lxml import etree  # type: ignore[import-untyped]  # It has no type hints.

from vek1_api.documents.extractors import plain, tables
from vek1_api.documents.extractors.result import (
    ExtractedText,
    ExtractionCode,
    ExtractionError,
    bounded,
)

MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 200
"""Unpacked to packed size; Word's own XML comes to about 15."""

_BLOCK_BYTES = 64 * 1024
_BLANK_LINES = re.compile(r"\n{3,}")
_HEADING = re.compile(r"(?:heading|título|titulo)\s*([1-5])", re.IGNORECASE)
_TITLES = frozenset({"title", "título", "titulo"})

_ROW, _CELL, _PARAGRAPH, _TABLE = qn("w:tr"), qn("w:tc"), qn("w:p"), qn("w:tbl")
_CONTROL, _CONTENT = qn("w:sdt"), qn("w:sdtContent")
_TEXT = qn("w:t")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GLYPHS = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
    _PARAGRAPH: " ",
}
"""What stands for a character; a paragraph within another (a text box) for a space."""


def _xpath(path: str) -> etree.XPath:
    return etree.XPath(path, namespaces=nsmap)


_STYLE = _xpath("string(w:pPr/w:pStyle/@w:val)")
_LIST_LEVEL = _xpath("string(w:pPr/w:numPr[not(w:numId/@w:val='0')]/w:ilvl/@w:val)")
_MERGED = _xpath("boolean(w:tcPr/w:vMerge[not(@w:val='restart')])")
_IS_CONTENTS = _xpath("boolean(w:sdtPr/w:docPartObj/w:docPartGallery/@w:val)")


def extract(path: Path) -> ExtractedText:
    """Return headings as ``#`` lines, list items as ``-`` lines, rows as in ``tables``."""
    refuse_bomb(path)
    document = docx.Document(str(path))
    text = "".join(bounded(_blocks(document.element.body, _headings(document))))
    return ExtractedText(_BLANK_LINES.sub("\n\n", plain.clean(text)).strip())


def refuse_bomb(path: Path) -> None:
    """Raise ``too_large`` for a ZIP that unpacks to far more than a document would.

    First by the sizes that it declares, before anything is unpacked; then by unpacking
    every member in small blocks, since what is declared may be a lie. An XML document
    type is refused too: Word never writes one, and entities multiply.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        declared = sum(member.file_size for member in members)
        packed = max(path.stat().st_size, 1)
        if declared > min(MAX_UNPACKED_BYTES, MAX_RATIO * packed):
            raise ExtractionError(ExtractionCode.TOO_LARGE, detail=f"declares {declared} B")
        room = declared
        for member in members:
            with archive.open(member) as content:
                room -= _unpacked_size(content, room)


def _unpacked_size(content: IO[bytes], room: int) -> int:
    size = 0
    while block := content.read(_BLOCK_BYTES):
        size += len(block)
        if size > room:
            raise ExtractionError(ExtractionCode.TOO_LARGE, detail="declares too little")
        if b"<!DOCTYPE" in block:
            raise ExtractionError(ExtractionCode.CORRUPT, detail="has a document type")
    return size


def _headings(document: Document) -> dict[str, int]:
    """Return the heading level of the paragraph styles, by their ids; the title is 1."""
    levels = {}
    for style in document.styles:
        name = style.name or ""
        if name.lower() in _TITLES:
            levels[style.style_id] = 1
        elif match := _HEADING.match(name):
            levels[style.style_id] = 1 + int(match[1])
    return levels


def _blocks(parent: Any, headings: dict[str, int]) -> Iterator[str]:
    for element in parent.iterchildren(_PARAGRAPH, _TABLE, _CONTROL):
        if element.tag == _PARAGRAPH:
            yield _paragraph(element, headings)
        elif element.tag == _TABLE:
            yield "\n" + "\n".join(tables.render(_rows(element))) + "\n\n"
        elif not _IS_CONTENTS(element):
            for content in element.iterchildren(_CONTENT):
                yield from _blocks(content, headings)


def _paragraph(element: Any, headings: dict[str, int]) -> str:
    text = _text(element).strip()
    style = _STYLE(element)
    if not text:
        return "\n"
    if level := headings.get(style):
        return f"\n{'#' * level} {' '.join(text.split())}\n\n"
    if (depth := _LIST_LEVEL(element)) or style.startswith("List"):
        return f"{'  ' * int(depth or 0)}- {text}\n"
    return f"\n{text}\n\n"


def _rows(table: Any) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in table.iterchildren(_ROW):
        above = rows[-1] if rows else []
        cells = [
            above[index] if _MERGED(cell) and index < len(above) else _text(cell)
            for index, cell in enumerate(row.iterchildren(_CELL))
        ]
        rows.append(cells)
    return rows


def _text(element: Any) -> str:
    """Return all text below ``element``: of links, controls, insertions and text boxes."""
    parts = []
    walk = etree.iterwalk(element, events=("start",))
    for _, node in walk:
        if node.tag == _FALLBACK:  # The same text once more, for old readers.
            walk.skip_subtree()
        elif node.tag == _TEXT:
            parts.append(node.text or "")
        elif glyph := _GLYPHS.get(node.tag):
            parts.append(glyph)
    return "".join(parts)
