"""``vek1-api doctor``: is everything as it must be, and if not, what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import asyncpg
from rich.table import Table
from rich.text import Text

from vek1_api.cli.finding import connected
from vek1_api.core.embedding import EmbeddingError
from vek1_api.core.resources import Resources
from vek1_api.core.schema import REQUIRED_INDEXES, doctor_findings, heal
from vek1_api.core.schema.counters import recount_leads
from vek1_api.core.schema.ledger import balance_stock
from vek1_api.core.storage import StorageError
from vek1_api.files.reconciling import Comparison, compare, reconcile
from vek1_api.opening import open_resources
from vek1_api.settings import Settings

Report = Callable[[str], None]

ROWS = {
    "database": {"server", "setting"},
    "extension": {"extension"},
    "migrations": {"migration", "table"},
    "indexes": {"index"},
    "triggers and functions": {"trigger", "function"},
    "rules over all rows": {"stock", "order", "lead", "storage"},
}
"""The rows of the table, and the kinds of finding that each of them shows."""

FACTS = {
    "database": "SELECT split_part(version(), ' on ', 1)",
    "extension": "SELECT extname || ' ' || extversion FROM pg_extension"
    " WHERE extname = 'vector'",
    "migrations": "SELECT max(version_num) FROM vek1_api.alembic_version",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what was looked at, what is known of it, what is wrong with it."""

    name: str
    fact: str
    problems: Sequence[str]


async def examine(
    settings: Settings, *, fix: bool, recount: bool, balance: bool, report: Report
) -> list[Check]:
    """Look at everything; with ``fix``, put right what can be, and then look.

    ``recount`` sets leads' counters to what their orders and messages give, too, and
    ``balance`` writes the movements that the ledger of stock lacks.
    """
    resources = open_resources(settings, application_name="vek1-doctor")
    try:
        async with connected(settings) as connection:
            if fix:
                await heal(connection, report)
            if recount:
                await recount_leads(connection, report)
            if balance:
                await balance_stock(connection, report)
            checks = await _database(connection)
        has_rows = not any(each.problems for each in checks if each.name == "migrations")
        bucket = await _bucket(resources, report, fix=fix, has_rows=has_rows)
        return [*checks, bucket, await _model(resources)]
    finally:
        await resources.close()


def table_of(checks: Sequence[Check]) -> Table:
    """Return the checks as a person reads them."""
    table = Table("part", "state", "what was found", header_style="bold")
    for check in checks:
        state = Text("wrong", "red") if check.problems else Text("ok", "green")
        table.add_row(check.name, state, Text("\n".join(check.problems) or check.fact))
    return table


async def _database(connection: asyncpg.Connection) -> list[Check]:
    findings = await doctor_findings(connection)
    facts = {
        "indexes": f"{len(REQUIRED_INDEXES)} required",
        "triggers and functions": "as in init/01-init.sql",
        "rules over all rows": "hold",
    }
    for name, query in FACTS.items():
        try:
            facts[name] = str(await connection.fetchval(query))
        except asyncpg.UndefinedTableError:
            facts[name] = "none"
    return [
        Check(name, facts[name], [each.sentence for each in findings if each.kind in kinds])
        for name, kinds in ROWS.items()
    ]


async def _bucket(
    resources: Resources, report: Report, *, fix: bool, has_rows: bool
) -> Check:
    fact = f"{resources.settings.s3_bucket}, with its policy"
    try:
        if fix:
            await resources.bucket.ensure()
        problems = await resources.bucket.policy_problems()
        if has_rows and not problems:
            if fix:
                await reconcile(resources)
            compared = await compare(resources, partial(_say_how_far, report))
            problems = _one_sided(compared)
            some = "" if compared.is_whole else "the first "
            fact = f"{fact}; {some}{compared.objects} objects, as their rows say"
    except StorageError as error:
        problems = [f"the object store does not answer: {error}"]
    return Check("bucket", fact, problems)


def _one_sided(compared: Comparison) -> list[str]:
    """Return what breaks I9: an object has a row, and a row its object."""
    sides = [
        ("objects that no row knows", compared.stranded, "run vek1-api doctor --fix"),
        ("rows whose object is lost", compared.lost, "restore it, or delete its file"),
    ]
    return [
        f"{len(keys)} {what}, e.g. {keys[0]}; {remedy}"
        for what, keys, remedy in sides
        if keys
    ]


def _say_how_far(report: Report, count: int) -> None:
    report(f"comparing the bucket with its rows: {count} objects")


async def _model(resources: Resources) -> Check:
    embedder = resources.embedder
    try:
        await embedder.ready()
    except EmbeddingError as error:
        return Check("embedding model", embedder.model, [error.reason])
    return Check(
        "embedding model", f"{embedder.model}, {embedder.dimensions} dimensions", []
    )
