"""Leads and what they said, for the rows about conversations."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from bench.shops import Shop, open_shops
from bench.world import World

SHOPS = 32
LEADS = 50
"""Of each shop: more than there are connections, so that writes seldom want the same one."""

_LEADS = """
    INSERT INTO leads (store_id, channel, external_id, name, city)
    SELECT $1, 'whatsapp', '55319' || (90000000 + n), 'Joana Ribeiro', 'Belo Horizonte'
    FROM generate_series(1, $2::int) AS n
    RETURNING id, external_id
"""
SAY = """
    INSERT INTO messages_history
        (user_id, store_id, lead_id, agent_type, role, content, "timestamp")
    SELECT leads.external_id, leads.store_id, leads.id, 'sales',
           CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
           'Vocês têm café em grãos, torra média, para entregar amanhã? ' || n,
           timezone('UTC', now()) - n * interval '1 minute'
    FROM leads CROSS JOIN generate_series($2::int, $3::int) AS n
    WHERE leads.store_id = ANY ($1::uuid[])
"""
"""So many messages of every lead of some stores, the first number the newest."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A shop with its leads."""

    shop: Shop
    leads: list[tuple[UUID, str]]
    """The id of each, and the phone by which it is known."""


async def crowds(
    world: World, prefix: str, *, shops: int = SHOPS, leads: int = LEADS
) -> list[Crowd]:
    """Return shops with so many leads each, who have said nothing."""
    opened = await open_shops(world, prefix, shops)
    connection = await asyncpg.connect(world.database_url)
    try:
        return [
            Crowd(shop, [tuple(row) for row in rows])
            for shop in opened
            for rows in [await connection.fetch(_LEADS, shop.store_id, leads)]
        ]
    finally:
        await connection.close()
