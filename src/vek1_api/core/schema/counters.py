"""What a lead's counters must be, over its orders and messages; comparing and recounting them.

Each change keeps them in its own transaction. They are wrong only after somebody wrote past
the triggers: a restored dump, rows from before vek1-api.
"""

from collections.abc import Callable

import asyncpg

BATCH = 500
LONGEST_COUNT_SECONDS = 3_600
"""Instead of the connection's own ``command_timeout``: all messages are read once."""

_COUNTED = """
    SELECT leads.id,
           coalesce(said.messages, 0) AS messages,
           coalesce(bought.purchases, 0) AS purchases,
           -- The column is an integer of 32 bits: 21 million reais are as much as it shows.
           least(coalesce(bought.cents, 0), 2147483647) AS cents,
           greatest(leads.last_contact_at, said.latest) AS latest,
           least(leads.first_contact_at, said.earliest) AS earliest
    FROM public.leads
    LEFT JOIN (
        SELECT lead_id, count(*) AS messages, max("timestamp") AS latest,
               min("timestamp") AS earliest
        FROM public.messages_history WHERE role = 'user'{some} GROUP BY lead_id
    ) AS said ON said.lead_id = leads.id
    LEFT JOIN (
        SELECT lead_id, count(*) AS purchases, sum(total_cents) AS cents
        FROM public.orders WHERE status IN ('confirmed', 'shipping', 'fulfilled'){some}
        GROUP BY lead_id
    ) AS bought ON bought.lead_id = leads.id
"""
_IS_WRONG = """
    (leads.total_messages, leads.total_purchases, leads.total_spent_cents::bigint,
     leads.first_contact_at, leads.last_contact_at)
    IS DISTINCT FROM
    (counted.messages, counted.purchases, counted.cents, counted.earliest, counted.latest)
"""

MISCOUNTED_LEADS = f"""
    SELECT leads.id::text AS key
    FROM public.leads JOIN ({_COUNTED.format(some="")}) AS counted USING (id)
    WHERE {_IS_WRONG}
"""  # noqa: S608 - Our own constants.
"""The leads whose counters or contact times are not what their orders and messages give."""

_RECOUNT = f"""
    UPDATE public.leads SET
        total_messages = counted.messages,
        total_purchases = counted.purchases,
        total_spent_cents = counted.cents,
        first_contact_at = counted.earliest,
        last_contact_at = counted.latest
    FROM ({_COUNTED.format(some=" AND lead_id = ANY ($1::uuid[])")}) AS counted
    WHERE leads.id = counted.id AND leads.id = ANY ($1::uuid[]) AND {_IS_WRONG}
"""  # noqa: S608 - Our own constants.

_LOCK = """
    SELECT FROM public.leads WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""


async def recount_leads(conn: asyncpg.Connection, report: Callable[[str], object]) -> None:
    """Set the counters that are wrong, some leads at a time, beside the running service.

    A lead is locked first and counted by the next statement, so a message or an order that is
    written meanwhile is counted once: here, or by its own transaction afterwards.
    """
    if await conn.fetchval("SELECT to_regclass('public.leads') IS NULL"):
        return
    found = await conn.fetch(MISCOUNTED_LEADS, timeout=LONGEST_COUNT_SECONDS)
    lead_ids = sorted(row["key"] for row in found)
    for first in range(0, len(lead_ids), BATCH):
        batch = lead_ids[first : first + BATCH]
        async with conn.transaction():
            await conn.execute(_LOCK, batch)
            await conn.execute(_RECOUNT, batch, timeout=LONGEST_COUNT_SECONDS)
    if lead_ids:
        report(f"recounted the orders and messages of {len(lead_ids)} leads")
