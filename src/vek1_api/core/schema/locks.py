"""One process at a time, behind a PgBouncer in transaction mode too."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

MIGRATING = 8300173001
"""Advisory lock of a transaction that changes definitions; the init script takes it."""

HEALING = 8300173002
"""Advisory lock of the session that builds indexes."""

POLL_SECONDS = 0.2


async def is_pooled(conn: asyncpg.Connection) -> bool:
    """Return whether a pooler stands between: the process that answers is not the one met.

    Then the next statement may run in another session, which loses settings and locks.
    """
    return bool(conn.get_server_pid() != await conn.fetchval("SELECT pg_backend_pid()"))


@asynccontextmanager
async def healing(conn: asyncpg.Connection) -> AsyncGenerator[None]:
    """Hold the lock of healing; wait until it is free.

    It is asked for again and again: a session that waits in ``pg_advisory_lock`` holds a
    snapshot, for which CREATE INDEX CONCURRENTLY in turn waits, and Postgres would call
    that a deadlock. Behind a pooler there is no lock; then Postgres's own must do.
    """
    if await is_pooled(conn):
        yield
        return
    # Another process holds it, so there is no event to wait for.
    while not await conn.fetchval("SELECT pg_try_advisory_lock($1)", HEALING):  # noqa: ASYNC110
        await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if not conn.is_closed():
            await conn.execute(f"SELECT pg_advisory_unlock({HEALING})")
