"""Statements of hot paths: written in Core, compiled once, run on asyncpg itself.

Core's own execution costs more than a small query does (``docs/performance.md``). A hot
statement keeps what Core is good for, composition and types, and leaves out the rest.
"""

from collections.abc import Callable
from typing import Any

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.compiler import SQLCompiler

from vek1_api.core.db import Driver, to_json

_REQUIRED = object()
_DIALECT = asyncpg_dialect.dialect(json_serializer=to_json)  # type: ignore[no-untyped-call]


class HotStatement:
    """One statement whose values are all ``bindparam``s, or constants of the statement."""

    __slots__ = ("_arguments", "sql")

    def __init__(self, statement: Executable) -> None:
        """Compile now, so that a mistake shows at import and not at the first request."""
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self._arguments = [
            (name, _constant(compiled, name), _processor(compiled, name))
            for name in compiled.positiontup or ()
        ]

    async def rows(self, driver: Driver, **values: Any) -> list[asyncpg.Record]:
        """Return all rows; ``values`` are the bind parameters by name."""
        rows: list[asyncpg.Record] = await driver.fetch(self.sql, *self._bound(values))
        return rows

    async def row(self, driver: Driver, **values: Any) -> asyncpg.Record | None:
        """Return the first row, or none."""
        return await driver.fetchrow(self.sql, *self._bound(values))

    def _bound(self, values: dict[str, Any]) -> list[Any]:
        bound: list[Any] = []
        for name, constant, process in self._arguments:
            # A value that the caller forgot is a KeyError, never a silent null.
            value = values[name] if constant is _REQUIRED else values.get(name, constant)
            bound.append(process(value) if process else value)
        return bound


def _constant(compiled: SQLCompiler, name: str) -> Any:
    return _REQUIRED if compiled.binds[name].required else compiled.params[name]


def _processor(compiled: SQLCompiler, name: str) -> Callable[[Any], Any] | None:
    kind = compiled.binds[name].type
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
