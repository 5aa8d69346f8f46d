"""Alembic's way in: one transaction for all revisions, one process at a time.

``vek1_api.core.schema.migrate`` hands its connection over; Alembic's own command line opens
one, and builds the indexes afterwards as ``migrate`` does.
"""

import asyncio
from importlib import import_module
from pathlib import Path

from alembic import command, context
from sqlalchemy import Connection, MetaData

from vek1_api.core import idempotency, schema  # noqa: F401 - Its table is one of ours.
from vek1_api.core.db import SCHEMA, Base
from vek1_api.settings import get_settings

PACKAGE = Path(schema.__file__).parents[2]


def metadata() -> MetaData | None:
    """Return every domain's tables, when the command compares them with the database."""
    given = context.config.attributes
    if "metadata" in given:
        return given["metadata"]
    if called() not in {command.check, command.revision, None}:
        return None
    for models in sorted(PACKAGE.glob("*/models.py")):
        import_module(f"vek1_api.{models.parent.name}.models")
    return Base.metadata


def called() -> object:
    """Return the command that was typed; ``None`` when a program called."""
    return getattr(context.config.cmd_opts, "cmd", (None,))[0]


def run(connection: Connection) -> None:
    """Run the command's revisions in the transaction that is open."""
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=is_ours,
        include_object=has_model,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out what Alembic has no model of: PgQueuer's tables and the listed indexes."""
    if kind == "schema":
        return name in {None, SCHEMA}  # None is public.
    if kind == "table":
        return not str(name).startswith(("pgqueuer", "alembic_version"))
    return kind != "index"


def has_model(_object: object, _name: str | None, kind: str, *compared: object) -> bool:
    """Leave out tables of domains that are not built yet, and every index of the models."""
    is_in_database, model = compared
    return kind != "index" and not (kind == "table" and is_in_database and model is None)


async def run_from_command_line() -> None:
    """Connect by ``VEK1_DATABASE_URL`` and do the whole of a migration."""
    database_url = get_settings().database_url
    if database_url is None:
        message = "Set VEK1_DATABASE_URL to the database that Alembic is to work on."
        raise SystemExit(message)
    url = database_url.get_secret_value()
    await schema.in_transaction(url, run)
    if called() is command.upgrade:
        await schema.heal_database(url, print)


if context.is_offline_mode():
    message = "Migrations look at the database before they write; there is no offline mode."
    raise SystemExit(message)
if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(run_from_command_line())
