"""Keyset pages: rows that come or go while somebody pages never repeat or hide others.

A cursor is the sort key of the last row, opaque to callers. A page asks for one row more than
it shows, so that no count is needed.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    select,  # noqa: TID251 - wraps a statement that starts where it should.
    tuple_,
)

from vek1_api.core.db import Driver
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.core.hot import HotStatement

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_NUMBER_DIGITS = 9

_ROW_LIMIT = bindparam("row_limit", type_=Integer)


class Paging(BaseModel):
    """The two query parameters of every list; a list with filters extends it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Items per page.")
    cursor: str | None = Field(
        None, max_length=512, description="`next_cursor` of the page before."
    )

    def filters(self) -> dict[str, Any]:
        """Return the filters that the caller set."""
        names = type(self).model_fields.keys() - Paging.model_fields.keys()
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


class PageQuery:
    """A list with filters, newest first unless told, compiled once for each set of filters."""

    def __init__(
        self,
        statement: Select[Any],
        *,
        at: Any,
        row_id: Any,
        filters: Mapping[str, ColumnElement[bool]] | None = None,
        is_oldest_first: bool = False,
    ) -> None:
        """Take a select of ``body``, its sort key, and the condition of each filter.

        A condition holds its value as ``bindparam`` with the filter's own name.
        """
        self._at = at
        self._row_id = row_id
        self._is_oldest_first = is_oldest_first
        order = (at, row_id) if is_oldest_first else (at.desc(), row_id.desc())
        self._statement = (
            statement.add_columns(at.label("at"), row_id.label("row_id"))
            .order_by(*order)
            .limit(_ROW_LIMIT)
        )
        self._filters = dict(filters or {})
        self._compiled = lru_cache(maxsize=256)(self._compile)

    async def fetch(self, driver: Driver, paging: Paging, **values: Any) -> bytes:
        """Return the page as JSON: ``{"items": [...], "next_cursor": ...}``.

        ``values`` are the other parameters of the statement. Raises
        ``ValidationFailedError`` for a cursor that is not ours.
        """
        filters = paging.filters()
        after = _decode(paging.cursor)
        statement = self._compiled(frozenset(filters), after is not None)
        position = {"after_at": after[0], "after_id": after[1]} if after else {}
        page = await statement.row(
            driver, **values, **filters, **position, row_limit=paging.limit + 1
        )
        assert page is not None
        bodies = page["bodies"] or []
        is_last = len(bodies) <= paging.limit
        cursor = "null" if is_last else f'"{_encode(page["at"], page["row_id"])}"'
        items = ",".join(bodies[: paging.limit])
        return f'{{"items":[{items}],"next_cursor":{cursor}}}'.encode()

    def _compile(self, names: frozenset[str], is_later_page: bool) -> HotStatement:  # noqa: FBT001
        statement = self._statement.where(*(self._filters[name] for name in sorted(names)))
        if is_later_page:
            key = tuple_(self._at, self._row_id)
            position = tuple_(
                bindparam("after_at", type_=self._at.type),
                bindparam("after_id", type_=self._row_id.type),
            )
            is_later = key > position if self._is_oldest_first else key < position
            statement = statement.where(is_later)
        return HotStatement(_in_one_row(statement.subquery("page").c))


def _in_one_row(page: Any) -> Select[Any]:
    """Select the bodies of a page as an array, and the key of its last row but one.

    Reading one row costs half of what reading fifty costs. With nothing between them, an
    aggregate sees its rows in the order of the subquery.
    """
    last_shown = _ROW_LIMIT - 1
    return select(
        func.array_agg(page.body).label("bodies"),
        func.array_agg(page.at)[last_shown].label("at"),
        func.array_agg(page.row_id)[last_shown].label("row_id"),
    )


def place_of(cursor: str | None) -> int:
    """Return the number after which a page of a numbered list starts; -1 for the first."""
    if cursor is None:
        return -1
    if not cursor.isdecimal() or len(cursor) > MAX_NUMBER_DIGITS:
        raise _foreign_cursor()
    return int(cursor)


def numbered_page(rows: Sequence[tuple[int, str]], limit: int) -> bytes:
    """Return a page of a numbered list: the number and JSON of each row, one row too many."""
    shown = rows[:limit]
    cursor = f'"{shown[-1][0]}"' if len(rows) > limit else "null"
    bodies = ",".join([body for _, body in shown])
    return f'{{"items":[{bodies}],"next_cursor":{cursor}}}'.encode()


def is_empty(page: bytes) -> bool:
    """Return whether a page shows nothing, and then perhaps because its parent is not there."""
    return page.startswith(b'{"items":[]')


def _encode(at: datetime, row_id: UUID) -> str:
    packed = orjson.dumps([at.replace(tzinfo=UTC).isoformat(), row_id.hex])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, row_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(at)
        return moment.astimezone(UTC), UUID(row_id)
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _foreign_cursor() from error


def _foreign_cursor() -> ValidationFailedError:
    problem = FieldError("/query/cursor", "invalid", "Use a `next_cursor` as it came.")
    return ValidationFailedError("The cursor is not one of ours.", errors=[problem])
