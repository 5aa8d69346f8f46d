"""Put right what ``missing`` finds, beside the running service."""

from collections.abc import Callable

import asyncpg

from vek1_api.core.schema import leads
from vek1_api.core.schema.compare import index_findings, present_indexes, routine_findings
from vek1_api.core.schema.findings import Finding, Problem
from vek1_api.core.schema.indexes import LEADS_IDENTITY, REQUIRED_INDEXES, RequiredIndex
from vek1_api.core.schema.locks import healing, is_pooled
from vek1_api.core.schema.scripts import init_script

Report = Callable[[str], object]
"""Is told what happens, a line at a time."""

HNSW_BYTES_PER_ROW = 5_500
"""Of the graph of a vector(1024) while it is built: measured, rounded up."""

MOST_MEMORY_BYTES = 1024**3
"""That one build may ask for; beyond it pgvector goes on, two to three times slower."""


LONGEST_BUILD_SECONDS = 86_400
"""Instead of the connection's own ``command_timeout``; 300,000 vectors take 100 s."""


def silent(_line: str) -> None:
    """Report nothing."""


async def heal(conn: asyncpg.Connection, report: Report = silent) -> list[Finding]:
    """Create what is missing, replace what is invalid or different; return what was healed.

    Indexes are built CONCURRENTLY, one after the other, so ``conn`` must be outside a
    transaction; nobody's writes wait for them. Several processes may call this at once: the
    later ones wait and find nothing to do. What cannot be built is reported, left as it is,
    and found again by ``missing``. Leads that stand in the way of their unique index are
    merged.
    """
    async with healing(conn):
        healed = await _heal_routines(conn, report)
        for finding in await index_findings(conn):
            required = _by_name(finding)
            if required is not None and await _heal_index(conn, finding, required, report):
                healed.append(finding)
    return healed


def _by_name(finding: Finding) -> RequiredIndex | None:
    return next(
        (index for index in REQUIRED_INDEXES if index.qualified_name == finding.name), None
    )


async def _heal_routines(conn: asyncpg.Connection, report: Report) -> list[Finding]:
    findings = await routine_findings(conn)
    if not findings:
        return []
    try:
        async with conn.transaction():
            await conn.execute(
                "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0"
            )
            await conn.execute(init_script())
    except asyncpg.PostgresError as error:
        report(f"could not run init/01-init.sql: {error}")
    left = set(await routine_findings(conn))
    for finding in findings:
        report(f"{'could not restore' if finding in left else 'restored'} {finding.name}")
    return [finding for finding in findings if finding not in left]


async def _heal_index(
    conn: asyncpg.Connection, finding: Finding, required: RequiredIndex, report: Report
) -> bool:
    """Build one index; ``False`` when another session does, or when it cannot be built."""
    if any(
        index.name == required.name and index.is_being_built
        for index in await present_indexes(conn)
    ):
        report(f"{required.qualified_name} is being built by another session")
        return False
    try:
        await _settle(conn, required)
        if finding.problem is not Problem.MISSING:
            await _drop(conn, required)
        if required.name == LEADS_IDENTITY and (merged := await leads.merge_twins(conn)):
            report(
                f"merged {merged} leads into the oldest with their store, channel and id"
            )
        report(f"building {required.qualified_name}")
        await _build(conn, required)
    except asyncpg.PostgresError as error:
        report(f"could not build {required.qualified_name}: {error}")
        return False
    finally:
        await _unsettle(conn)
    return True


async def _build(conn: asyncpg.Connection, required: RequiredIndex) -> None:
    statement = required.definition(concurrently=True)
    try:
        await conn.execute(statement, timeout=LONGEST_BUILD_SECONDS)
    except asyncpg.DiskFullError:
        # Parallel workers share memory in /dev/shm, and a container may have 64 MB of it.
        if await is_pooled(conn):
            raise
        await conn.execute("SET max_parallel_maintenance_workers = 0")
        await _drop(conn, required)
        await conn.execute(statement, timeout=LONGEST_BUILD_SECONDS)


async def _drop(conn: asyncpg.Connection, required: RequiredIndex) -> None:
    for index in await present_indexes(conn):
        if (index.table, index.name) != (required.table, required.name):
            continue
        if index.is_constraint:
            await conn.execute(f"ALTER TABLE {index.table} DROP CONSTRAINT {required.name}")
        else:
            await conn.execute(
                f"DROP INDEX CONCURRENTLY IF EXISTS {required.qualified_name}",
                timeout=LONGEST_BUILD_SECONDS,
            )


async def _settle(conn: asyncpg.Connection, required: RequiredIndex) -> None:
    """Let the session wait, and give a graph the memory that it needs."""
    if await is_pooled(conn):
        return
    await conn.execute("SET statement_timeout = 0; SET lock_timeout = 0")
    if required.method == "hnsw":
        rows = await conn.fetchval(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class"
            " WHERE oid = $1::text::regclass",
            required.table,
        )
        wanted = min(rows * HNSW_BYTES_PER_ROW, MOST_MEMORY_BYTES)
        usual = "pg_size_bytes(current_setting('maintenance_work_mem'))"
        chosen = f"greatest($1, {usual}) / 1024 || 'kB'"
        await conn.execute(
            f"SELECT set_config('maintenance_work_mem', {chosen}, false)",
            wanted,
        )


async def _unsettle(conn: asyncpg.Connection) -> None:
    if conn.is_closed() or await is_pooled(conn):
        return
    await conn.execute(
        "RESET statement_timeout; RESET lock_timeout; RESET maintenance_work_mem; "
        "RESET max_parallel_maintenance_workers"
    )
