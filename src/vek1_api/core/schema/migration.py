"""Bring a database up to date: revisions, then what is missing of indexes and the like."""

from collections.abc import Callable

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from vek1_api.core.schema.healing import Report, heal, silent
from vek1_api.core.schema.locks import MIGRATING
from vek1_api.core.schema.scripts import folder


def alembic_config() -> Config:
    """Return Alembic's configuration, without the file: nothing in it differs."""
    config = Config()
    config.set_main_option("script_location", str(folder("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str | None:
    """Return the revision that this code was written for."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


async def migrate(database_url: str, report: Report = silent) -> None:
    """Create or adopt the database at ``database_url`` and bring it up to date.

    Works on an empty database, on one that Drizzle made with rows in it, and on one that is
    up to date already. Several processes may call this at once. ``report`` gets a line per
    step. All revisions are one transaction; when one fails nothing has changed.
    """

    def upgrade(connection: Connection) -> None:
        config = alembic_config()
        config.attributes |= {"connection": connection, "metadata": None}
        command.upgrade(config, "head")

    report("migrating the database")
    await in_transaction(database_url, upgrade)
    await heal_database(database_url, report)
    report("the database is up to date")


async def in_transaction(database_url: str, work: Callable[[Connection], None]) -> None:
    """Run ``work`` in one transaction, the only one that migrates, and commit it."""
    engine = create_async_engine(
        make_url(database_url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"statement_cache_size": 0, "server_settings": {"timezone": "UTC"}},
    )
    try:
        async with engine.begin() as connection:
            # Before any time-out is set: another process may take its time.
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            await connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS vek1_api")
            await connection.run_sync(work)
    finally:
        await engine.dispose()


async def heal_database(database_url: str, report: Report = silent) -> None:
    """Run ``heal`` over a connection of its own."""
    conn = await connect(database_url)
    try:
        await heal(conn, report)
    finally:
        await conn.close()


async def connect(database_url: str) -> asyncpg.Connection:
    """Open a connection fit for ``missing``, ``heal`` and ``doctor_findings``."""
    url = make_url(database_url).set(drivername="postgresql")
    return await asyncpg.connect(
        url.render_as_string(hide_password=False),
        statement_cache_size=0,
        server_settings={"timezone": "UTC", "application_name": "vek1-schema"},
    )
