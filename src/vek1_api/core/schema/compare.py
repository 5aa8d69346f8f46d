"""Compare the catalog with what must be there: a few catalog queries, no table is read."""

import re
from dataclasses import dataclass

import asyncpg

from vek1_api.core.schema.findings import Finding, Problem
from vek1_api.core.schema.indexes import REQUIRED_INDEXES, RequiredIndex
from vek1_api.core.schema.scripts import functions

_INDEXES = """
    SELECT namespace.nspname || '.' || relation.relname AS table,
           index.relname AS name, pg_get_indexdef(indexrelid) AS definition,
           indisvalid AND indisready AS valid,
           EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) AS is_constraint,
           EXISTS (SELECT FROM pg_stat_progress_create_index AS building
                   WHERE building.index_relid = indexrelid) AS is_being_built
    FROM pg_index
    JOIN pg_class AS index ON index.oid = indexrelid
    JOIN pg_class AS relation ON relation.oid = indrelid
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname IN ('public', 'vek1_api')
"""

_TABLES = """
    SELECT nspname || '.' || relname FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname IN ('public', 'vek1_api') AND relkind = 'r'
"""

_FUNCTIONS = """
    SELECT nspname || '.' || proname AS name, prosrc AS body FROM pg_proc
    JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname IN ('public', 'vek1_api')
"""


@dataclass(frozen=True, slots=True)
class PresentIndex:
    """An index as the catalog has it."""

    table: str
    name: str
    definition: str
    valid: bool
    is_constraint: bool
    is_being_built: bool

    def is_what(self, required: RequiredIndex) -> bool:
        """Whether it does what is required, whatever its name and build options."""
        return self.table == required.table and _essence(self.definition) == _essence(
            required.definition()
        )


async def missing(conn: asyncpg.Connection) -> list[Finding]:
    """Return the indexes, triggers and functions that are missing, invalid or different.

    Definition, operator class and validity are compared. Takes a few milliseconds.
    """
    return [*await index_findings(conn), *await routine_findings(conn)]


async def index_findings(conn: asyncpg.Connection) -> list[Finding]:
    """Return what is wrong with the required indexes, and tables that are not there."""
    tables = {row[0] for row in await conn.fetch(_TABLES)}
    present = await present_indexes(conn)
    gone = sorted({index.table for index in REQUIRED_INDEXES} - tables)
    return [
        *(
            Finding("table", table, Problem.MISSING, "run vek1-api migrate")
            for table in gone
        ),
        *(
            finding
            for required in REQUIRED_INDEXES
            if required.table in tables and (finding := _index_finding(required, present))
        ),
    ]


async def present_indexes(conn: asyncpg.Connection) -> list[PresentIndex]:
    """Return all indexes of ``public`` and ``vek1_api``."""
    return [
        PresentIndex(
            table=row["table"],
            name=row["name"],
            definition=row["definition"],
            valid=row["valid"],
            is_constraint=row["is_constraint"],
            is_being_built=row["is_being_built"],
        )
        for row in await conn.fetch(_INDEXES)
    ]


async def routine_findings(conn: asyncpg.Connection) -> list[Finding]:
    """Return what is wrong with the functions and triggers of ``init/01-init.sql``."""
    present: dict[str, set[str]] = {}
    for row in await conn.fetch(_FUNCTIONS):
        present.setdefault(row["name"], set()).add(row["body"])
    findings = []
    for function in functions():
        bodies = present.get(function.name)
        if bodies is None:
            findings.append(Finding("function", function.name, Problem.MISSING))
        elif function.body not in bodies:
            findings.append(Finding("function", function.name, Problem.DIFFERENT))
    if "vek1_api.missing_triggers" not in present:
        return findings
    rows = await conn.fetch(
        "SELECT relnamespace::regnamespace || '.' || relname || '.' || trigger_name AS name,"
        " problem"
        " FROM vek1_api.missing_triggers() JOIN pg_class ON oid = relation ORDER BY 1"
    )
    return [
        *findings,
        *(Finding("trigger", row["name"], Problem(row["problem"])) for row in rows),
    ]


def _index_finding(required: RequiredIndex, present: list[PresentIndex]) -> Finding | None:
    if any(index.valid and index.is_what(required) for index in present):
        return None  # Perhaps under a name of the front end's.
    named = next(
        (
            index
            for index in present
            if index.name == required.name and index.table == required.table
        ),
        None,
    )
    name = required.qualified_name
    if named is None:
        return Finding("index", name, Problem.MISSING)
    if not named.is_what(required):
        return Finding("index", name, Problem.DIFFERENT, f"it is {named.definition}")
    if named.is_being_built:
        return Finding("index", name, Problem.INVALID, "it is being built")
    return Finding("index", name, Problem.INVALID, "a build of it was interrupted")


def _essence(definition: str) -> str:
    """Return a definition without its name, build options and the schema of its parts."""
    text = re.sub(r" INDEX \S+ ON ", " INDEX ON ", definition)
    text = re.sub(r" WITH \([^()]*\)", "", text)
    return text.replace(" public.vector_", " vector_")
