"""Reading a CSV as merchants have them: any delimiter, encoding and notation of numbers.

A file is read twice: once to know it, which decides what its numbers mean and counts its rows,
and once to judge its rows; it is never in memory as a whole. All of it blocks: run it in a
thread.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from vek1_api.core.errors import FieldError, PayloadTooLargeError, ValidationFailedError
from vek1_api.imports.cells import unguarded
from vek1_api.imports.columns import Column, Header
from vek1_api.imports.limits import MAX_BYTES, MAX_ROWS
from vek1_api.imports.numbers import Notation, decided, evidence

DELIMITERS = ";,\t"
"""A Brazilian Excel writes semicolons, so they win where a header has none of them."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS = ("utf-8", "cp1252")
_ANY_BYTES = "latin-1"
_BLOCK = 256 * 1024
_EXCEL_HINT = re.compile(r'"?sep=([;,\t])"?\s*', re.IGNORECASE)

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose header is understood."""

    stream: BinaryIO
    encoding: str
    delimiter: str
    columns: Sequence[Column]
    notation: Notation
    row_count: int

    @property
    def fields(self) -> set[str]:
        """The fields that it has columns for."""
        return {column.field for column in self.columns}

    def records(self) -> Iterator[tuple[int, Cells]]:
        """Yield the rows that are not blank, each with its number.

        Row 1 is the one after the header; blank rows count, as in a spreadsheet.
        """
        with _text(self.stream, self.encoding) as text:
            rows = _rows(text, self.delimiter)
            next(rows)
            for number, cells in rows:
                yield number, [unguarded(cell) for cell in cells]


def open_sheet(stream: BinaryIO, header: Header) -> Sheet:
    """Return a file that can be read as often as needed.

    Raises ``ValidationFailedError`` if it is no CSV, or if its columns are not those of
    ``header``; ``PayloadTooLargeError`` if it has too many rows.
    """
    encoding = _encoding(stream)
    with _text(stream, encoding) as text:
        delimiter = _delimiter(text, header)
    with _text(stream, encoding) as text:
        rows = _rows(text, delimiter)
        _, names = next(rows, (0, []))
        columns = header.match(names)
        numbers = [place for place, column in enumerate(columns) if column.is_number]
        proven: set[Notation] = set()
        count = 0
        for _, cells in rows:
            count += 1
            if count > MAX_ROWS:
                raise _too_long()
            proven |= _proven(cells, numbers)
    notation = decided(proven, delimiter)
    return Sheet(stream, encoding, delimiter, columns, notation, count)


def _proven(cells: Cells, numbers: Sequence[int]) -> set[Notation]:
    found = (evidence(cells[place]) for place in numbers if place < len(cells))
    return {each for each in found if each is not None}


def _rows(text: io.TextIOWrapper, delimiter: str) -> Iterator[tuple[int, Cells]]:
    """Yield the rows that are not blank; the header is the first of them, and number 0."""
    # A cell that is too long for its column is that row's error, not the file's.
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    header_at: int | None = None
    try:
        for place, cells in enumerate(reader):
            is_hint = header_at is None and _EXCEL_HINT.fullmatch(delimiter.join(cells))
            if is_hint or not any(cell.strip() for cell in cells):
                continue
            header_at = place if header_at is None else header_at
            yield place - header_at, _without_end(cells)
    except csv.Error as error:
        message = f"The file is no valid CSV near line {reader.line_num}: {error}."
        problem = FieldError("/file", "malformed_csv", message)
        raise ValidationFailedError(message, errors=[problem]) from error


def _delimiter(text: io.TextIOWrapper, header: Header) -> str:
    """Return the delimiter that finds most columns in the first line with any text."""
    line = ""
    while not line.strip() and (line := text.readline()):
        if hint := _EXCEL_HINT.fullmatch(line):
            return hint[1]
    names = {each: next(csv.reader([line], delimiter=each), []) for each in DELIMITERS}
    return max(DELIMITERS, key=lambda each: (header.known(names[each]), len(names[each])))


def _without_end(cells: Cells) -> Cells:
    """Return the cells up to the last that is not empty; spreadsheets add some."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _encoding(stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(4)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return _checked(stream, encoding)
    return next((each for each in _ENCODINGS if _decodes(stream, each)), _ANY_BYTES)


def _checked(stream: BinaryIO, encoding: str) -> str:
    if not _decodes(stream, encoding):
        message = f"The file starts as {encoding.upper()}, but is not."
        problem = FieldError("/file", "invalid_encoding", message)
        raise ValidationFailedError(message, errors=[problem])
    return encoding


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _text(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def _too_long() -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"The file has more than {MAX_ROWS} rows; split it and import the parts one by one."
    )
