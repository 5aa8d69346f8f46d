"""Merge leads that are the same person, so that their unique index can be built."""

import asyncpg

# The oldest of each (store, channel, external id) stays.
_TWINS = """
    CREATE TEMPORARY TABLE lead_twins ON COMMIT DROP AS
    SELECT id AS twin_id, keeper_id FROM (
        SELECT id, first_value(id) OVER (
            PARTITION BY store_id, channel, external_id ORDER BY created_at, id
        ) AS keeper_id
        FROM public.leads
    ) AS ranked WHERE id <> keeper_id
"""

_HISTORY = """
    UPDATE public.lead_events SET lead_id = keeper_id FROM lead_twins
    WHERE lead_id = twin_id;
    UPDATE public.messages_history SET lead_id = keeper_id FROM lead_twins
    WHERE lead_id = twin_id;
    UPDATE public.orders SET lead_id = keeper_id FROM lead_twins WHERE lead_id = twin_id;
"""

# What the keeper does not know is taken from the twin that was in contact last.
_FACTS_OF = """
    UPDATE public.leads AS keeper SET
        name = coalesce(keeper.name, facts.name),
        email = coalesce(keeper.email, facts.email),
        phone_number = coalesce(keeper.phone_number, facts.phone_number),
        phone_confirmed = keeper.phone_confirmed OR facts.phone_confirmed,
        street_address = coalesce(keeper.street_address, facts.street_address),
        address_number = coalesce(keeper.address_number, facts.address_number),
        complement = coalesce(keeper.complement, facts.complement),
        neighborhood = coalesce(keeper.neighborhood, facts.neighborhood),
        postal_code = coalesce(keeper.postal_code, facts.postal_code),
        city = coalesce(keeper.city, facts.city),
        state = coalesce(keeper.state, facts.state),
        notes = coalesce(keeper.notes, facts.notes),
        profile_summary = coalesce(keeper.profile_summary, facts.profile_summary),
        custom_attributes = facts.custom_attributes || keeper.custom_attributes,
        preferences = facts.preferences || keeper.preferences,
        interests = CASE WHEN keeper.interests = '[]' THEN facts.interests
                         ELSE keeper.interests END,
        total_messages = keeper.total_messages + facts.total_messages,
        total_purchases = keeper.total_purchases + facts.total_purchases,
        total_spent_cents = keeper.total_spent_cents + facts.total_spent_cents,
        first_contact_at = least(keeper.first_contact_at, facts.first_contact_at),
        last_contact_at = greatest(keeper.last_contact_at, facts.last_contact_at)
    FROM (
        SELECT keeper_id, bool_or(phone_confirmed) AS phone_confirmed, {latest},
               sum(total_messages) AS total_messages,
               sum(total_purchases) AS total_purchases,
               sum(total_spent_cents) AS total_spent_cents,
               min(first_contact_at) AS first_contact_at,
               max(last_contact_at) AS last_contact_at
        FROM lead_twins JOIN public.leads ON leads.id = twin_id
        GROUP BY keeper_id
    ) AS facts
    WHERE keeper.id = facts.keeper_id
"""

_LATEST = (
    *("name", "email", "phone_number", "street_address", "address_number", "complement"),
    *("neighborhood", "postal_code", "city", "state", "notes", "profile_summary"),
    *("custom_attributes", "preferences", "interests"),
)
_FACTS = _FACTS_OF.format(
    latest=", ".join(
        f"(array_agg({name} ORDER BY last_contact_at DESC)"
        f" FILTER (WHERE {name} IS NOT NULL))[1] AS {name}"
        for name in _LATEST
    )
)


async def merge_twins(conn: asyncpg.Connection) -> int:
    """Merge every lead into the oldest with its store, channel and external id; count them.

    Nothing of a lead's history is lost: events, messages and orders move to the oldest, its
    counters take the others' in, empty fields are filled. All or nothing: a message that
    comes in meanwhile makes it fail, and it can be called again.
    """
    async with conn.transaction():
        await conn.execute(_TWINS)
        merged = int(await conn.fetchval("SELECT count(*) FROM lead_twins"))
        if merged:
            await conn.execute(
                "SELECT id FROM public.leads WHERE id IN (SELECT twin_id FROM lead_twins"
                " UNION SELECT keeper_id FROM lead_twins) ORDER BY id FOR UPDATE"
            )
            await conn.execute(_HISTORY)
            await conn.execute(_FACTS)
            await conn.execute(
                "DELETE FROM public.leads WHERE id IN (SELECT twin_id FROM lead_twins)"
            )
    return merged
