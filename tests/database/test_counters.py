"""A lead's counters against its orders and messages: compared, and set when asked to."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from tests.database.shop import Shop
from vek1_api.cli import commands
from vek1_api.cli.errors import CommandError
from vek1_api.core import schema
from vek1_api.core.schema import Finding
from vek1_api.core.schema.counters import recount_leads

COUNTERS = """
    SELECT total_messages, total_purchases, total_spent_cents, first_contact_at,
           last_contact_at
    FROM leads WHERE id = $1
"""


@pytest.fixture
async def other(url: str) -> AsyncGenerator[asyncpg.Connection]:
    """Connect a second time."""
    conn = await schema.connect(url)
    yield conn
    await conn.close()


async def found(db: asyncpg.Connection) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in await schema.doctor_findings(db)]


async def recount(db: asyncpg.Connection) -> list[str]:
    said: list[str] = []
    await recount_leads(db, said.append)
    return said


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE leads SET total_messages = 2",
        "UPDATE leads SET total_purchases = 1",
        "UPDATE leads SET total_spent_cents = 1",
        "UPDATE leads SET last_contact_at = '2020-01-01', first_contact_at = '2020-01-01'",
        "UPDATE leads SET first_contact_at = '9999-01-01'",
        "SET session_replication_role = replica; DELETE FROM messages_history",
        "UPDATE messages_history SET role = 'assistant'",
    ],
)
async def test_lead_that_is_counted_wrong_is_found_and_recounted(
    db: asyncpg.Connection, shop: Shop, damage: str
) -> None:
    await db.execute(damage)

    [finding] = await schema.doctor_findings(db)
    said = await recount(db)

    assert (finding.kind, finding.name) == ("lead", "I4")
    assert str(shop.lead) in finding.detail
    assert said == ["recounted the orders and messages of 1 leads"]
    assert await schema.doctor_findings(db) == []
    assert await recount(db) == []


async def test_recount_counts_own_messages_and_orders_that_are_paid(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("SET session_replication_role = replica")
    await db.execute(
        'INSERT INTO messages_history (user_id, lead_id, agent_type, role, content, "timestamp")'
        " SELECT 'x', $1, 'sales', role, 'Oi', '2031-01-01'::timestamp + day * interval '1 day'"
        " FROM unnest(ARRAY['user', 'assistant', 'user', 'debug'])"
        " WITH ORDINALITY AS said (role, day)",
        shop.lead,
    )
    await db.execute(
        "INSERT INTO orders (store_id, lead_id, number, status, subtotal_cents,"
        " shipping_cents, discount_cents, total_cents)"
        " SELECT $1, $2, place + 1, status, 0, 100, 0, 100 * place FROM unnest(ARRAY["
        " 'draft', 'awaiting_proof', 'proof_received', 'confirmed', 'shipping', 'fulfilled',"
        " 'cancelled']) WITH ORDINALITY AS given (status, place)",
        shop.store,
        shop.lead,
    )
    await db.execute("SET session_replication_role = origin")

    await recount(db)

    row = await db.fetchrow(COUNTERS, shop.lead)
    assert row is not None
    assert tuple(row)[:3] == (3, 3, 1500)
    assert row["last_contact_at"].isoformat() == "2031-01-04T00:00:00"


async def test_sum_beyond_the_column_is_shown_as_its_largest_value(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("SET session_replication_role = replica")
    await db.execute(
        "INSERT INTO orders (store_id, lead_id, number, status, subtotal_cents,"
        " shipping_cents, discount_cents, total_cents)"
        " SELECT $1, $2, n, 'confirmed', 2000000000, 0, 0, 2000000000"
        " FROM generate_series(2, 3) AS n",
        shop.store,
        shop.lead,
    )

    await recount(db)

    row = await db.fetchrow(COUNTERS, shop.lead)
    assert row is not None
    assert row["total_spent_cents"] == 2**31 - 1
    assert ("lead", "I4") not in await found(db)


async def test_message_that_is_written_meanwhile_is_counted_once(
    db: asyncpg.Connection, other: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("UPDATE leads SET total_messages = 7")
    writing = other.transaction()
    await writing.start()
    await other.execute(
        "INSERT INTO messages_history (user_id, lead_id, agent_type, role, content)"
        " VALUES ('x', $1, 'sales', 'user', 'E aí?')",
        shop.lead,
    )

    recounting = asyncio.create_task(recount(db))
    await asyncio.sleep(0.05)  # It waits for the writer, who holds the lead.
    assert not recounting.done()
    await writing.commit()
    await recounting

    row = await db.fetchrow(COUNTERS, shop.lead)
    assert row is not None
    assert row["total_messages"] == 2
    assert await schema.doctor_findings(db) == []


async def test_database_that_was_never_migrated_has_nothing_to_recount(
    empty_url: str,
) -> None:
    conn = await schema.connect(empty_url)

    assert await recount(conn) == []

    await conn.close()


def test_recount_is_refused_without_fix() -> None:
    with pytest.raises(CommandError, match="--fix --recount"):
        commands.doctor(fix=False, recount=True)
