"""The floor's statements of webhooks and settlement, written by hand."""

SECRETS = """
    SELECT p.abacate_pay_webhook_secret AS secret,
           coalesce(o.previous_webhook_secrets, '[]') AS previous
    FROM stores AS s
    LEFT JOIN store_payment_settings AS p ON p.store_id = s.id
    LEFT JOIN vek1_api.store_payment AS o ON o.store_id = s.id
    WHERE s.id = $1 AND s.status <> 'deleted'
"""

RECEIVE = """
    WITH kept AS (
        INSERT INTO vek1_api.webhook_inbox AS i (source, store_id, event_key, headers, body)
        VALUES ('abacatepay', $1, $2, $3, $4)
        ON CONFLICT (source, store_id, event_key) DO UPDATE SET deliveries = i.deliveries + 1
        RETURNING id, handled_at
    ), job AS (
        INSERT INTO vek1_api.pgqueuer
            (priority, entrypoint, payload, dedupe_key, headers, execute_after, status)
        SELECT 0, 'abacatepay.understand',
               convert_to(json_build_object('inbox_id', id)::text, 'UTF8'),
               'abacatepay.understand:' || id, jsonb_build_object('request_id', $5::text),
               now(), 'queued'
        FROM kept WHERE handled_at IS NULL
        ON CONFLICT (dedupe_key)
            WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
        RETURNING id
    )
    INSERT INTO vek1_api.pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, 'queued', 'abacatepay.understand', 0 FROM job
"""

LOAD = """
    SELECT i.store_id, i.body, p.abacate_pay_api_key AS key, p.abacate_pay_dev_mode AS is_dev
    FROM vek1_api.webhook_inbox AS i
    JOIN store_payment_settings AS p ON p.store_id = i.store_id
    WHERE i.id = $1 AND i.handled_at IS NULL
"""

MATCH = """
    SELECT r.attempt_id, r.order_id, r.external_id, r.amount_cents, s.company_id
    FROM vek1_api.attempt_alias AS a
    JOIN vek1_api.attempt_ref AS r ON r.attempt_id = a.attempt_id
    JOIN stores AS s ON s.id = r.store_id
    WHERE a.provider = 'abacate_pay' AND a.external_id = $1 AND r.store_id = $2
      AND r.dev_mode = $3
"""

SETTLE = """
    WITH held AS MATERIALIZED (
        SELECT o.id, o.store_id, o.number, o.status, o.total_cents
        FROM orders AS o JOIN stores AS s ON s.id = o.store_id
        WHERE o.id = $1 AND s.company_id = $2 AND s.status <> 'deleted'
          AND o.status IN ('awaiting_proof', 'proof_received') AND o.total_cents = $3
        FOR UPDATE OF o
    ), paid AS MATERIALIZED (
        UPDATE vek1_api.order_state AS t SET paid_attempt_id = $4 FROM held
        WHERE t.order_id = held.id AND t.paid_attempt_id IS NULL
        RETURNING held.*
    ), ref AS (
        UPDATE vek1_api.attempt_ref AS r SET state = 'paid', check_at = NULL FROM paid
        WHERE r.attempt_id = $4
    ), attempt AS (
        UPDATE payment_attempts AS a SET status = 'paid' FROM paid WHERE a.id = $4
    ), writer AS MATERIALIZED (
        SELECT set_config('vek1_api.is_writer', 'on', true) AS is_on
    ), confirmed AS (
        UPDATE orders AS o
        SET status = 'confirmed', confirmed_at = timezone('UTC', now()),
            paid_at = timezone('UTC', now())
        FROM paid CROSS JOIN writer WHERE o.id = paid.id AND writer.is_on = 'on'
    ), event AS (
        INSERT INTO order_events (order_id, type, actor, data, created_at)
        SELECT paid.id, said.type, 'webhook', said.data, timezone('UTC', clock_timestamp())
        FROM paid CROSS JOIN LATERAL (VALUES
            ('payment_paid',
             jsonb_build_object('amount_cents', paid.total_cents, 'attempt_id', $4::uuid)),
            ('confirmed', NULL)
        ) AS said (type, data)
    ), entry AS (
        INSERT INTO audit_log (store_id, action, target_type, target_id, meta)
        SELECT store_id, 'order.confirmed', 'order', id::text,
               jsonb_build_object('number', number,
                                  'status', jsonb_build_array(status, 'confirmed'))
        FROM paid
        RETURNING id, at
    ), trail AS (
        INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
        SELECT $2, timezone('UTC', at), id FROM entry
    )
    UPDATE vek1_api.webhook_inbox AS i
    SET handled_at = now(), verdict = 'applied', order_id = paid.id
    FROM paid WHERE i.id = $5 AND i.handled_at IS NULL
"""
