#!/usr/bin/env python
"""Tell whether the models and the migrations agree: `alembic check` on a fresh database."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection

from vek1_api.core.schema import in_transaction, migrate
from vek1_api.core.schema.migration import alembic_config
from vek1_api.embedded.postgres import EmbeddedPostgres


def check(connection: Connection) -> None:
    """Compare; raise ``CommandError`` with the differences."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.check(config)


def main() -> int:
    """Migrate a database of our own, compare, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # Root hands the server to another account.
        with EmbeddedPostgres(Path(folder), durable=False) as server:
            asyncio.run(migrate(server.start()))
            try:
                asyncio.run(in_transaction(server.start(), check))
            except CommandError as error:
                print(error)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
