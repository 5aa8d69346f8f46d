"""Everything about the database that a person should know before trusting it."""

from dataclasses import dataclass

import asyncpg

from vek1_api.core.schema.compare import missing
from vek1_api.core.schema.counters import MISCOUNTED_LEADS
from vek1_api.core.schema.findings import Finding, Problem
from vek1_api.core.schema.ledger import UNBALANCED
from vek1_api.core.schema.migration import newest_revision
from vek1_api.core.schema.orders import MISNUMBERED_ORDERS, UNEXPLAINED_ORDERS

OLDEST_SERVER = 16
OLDEST_VECTOR = (0, 8)
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Universal"})


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule over rows: ``query`` returns the keys of those that break it."""

    kind: str
    name: str
    detail: str
    query: str


STORED_BYTES = """
    SELECT store_id, size_bytes FROM vek1_api.stored_objects WHERE state <> 'doomed'
    UNION ALL
    SELECT store_id, counted_bytes FROM vek1_api.document_index WHERE object_key IS NULL
"""
"""What counts against a store's quota: objects (those on their way too), and texts."""

INVARIANTS = (
    Invariant(
        "stock",
        "I1",
        "stock differs from the sum of its movements (doctor --fix --balance writes them)",
        UNBALANCED,
    ),
    Invariant(
        "order",
        "I2",
        "totals do not add up",
        """
        SELECT orders.id::text AS key FROM public.orders
        LEFT JOIN (
            SELECT order_id, sum(subtotal_cents) AS items_cents,
                   bool_and(subtotal_cents = price_cents::bigint * quantity) AS add_up
            FROM public.order_items GROUP BY 1
        ) AS items ON items.order_id = orders.id
        WHERE orders.subtotal_cents <> coalesce(items_cents, 0)
           OR NOT coalesce(add_up, true)
           OR orders.total_cents < 0
           OR orders.total_cents <>
              orders.subtotal_cents::bigint + orders.shipping_cents - orders.discount_cents
        """,
    ),
    Invariant(
        "order",
        "I3",
        "more than one payment, or a paid attempt that is not the order's",
        """
        SELECT order_id::text AS key FROM public.order_events
        WHERE type = 'payment_paid' GROUP BY order_id HAVING count(*) > 1
        UNION
        SELECT order_id::text FROM public.payment_attempts
        WHERE status = 'paid' GROUP BY order_id HAVING count(*) > 1
        UNION
        SELECT attempt.order_id::text FROM public.payment_attempts AS attempt
        JOIN vek1_api.attempt_ref AS ref ON ref.attempt_id = attempt.id
        LEFT JOIN vek1_api.order_state AS state ON state.order_id = attempt.order_id
        WHERE (attempt.status = 'paid')
              <> (state.paid_attempt_id IS NOT DISTINCT FROM attempt.id)
        """,
    ),
    Invariant(
        "lead",
        "I4",
        "counters or contact times differ from the orders and messages "
        "(doctor --fix --recount sets them)",
        MISCOUNTED_LEADS,
    ),
    Invariant("order", "I5", "numbers repeat or have gaps", MISNUMBERED_ORDERS),
    Invariant(
        "order",
        "I6",
        "the status is not what events and audit log tell",
        UNEXPLAINED_ORDERS,
    ),
    Invariant(
        "stock notice",
        "I7",
        "a movement that its ERP must hear of has no message, or one that it must not has",
        """
        SELECT movement.id::text AS key FROM public.stock_movements AS movement
        JOIN vek1_api.stock_outlets AS outlet USING (store_id)
        LEFT JOIN vek1_api.stock_notices AS notice ON notice.movement_id = movement.id
        WHERE outlet.is_open AND movement.product_id IS NOT NULL
          AND vek1_api.is_announced(movement.reason, movement.payload)
          AND notice.movement_id IS NULL
          -- What was under way when the store was switched on need not be told; what was
          -- delivered is forgotten after thirty days.
          AND movement.created_at > timezone('UTC', greatest(
              outlet.open_since + interval '1 minute', now() - interval '29 days'))
        UNION ALL
        SELECT movement.id::text FROM public.stock_movements AS movement
        JOIN vek1_api.stock_notices AS notice ON notice.movement_id = movement.id
        WHERE NOT vek1_api.is_announced(movement.reason, movement.payload)
        """,
    ),
    Invariant(
        "storage",
        "used_bytes",
        "vek1_api.store_storage differs from what the store keeps",
        f"""
        SELECT coalesce(storage.store_id, kept.store_id)::text AS key
        FROM vek1_api.store_storage AS storage
        FULL JOIN (
            SELECT store_id, sum(size_bytes) AS bytes FROM ({STORED_BYTES}) AS stored
            WHERE store_id IS NOT NULL GROUP BY 1
        ) AS kept USING (store_id)
        WHERE coalesce(storage.used_bytes, 0) <> coalesce(kept.bytes, 0)
        """,  # noqa: S608 - Our own constant.
    ),
)


async def doctor_findings(conn: asyncpg.Connection) -> list[Finding]:
    """Examine server, settings, revision, definitions, and the rules over all rows.

    Reads whole tables for the last; changes nothing. An empty list is a healthy database.
    """
    findings = [*await _server(conn), *await _revision(conn), *await missing(conn)]
    if any(finding.kind in {"table", "migration"} for finding in findings):
        return findings  # The rules speak of tables that may not be there.
    for invariant in INVARIANTS:
        findings += await _broken(conn, invariant)
    return findings


async def _server(conn: asyncpg.Connection) -> list[Finding]:
    row = await conn.fetchrow(
        "SELECT current_setting('server_version_num')::int / 10000 AS major,"
        " current_setting('server_encoding') AS encoding,"
        " current_setting('TimeZone') AS time_zone,"
        " (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector"
    )
    assert row is not None
    findings = []
    if row["major"] < OLDEST_SERVER:
        detail = f"it is {row['major']}; vek1-api needs Postgres {OLDEST_SERVER} or newer"
        findings.append(Finding("server", "version", Problem.BROKEN, detail))
    if row["encoding"] != "UTF8":
        detail = f"it is {row['encoding']}; make the database anew with ENCODING 'UTF8'"
        findings.append(Finding("server", "encoding", Problem.BROKEN, detail))
    if row["time_zone"] not in UTC_NAMES:
        detail = (
            f"it is {row['time_zone']}; columns without time zone hold UTC, so run "
            "ALTER DATABASE ... SET timezone TO 'UTC'"
        )
        findings.append(Finding("setting", "TimeZone", Problem.BROKEN, detail))
    if row["vector"] is None:
        detail = "run vek1-api migrate"
        findings.append(Finding("extension", "vector", Problem.MISSING, detail))
    elif tuple(int(part) for part in row["vector"].split(".")[:2]) < OLDEST_VECTOR:
        detail = f"it is {row['vector']}; needed is 0.8: ALTER EXTENSION vector UPDATE"
        findings.append(Finding("extension", "vector", Problem.BROKEN, detail))
    return findings


async def _revision(conn: asyncpg.Connection) -> list[Finding]:
    newest = newest_revision()
    if await conn.fetchval("SELECT to_regclass('vek1_api.alembic_version') IS NULL"):
        return [Finding("migration", str(newest), Problem.MISSING, "run vek1-api migrate")]
    current = await conn.fetchval("SELECT max(version_num) FROM vek1_api.alembic_version")
    if current == newest:
        return []
    detail = f"the database is at {current}; run vek1-api migrate, or a newer vek1-api"
    return [Finding("migration", str(newest), Problem.MISSING, detail)]


async def _broken(conn: asyncpg.Connection, invariant: Invariant) -> list[Finding]:
    row = await conn.fetchrow(
        f"SELECT count(*) AS count, (array_agg(key ORDER BY key))[1:3] AS keys"  # noqa: S608
        f" FROM ({invariant.query}) AS broken"
    )
    assert row is not None
    if row["count"] == 0:
        return []
    detail = f"{row['count']} times {invariant.detail}, e.g. {', '.join(row['keys'])}"
    return [Finding(invariant.kind, invariant.name, Problem.BROKEN, detail)]
