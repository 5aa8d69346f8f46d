"""Read the little Markdown in which the demo shop's documents are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Block:
    """One piece of a source: its kind, its lines without the marks."""

    kind: str
    lines: tuple[str, ...]

    @property
    def rows(self) -> list[list[str]]:
        """Return a table's cells, header first, without the dashes below it."""
        cells = [[c.strip() for c in line.strip("|").split("|")] for line in self.lines]
        return [cells[0], *cells[2:]]


MARKS = {
    "title": r"# ",
    "heading": r"## ",
    "note": r"> ",
    "bullet": r"- ",
    "number": r"\d+\. ",
    "figure": r"@figure",
    "table": r"(?=\|)",
    "text": r"",
}


def blocks(source: str) -> Iterator[Block]:
    """Read the little Markdown that our sources use; neighbours of a kind are one block."""
    for paragraph in re.split(r"\n{2,}", source.strip()):
        for kind, lines in groupby(paragraph.splitlines(), key=_kind):
            yield Block(kind, tuple(re.sub(rf"^{MARKS[kind]}", "", line) for line in lines))


def _kind(line: str) -> str:
    return next(kind for kind, mark in MARKS.items() if re.match(mark, line))
