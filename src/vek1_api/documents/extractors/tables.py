"""Rows of a table as lines that make sense alone: ``produto: Café; preço: 12,90``."""

import re
from collections.abc import Iterator, Sequence

_AMOUNT = re.compile(r"\W*\d|R\$")
_SPACES = re.compile(r"\s+")

SECTION_MIN_COLUMNS = 3
"""From this width on, a row with only its first cell filled names a section."""


def render(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield one line for each row; the header is found, repeated in each, and not shown.

    A row such as ``BEBIDAS;;;`` becomes a heading. Without a header the cells are joined
    by bars.
    """
    rows = [cells for row in rows if any(cells := [_flat(cell) for cell in row])]
    width = max((len(row) for row in rows), default=0)
    names: list[str] | None = None
    for index, row in enumerate(rows):
        filled = [cell for cell in row if cell]
        if width >= SECTION_MIN_COLUMNS and len(filled) == 1 and row[0]:
            yield f"\n## {row[0]}\n"
        elif names is None and is_header(row, rows[index + 1 :]):
            names = list(row)
        elif names is None:
            names = []
            yield _line(row, names)
        else:
            yield _line(row, names)


def is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Tell whether ``row`` names columns: distinct, filled, no amounts, rows below."""
    filled = [cell for cell in row if cell]
    return (
        bool(below)
        and len(filled) > 1
        and len(filled) >= len(row) - 1
        and len(set(filled)) == len(filled)
        and not any(_AMOUNT.match(cell) for cell in filled)
    )


def _line(row: Sequence[str], names: Sequence[str]) -> str:
    if not names:
        return " | ".join(cell for cell in row if cell)
    labels = [*names, *[""] * (len(row) - len(names))]
    return "; ".join(
        f"{label}: {cell}" if label else cell
        for label, cell in zip(labels, row, strict=False)
        if cell
    )


def _flat(cell: str) -> str:
    return _SPACES.sub(" ", cell).strip()
