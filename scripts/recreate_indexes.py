#!/usr/bin/env python
"""Re-create what a push of the front end has dropped: a shell round ``core.schema``."""

import argparse
import asyncio
import sys

from vek1_api.core import schema
from vek1_api.settings import get_settings

DESCRIPTION = """\
Re-create the indexes, triggers and functions that vek1 needs and a database lacks.

Run it after every `drizzle-kit push`, which drops what it does not know. It may run at
any time, any number of times, beside the running service: indexes are built CONCURRENTLY,
what is already right is left alone, broken leftovers are replaced. Leads with the same
store, channel and external id are merged into the oldest before their unique index is
built; orders, messages and events move along, nothing of their history is lost.
"""

EPILOG = """\
examples:
  scripts/recreate_indexes.py --check          say what is missing, change nothing
  scripts/recreate_indexes.py                  put it right (needs VEK1_DATABASE_URL)
  scripts/recreate_indexes.py --database-url postgresql://vek1:...@127.0.0.1:5432/vek1

exit status: 0 all is well, 1 something is (still) missing, 2 wrong usage.
Connect to Postgres itself rather than to a PgBouncer: builds then get enough memory.
"""


async def main() -> int:
    """Do what the arguments say and return the exit status."""
    arguments = parse()
    conn = await schema.connect(arguments.database_url)
    try:
        if not arguments.check:
            healed = await schema.heal(conn, print)
            print(f"{len(healed)} put right")
        findings = await schema.missing(conn)
    finally:
        await conn.close()
    for finding in findings:
        print(finding.sentence)
    if not findings:
        print("all indexes, triggers and functions are there")
    return 1 if findings else 0


def parse() -> argparse.Namespace:
    """Return the arguments; end the program when there is no database to work on."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--database-url", metavar="URL", help="the database (default: VEK1_DATABASE_URL)"
    )
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    arguments = parser.parse_args()
    if arguments.database_url is None:
        configured = get_settings().database_url
        if configured is None:
            parser.error("set VEK1_DATABASE_URL or give --database-url")
        arguments.database_url = configured.get_secret_value()
    return arguments


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
