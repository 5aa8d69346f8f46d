"""The SQL that lives beside ``src``: where it is, what it defines, how it is run.

``migrations/`` and ``init/`` are folders of the checkout, and the image copies them beside
``src``. That is the one layout that is supported.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from sqlalchemy import AdaptedConnection, Connection

ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ``init/01-init.sql``: its name with schema, its arguments, its body."""

    name: str
    arguments: str
    body: str


def folder(name: str) -> Path:
    """Return a folder beside ``src``; ``FileNotFoundError`` says what to do without it."""
    path = ROOT / name
    if not path.is_dir():
        message = (
            f"There is no {name}/ in {ROOT}. vek1-api runs from a checkout, or an image "
            "with migrations/ and init/ beside src/, not from a wheel alone."
        )
        raise FileNotFoundError(message)
    return path


@cache
def init_script() -> str:
    """Return ``init/01-init.sql``, which is idempotent and takes its own lock."""
    return (folder("init") / "01-init.sql").read_text("utf-8")


@cache
def functions() -> tuple[Function, ...]:
    """Return the functions of the init script, with bodies as Postgres keeps them."""
    pattern = r"CREATE OR REPLACE FUNCTION ([\w.]+)\((.*?)\)\s+RETURNS.*?AS \$\$(.*?)\$\$;"
    found = re.findall(pattern, init_script(), flags=re.DOTALL)
    return tuple(Function(name, arguments, body) for name, arguments, body in found)


def run_script(connection: Connection, sql: str) -> None:
    """Run many statements at once inside the transaction that ``connection`` has open.

    Only the driver can: SQLAlchemy prepares what it executes, one statement at a time.
    """
    connection.exec_driver_sql("SELECT")  # The transaction begins with the first statement.
    adapted = cast("AdaptedConnection", connection.connection)
    adapted.run_async(lambda driver: driver.execute(sql))
