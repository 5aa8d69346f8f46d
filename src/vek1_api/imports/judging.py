"""From the rows of a file to values that can be applied, or to what is wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from vek1_api.core.errors import FieldError
from vek1_api.imports.cells import CellError
from vek1_api.imports.columns import Column
from vek1_api.imports.numbers import Notation
from vek1_api.imports.reading import Cells, Sheet
from vek1_api.imports.status import RowStatus


@dataclass(slots=True)
class Row:
    """A row of the file; ``values`` has only what it says, by the fields of its columns."""

    number: int
    values: dict[str, Any]
    errors: list[FieldError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a row."""

    row: int
    status: RowStatus
    target_id: UUID | None = None
    errors: Sequence[FieldError] = ()

    @classmethod
    def refused(cls, row: int, errors: Sequence[FieldError]) -> "Verdict":
        """Return that a row was left out."""
        return cls(row, RowStatus.ERROR, errors=errors)


def judged(sheet: Sheet) -> Iterator[Row]:
    """Yield the rows of a file as values; an empty cell says nothing. It blocks."""
    seen: dict[tuple[str, Any], int] = {}
    for number, cells in sheet.records():
        row = Row(number, {})
        for column, cell in zip(sheet.columns, cells, strict=False):
            if cell and not (column.is_number and not cell.strip()):
                _read(row, column, cell, sheet.notation, seen)
        _count(row, cells, sheet.columns)
        yield row


def _read(
    row: Row,
    column: Column,
    cell: str,
    notation: Notation,
    seen: dict[tuple[str, Any], int],
) -> None:
    pointer = f"/{column.field}"
    try:
        value = column.read(cell, notation)
    except CellError as error:
        row.errors.append(FieldError(pointer, error.code, error.message))
        return
    row.values[column.field] = value
    if column.is_unique:
        first = seen.setdefault((column.field, value), row.number)
        if first != row.number:
            message = f"Row {first} has the same {column.field}."
            row.errors.append(FieldError(pointer, "duplicate", message))


def _count(row: Row, cells: Cells, columns: Sequence[Column]) -> None:
    if len(cells) > len(columns):
        message = (
            f"The row has {len(cells)} cells, and column {len(columns) + 1} has no name: "
            "name it, or put a cell that holds the delimiter into quotes."
        )
        row.errors.append(FieldError("", "too_many_cells", message))
