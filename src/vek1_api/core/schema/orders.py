"""The rules over orders and their history that doctor checks: numbers, and who did what.

They hold for what vek1-api made. Orders of before have no history to be held against, and a
restored dump or a hand at the tables shows here.
"""

_MADE = """
    SELECT orders.id, orders.store_id, orders.number, orders.status
    FROM public.orders JOIN public.audit_log AS entry
        ON entry.target_type = 'order' AND entry.target_id = orders.id::text
       AND entry.action = 'order.created'
"""

MISNUMBERED_ORDERS = f"""
    SELECT orders.id::text AS key FROM public.orders
    LEFT JOIN vek1_api.order_state AS state
        ON state.order_id = orders.id AND state.store_id = orders.store_id
       AND state.number = orders.number
    WHERE state.order_id IS NULL
    UNION ALL
    SELECT 'store ' || orders.store_id
    FROM public.orders
    JOIN (SELECT store_id, min(number) AS number FROM ({_MADE}) AS made GROUP BY 1) AS first
        ON first.store_id = orders.store_id AND first.number <= orders.number
    LEFT JOIN vek1_api.order_counters AS counter ON counter.store_id = orders.store_id
    GROUP BY orders.store_id, first.number, counter.last
    HAVING count(DISTINCT orders.number) <> max(orders.number) - first.number + 1
        OR counter.last IS DISTINCT FROM max(orders.number)
"""  # noqa: S608 - Our own constants.
"""Orders whose number another one has, and stores whose numbers have gaps.

Numbers are gapless from the first that vek1-api gave.
"""

STEPS = (
    ("awaiting_proof", "note", "order.payment_initialized", "awaiting_proof"),
    ("proof_received", "note", "order.proof_received", "proof_received"),
    ("proof_rejected", "note", "order.proof_rejected", "awaiting_proof"),
    (None, "confirmed", "order.confirmed", "confirmed"),
    ("shipping", "note", "order.shipped", "shipping"),
    (None, "fulfilled", "order.fulfilled", "fulfilled"),
    (None, "cancelled", "order.cancelled", "cancelled"),
)
"""The name in a note, the event's type, the audit's action, and the status after it."""

_KNOWN = ", ".join(
    f"({'NULL' if name is None else repr(name)}, '{kind}', '{action}', '{status}')"
    for name, kind, action, status in STEPS
)
_ACTIONS = ", ".join(f"'{action}'" for _, _, action, _ in STEPS)

UNEXPLAINED_ORDERS = f"""
    WITH made AS MATERIALIZED ({_MADE}),
    taken AS (
        SELECT made.id, count(step.status) AS steps,
               count(*) FILTER (WHERE event.type = 'created') AS creations,
               count(step.status) FILTER (
                   WHERE event.actor IN ('system', 'webhook')) AS by_machine,
               (array_agg(step.status ORDER BY event.created_at DESC, event.id DESC)
                FILTER (WHERE step.status IS NOT NULL))[1] AS reached
        FROM made JOIN public.order_events AS event ON event.order_id = made.id
        LEFT JOIN (VALUES {_KNOWN}) AS step (name, type, action, status)
            ON step.type = event.type
           AND (step.name IS NULL OR step.name = event.data ->> 'step')
        GROUP BY made.id
    ),
    entered AS (
        SELECT made.id, count(entry.id) AS entries,
               count(entry.id) FILTER (WHERE entry.actor_user_id IS NULL) AS by_nobody
        FROM made LEFT JOIN public.audit_log AS entry
            ON entry.target_type = 'order' AND entry.target_id = made.id::text
           AND entry.action IN ({_ACTIONS})
        GROUP BY made.id
    )
    SELECT made.id::text AS key
    FROM made LEFT JOIN taken USING (id) LEFT JOIN entered USING (id)
    WHERE taken.creations IS DISTINCT FROM 1
       OR made.status <> coalesce(taken.reached, 'draft')
       OR taken.steps <> entered.entries
       OR entered.by_nobody > taken.by_machine
"""  # noqa: S608 - Our own constants.
"""Orders whose status is not that of their last event, or whose steps are not in the audit log.

Each step has one event and one entry; only the system itself is entered without a person.
"""
