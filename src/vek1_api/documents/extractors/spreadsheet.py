"""CSV: each row becomes a line that names its columns."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Literal

from vek1_api.documents.extractors import plain, tables
from vek1_api.documents.extractors.result import MAX_CHARS, ExtractedText, bounded

DELIMITERS = ";,\t|"
"""In order of preference: a Brazilian Excel writes semicolons."""

_SAMPLE_CHARS = 64 * 1024
_EXCEL_HINT = re.compile(r'"?sep=([;,\t|])"?\n', re.IGNORECASE)


def extract(path: Path) -> ExtractedText:
    """Return one line for each row, ``column: value; …``, in the file's order."""
    text = plain.clean(plain.decode(path.read_bytes()))
    hint = _EXCEL_HINT.match(text)
    delimiter = hint[1] if hint else find_delimiter(text[:_SAMPLE_CHARS])
    rows = _rows(text[hint.end() :] if hint else text, delimiter)
    return ExtractedText("\n".join(bounded(tables.render(rows))).strip())


def find_delimiter(sample: str) -> str:
    """Return the delimiter that cuts most rows into the same number (over 1) of cells."""
    return max(DELIMITERS, key=lambda delimiter: _consistency(sample, delimiter))


def _consistency(sample: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(len(row) for row in _rows(sample, delimiter) if row)
    wide = [(count, width) for width, count in widths.items() if width > 1]
    if not wide:
        return 0.0, 0
    count, width = max(wide)
    return count / widths.total(), width


def _rows(text: str, delimiter: str) -> list[list[str]]:
    # An odd quote opens a cell that would swallow the rest of the file (12" pipes).
    quoting: Literal[0, 3] = csv.QUOTE_NONE if text.count('"') % 2 else csv.QUOTE_MINIMAL
    csv.field_size_limit(MAX_CHARS)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, quoting=quoting)
    return list(rows)
