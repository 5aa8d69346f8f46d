"""The front end's 23 tables in public, our own in vek1_api, rules and search functions.

On a database that Drizzle made, with rows in it, only what is missing is created, and
vek1_api learns of the rows that are there.
"""

import re
from pathlib import Path

from alembic import op

from vek1_api.core.schema.scripts import init_script, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
    connection = op.get_bind()
    for statement in missing_in_public():
        op.execute(statement)
    for name in ("vek1_api", "pgqueuer", "backfill"):
        run_script(connection, (SQL / f"0001_{name}.sql").read_text("utf-8"))
    run_script(connection, init_script())


def downgrade() -> None:
    message = "public belongs to the front end; to go back to nothing, drop the database"
    raise NotImplementedError(message)


def missing_in_public() -> list[str]:
    """Return the statements of 0001_public.sql that this database still needs."""
    text = re.sub(r"^--.*\n", "", (SQL / "0001_public.sql").read_text("utf-8"), flags=re.M)
    columns, constraints = present_columns(), present_constraints()
    needed = []
    for statement in text.strip().split("\n\n"):
        table = re.search(r'public\."?(\w+)', statement)[1]
        if statement.startswith("CREATE TABLE") and table in columns:
            needed += missing_columns(statement, table, columns[table])
        elif added := re.search(r"ADD CONSTRAINT (\w+) (.+);", statement):
            if not constraints.get(table, set()) & set(added.groups()):
                needed.append(statement)
        else:
            needed.append(statement)
    return needed


def missing_columns(statement: str, table: str, present: set[str]) -> list[str]:
    """Return what adds the columns that an older push did not know.

    One without default that may not be null cannot be added to a table with rows: Postgres
    says so, and nothing is changed.
    """
    definitions = re.findall(r'^    ("?(\w+)"? .+?),?$', statement, flags=re.M)
    return [
        f'ALTER TABLE public."{table}" ADD COLUMN {definition}'
        for definition, name in definitions
        if name not in present
    ]


def present_columns() -> dict[str, set[str]]:
    rows = op.get_bind().exec_driver_sql(
        "SELECT table_name, array_agg(column_name::text)"
        " FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1"
    )
    return {table: set(names) for table, names in rows}


def present_constraints() -> dict[str, set[str]]:
    """Return names and definitions by table; a rule under another name is there too."""
    op.execute("SET LOCAL search_path = pg_catalog")  # Definitions then name every schema.
    rows = op.get_bind().exec_driver_sql(
        "SELECT relname, array_agg(conname::text) || array_agg(pg_get_constraintdef(con.oid))"
        " FROM pg_constraint AS con JOIN pg_class ON pg_class.oid = conrelid"
        " WHERE connamespace = 'public'::regnamespace GROUP BY 1"
    )
    found = {table: set(names) for table, names in rows}
    op.execute("SET LOCAL search_path TO DEFAULT")
    return found
