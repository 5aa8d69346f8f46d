"""Rows that pass every reader and that the database cannot hold all the same.

They make the statement of a whole batch fail. Each becomes an error of its own, so that it
costs none of the others.
"""

from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from vek1_api.core.errors import FieldError
from vek1_api.imports.judging import Row

Trial = Callable[[Sequence[Row]], Awaitable[object]]
"""Applies rows and undoes it."""

UNSTORABLE = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)


def refuse(row: Row) -> None:
    """Let a row be left out."""
    message = "The database cannot hold a value of this row."
    row.errors.append(FieldError("", "not_storable", message))


async def unstorable(rows: Sequence[Row], trial: Trial) -> list[Row]:
    """Return the rows that fail alone, by halving what fails together."""
    try:
        await trial(rows)
    except UNSTORABLE:
        if len(rows) == 1:
            return [*rows]
        middle = len(rows) // 2
        halves = rows[:middle], rows[middle:]
        return [row for half in halves for row in await unstorable(half, trial)]
    return []
