"""``messages_page``: a lead's last 50 messages, of few and of millions in the table."""

import asyncpg

from bench import load
from bench.load import request
from bench.people import SAY, Crowd, crowds
from bench.report import Section
from bench.run import Bench

TARGET = 0.60
MESSAGES, QUICK_MESSAGES = 5_000_000, 500_000
OF_EACH = 200
"""Messages of each lead that is read."""

CROWD_SHOPS, CROWD_LEADS = 50, 500
STEP_SHOPS = 5
FLAT = 0.20

COLUMNS = (
    "row",
    "before, requests/s",
    "after, requests/s",
    "p50 before / after, ms",
    "after / before",
    "target",
)

_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = 'messages_history'
      AND indexname NOT LIKE '%pkey'
"""


async def run(bench: Bench) -> list[Section]:
    """Measure the page with the table small and with it large; the second is the row."""
    wanted = QUICK_MESSAGES if bench.is_quick else MESSAGES
    bench.say("writing leads")
    readers = await crowds(bench.world, "reader")
    others = await crowds(bench.world, "crowd", shops=CROWD_SHOPS, leads=CROWD_LEADS)
    requests = [
        request(
            "GET",
            f"/v1/leads/{crowd.leads[place][0]}/messages",
            bench.world.headers(crowd.shop.user_id),
        )
        for place in range(len(readers[0].leads))
        for crowd in readers
    ]
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        await _say(connection, readers, OF_EACH)
        await connection.execute("VACUUM ANALYZE messages_history")
        bench.say("reading messages of a small table")
        before = await _alone(bench, requests)
        await _fill(bench, connection, others, wanted)
    finally:
        await connection.close()
    after = await _alone(bench, requests)
    name = f"last 50 messages of {wanted:,}"
    return [
        await bench.compare(name, requests, target=TARGET),
        _growth(name, before, after),
    ]


async def _alone(bench: Bench, requests: list[str]) -> load.Load:
    await load.run(bench.world.app_port, requests, seconds=bench.seconds)
    return await load.run(bench.world.app_port, requests, seconds=3 * bench.seconds)


async def _say(connection: asyncpg.Connection, crowds_: list[Crowd], count: int) -> None:
    stores = [crowd.shop.store_id for crowd in crowds_]
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(SAY, stores, 1, count)
    await connection.execute("RESET session_replication_role")


async def _fill(
    bench: Bench, connection: asyncpg.Connection, others: list[Crowd], wanted: int
) -> None:
    """Write the messages of the others, without triggers; indexes are built afterwards."""
    slow = await connection.fetch(_INDEXES)
    for row in slow:
        await connection.execute(f"DROP INDEX public.{row['indexname']}")
    of_each = wanted // (CROWD_SHOPS * CROWD_LEADS)
    for first in range(0, len(others), STEP_SHOPS):
        bench.say(f"writing {wanted:,} messages: shop {first + 1} of {len(others)}")
        await _say(connection, others[first : first + STEP_SHOPS], of_each)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for row in slow:
        bench.say(f"building {row['indexname']}")
        await connection.execute(row["indexdef"])
    await connection.execute("RESET maintenance_work_mem")
    await connection.execute("VACUUM ANALYZE messages_history")


def _growth(name: str, before: load.Load, after: load.Load) -> Section:
    ratio = after.requests_per_second / before.requests_per_second
    row = (
        name,
        f"{before.requests_per_second:,.0f}",
        f"{after.requests_per_second:,.0f}",
        f"{before.p50:.1f} / {after.p50:.1f}",
        f"{ratio:.2f}",
        f"≥ {1 - FLAT:.2f}",
    )
    missed = [f"{name}: {ratio:.2f} of the rate in a small table."]
    small = f"{CROWD_SHOPS * CROWD_LEADS:,}"
    note = (
        f"Before: only the readers' own messages; after: those of {small} other leads, too."
    )
    return Section("Growth", COLUMNS, [row], note, missed if ratio < 1 - FLAT else [])
