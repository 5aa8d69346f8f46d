"""Who imports what: a domain above says here how rows of its kind are applied."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.imports.columns import Column, Header
from vek1_api.imports.judging import Row, Verdict


class Apply(Protocol):
    """Applies rows without errors in the caller's transaction.

    Returns a verdict for each of them, in any order; a row that it refuses changes nothing.
    The changes say that they come from ``import_id``. Raises ``NotFoundError`` for a store
    that is out of reach.
    """

    async def __call__(
        self,
        tx: AsyncConnection,
        access: Access,
        store_id: UUID,
        import_id: UUID,
        rows: Sequence[Row],
    ) -> list[Verdict]:
        """Apply the rows."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is about, where rows may spell it differently: the later is a duplicate."""

    field: str
    of: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    """Of a row's values, a JSON object; null is about nothing."""


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of import."""

    kind: str
    action: str
    """Of the entry in the audit log: ``<noun>.imported``."""
    target: str
    """The field of a verdict that names what the row is about."""
    columns: tuple[Column, ...]
    missing: Callable[[Collection[str]], Sequence[str]]
    """Returns which fields a file lacks that has columns for these."""
    apply: Apply
    key: Key | None = None
    """For large files, whose rows are applied some at a time; else ``apply`` sees them all."""

    @property
    def header(self) -> Header:
        """The names of its columns."""
        return Header(self.columns)


_IMPORTERS: dict[str, Importer] = {}


def register(importer: Importer) -> Importer:
    """Make a kind of import known to the job that works through large files."""
    assert importer.kind not in _IMPORTERS, f"{importer.kind} has two importers"
    _IMPORTERS[importer.kind] = importer
    return importer


def importer_of(kind: str) -> Importer:
    """Return the importer of a kind; ``LookupError`` if this process has none."""
    return _IMPORTERS[kind]
