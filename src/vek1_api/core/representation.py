"""How a row becomes the JSON that a caller sees: in Postgres, once, for every answer.

Each domain states its resource's JSON object as one SQL expression, and every statement that
answers with the resource selects or returns that expression. No row is turned into Python
objects on its way out, which is what makes lists fast (``docs/performance.md``), and a
resource looks the same whatever request shows it. The Pydantic schema beside it is the
contract; the test client holds every answer against it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, ColumnElement, Text, cast, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from vek1_api.core.db import UtcTimestamp

Json = str
"""A JSON text made by Postgres."""


def json_object(members: Mapping[str, ColumnElement[Any] | Any]) -> ColumnElement[Json]:
    """Return the expression of a JSON object with these members, as text.

    The names are our own field names, so they stand in the statement as they are.
    """
    named = [value.label(name) for name, value in members.items()]
    return cast(_RowToJson(*named), Text).label("body")


class _RowToJson(FunctionElement[Json]):
    """``row_to_json`` of labelled values, which costs two thirds of ``json_build_object``.

    Not a ``select`` of Core's: that would have to be told the tables around it, and cannot
    stand in what an ``INSERT`` returns.
    """

    inherit_cache = True
    type = JSON()


@compiles(_RowToJson)
def _row_to_json(element: _RowToJson, compiler: SQLCompiler, **options: Any) -> str:
    values = ", ".join(
        f"{compiler.process(each.element, **options)} AS {compiler.preparer.quote(each.name)}"
        for each in element.clauses
    )
    # All of it is compiled by SQLAlchemy: there is no room for an injection.
    return f"(SELECT row_to_json(shown) FROM (SELECT {values}) AS shown)"  # noqa: S608


def row_object(
    table: Any, schema: type[BaseModel], others: Mapping[str, Any] | None = None
) -> ColumnElement[Json]:
    """Return the expression of a row as ``schema`` shows it.

    ``table`` is a table's class or the columns of a CTE. Fields are columns of the same name,
    ``others`` says what the rest are.
    """
    special = others or {}
    members = {
        name: special[name] if name in special else _shown(getattr(table, name))
        for name in schema.model_fields
    }
    return json_object(members)


def _shown(column: Any) -> Any:
    return rfc3339(column) if isinstance(column.type, UtcTimestamp) else column


def rfc3339(column: Any) -> ColumnElement[str | None]:
    """Return a UTC timestamp of ``public`` as RFC 3339 with ``Z``; null stays null."""
    text = func.replace(cast(column, Text), literal_column("' '"), literal_column("'T'"))
    return text.op("||")(literal_column("'Z'"))


def etag(body: bytes | str) -> str:
    """Return the strong validator of a representation (RFC 9110, section 8.8.3)."""
    data = body.encode() if isinstance(body, str) else body
    return f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
