"""Leads that stand in the way of their unique index."""

from uuid import UUID, uuid4

import asyncpg

from tests.database.shop import Shop
from vek1_api.core import schema


async def test_twin_leads_are_merged_into_the_oldest_without_losing_history(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("DROP INDEX leads_store_id_channel_external_id_unique")
    twin = await twin_of(db, shop, "5511999990000")
    other = await twin_of(db, shop, "5511888880000")
    lines: list[str] = []

    await schema.heal(db, lines.append)

    assert "merged 1 leads into the oldest with their store, channel and id" in lines
    assert {row[0] for row in await db.fetch("SELECT id FROM leads")} == {shop.lead, other}
    keeper = await db.fetchrow("SELECT * FROM leads WHERE id = $1", shop.lead)
    assert keeper is not None
    assert (keeper["name"], keeper["total_messages"], keeper["total_spent_cents"]) == (
        *("Rui", 7 + 2),  # Two said once more since.
        6480,
    )
    assert (keeper["custom_attributes"], keeper["interests"]) == (
        '{"size": "M"}',
        '["café"]',
    )
    for table in ("lead_events", "messages_history", "orders"):
        owners = await db.fetch(f"SELECT lead_id, count(*) FROM {table} GROUP BY 1")
        assert dict(owners) == {shop.lead: 2, other: 1}, table
    assert twin not in {shop.lead, other}
    assert await schema.missing(db) == []


async def twin_of(db: asyncpg.Connection, shop: Shop, external_id: str) -> UUID:
    lead = uuid4()
    await db.execute(
        "INSERT INTO leads (id, store_id, channel, external_id, name, total_messages,"
        " total_spent_cents, custom_attributes, interests) VALUES"
        """ ($1, $2, 'whatsapp', $3, 'Rui', 7, 6480, '{"size": "M"}', '["café"]')""",
        lead,
        shop.store,
        external_id,
    )
    await db.execute("INSERT INTO lead_events (lead_id, type) VALUES ($1, 'seen')", lead)
    await db.execute(
        "INSERT INTO messages_history (user_id, lead_id, agent_type, role, content)"
        " VALUES ('x', $1, 'sales', 'user', 'Olá')",
        lead,
    )
    await db.execute(
        "INSERT INTO orders (store_id, lead_id, number)"
        " SELECT $1, $2, max(number) + 1 FROM orders",
        shop.store,
        lead,
    )
    return lead
