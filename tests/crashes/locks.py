"""Rows that somebody keeps to themselves, and who stands behind them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.crashes.waiting import until

_BLOCKED = """
    WITH RECURSIVE behind (pid) AS (
        SELECT $1::int
        UNION
        SELECT waiting.pid FROM pg_locks AS waiting
        JOIN behind ON behind.pid = ANY (pg_blocking_pids(waiting.pid))
        WHERE NOT waiting.granted
    )
    SELECT count(*) - 1 FROM behind
"""


@dataclass(frozen=True)
class Lock:
    """Rows that the test keeps to itself."""

    db: "asyncpg.Pool[asyncpg.Record]"
    connection: Any

    async def is_waited_for(self, by: int = 1) -> None:
        """Wait until so many others stand behind it."""
        pid = self.connection.get_server_pid()

        async def has_queue() -> bool:
            return bool(await self.db.fetchval(_BLOCKED, pid) >= by)

        await until(has_queue)


@asynccontextmanager
async def locked(
    db: "asyncpg.Pool[asyncpg.Record]", statement: str, *values: Any
) -> AsyncGenerator[Lock]:
    """Keep what a statement locks for the block."""
    async with db.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement, *values)
            yield Lock(db, connection)
        finally:
            await transaction.rollback()
