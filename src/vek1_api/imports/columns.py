"""Columns, and finding them by what a file's first line calls them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.core.problems import escaped
from vek1_api.imports.cells import Reader

POINTER = "/file/columns"

_ASIDE = re.compile(r"\([^)]*\)")
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a file may have."""

    field: str
    names: tuple[str, ...]
    """What people call it, besides its field's own name; case and accents do not matter."""
    read: Reader
    is_number: bool = False
    is_unique: bool = False
    """Whether two rows of a file may not have the same value."""


def folded(name: str) -> str:
    """Return what is compared of a column's name: ``Preço (R$)`` is ``preco``."""
    letters = unicodedata.normalize("NFKD", _ASIDE.sub("", name).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN.sub("", plain)


class Header:
    """The columns of one kind of import, by all their names."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._by_name = {
            folded(name): column
            for column in columns
            for name in (column.field, *column.names)
        }

    def known(self, names: Sequence[str]) -> int:
        """Return how many of the names are columns."""
        return sum(folded(name) in self._by_name for name in names)

    def match(self, names: Sequence[str]) -> list[Column]:
        """Return the column of each name.

        Raises one ``ValidationFailedError`` that names every column that is unknown or there
        twice.
        """
        if not self.known(names):
            raise _refused([FieldError("/file", "missing_header", self._wanted())])
        errors = list(self._errors(names))
        if errors:
            raise _refused(errors)
        return [self._by_name[folded(name)] for name in names]

    def _errors(self, names: Sequence[str]) -> Iterator[FieldError]:
        first: dict[str, str] = {}
        for number, name in enumerate(names, 1):
            pointer = f"{POINTER}/{escaped(name.strip() or number)}"
            column = self._by_name.get(folded(name))
            if column is None:
                message = f"There is no such column. {self._known()}"
                yield FieldError(pointer, "unknown_column", message)
            elif column.field in first:
                message = f"{first[column.field]!r} is {column.field} already."
                yield FieldError(pointer, "duplicate_column", message)
            else:
                first[column.field] = name

    def _wanted(self) -> str:
        return f"The first line names no column that is known. {self._known()}"

    def _known(self) -> str:
        each = (" or ".join((c.field, *c.names[:2])) for c in self._columns)
        return f"Known are: {', '.join(each)}."


def missing(fields: Sequence[str]) -> ValidationFailedError:
    """Return the error of a file without columns that it needs."""
    message = "The file needs this column."
    return _refused(
        [FieldError(f"{POINTER}/{field}", "missing", message) for field in fields]
    )


def _refused(errors: Sequence[FieldError]) -> ValidationFailedError:
    message = "The columns of the file cannot be read; nothing was imported."
    return ValidationFailedError(message, errors=errors)
