"""The floor's statements of orders, written by hand."""

_STORE = "s.company_id = $2 AND s.status <> 'deleted'"

_ORDER_COLUMNS = """
    o.id, o.store_id, o.lead_id, o.agent_id, o.number, o.status, o.payment_method,
    o.payment_provider, o.payment_external_id, o.payment_link_url, o.payment_br_code,
    o.payment_expires_at, o.proof_mime_type, o.proof_received_at, o.paid_at, o.confirmed_at,
    o.shipping_at, o.fulfilled_at, o.cancelled_at, o.subtotal_cents, o.shipping_cents,
    o.discount_cents, o.total_cents, o.currency, o.customer_name, o.customer_phone,
    o.customer_email, o.customer_tax_id, o.shipping_address, o.notes, o.source, o.created_at,
    o.updated_at
"""
ORDERS = f"""
    SELECT {_ORDER_COLUMNS.replace("_id,", "_id::text,").replace("o.id,", "o.id::text,")},
           r.state, t.proof_versions, t.proof_review
    FROM orders AS o JOIN stores AS s ON s.id = o.store_id
    LEFT JOIN vek1_api.order_state AS t ON t.order_id = o.id
    LEFT JOIN vek1_api.attempt_ref AS r ON r.attempt_id = t.attempt_id
    WHERE o.store_id = $1 AND {_STORE}
    ORDER BY o.created_at DESC, o.id DESC LIMIT $3
"""  # noqa: S608 - Our own constants.

ADD_ORDER = f"""
    WITH store AS (
        SELECT s.id FROM stores AS s WHERE s.id = $1 AND {_STORE}
    ), line AS (
        SELECT product_id, quantity, place
        FROM unnest($3::uuid[], $4::int[]) WITH ORDINALITY AS l (product_id, quantity, place)
    ), needed AS (
        SELECT product_id, sum(quantity)::int AS units FROM line GROUP BY product_id
    ), product AS MATERIALIZED (
        SELECT p.id, p.name, p.description, p.custom_props,
               round(p.price::text::numeric * 100)::int AS price_cents
        FROM products AS p JOIN store ON store.id = p.store_id
        WHERE p.id = ANY ($3) ORDER BY p.id FOR NO KEY UPDATE OF p
    ), writer AS MATERIALIZED (
        SELECT set_config('vek1_api.moves_stock', 'on', true) AS is_on
    ), moved AS (
        UPDATE products AS p SET stock = p.stock - needed.units
        FROM needed JOIN product ON product.id = needed.product_id
        CROSS JOIN writer
        WHERE p.id = product.id AND p.stock >= needed.units AND writer.is_on = 'on'
        RETURNING p.id, needed.units
    ), checked AS MATERIALIZED (
        -- Short stock divides by zero: all of it is undone.
        SELECT 1 / ((SELECT count(*) FROM moved) = (SELECT count(*) FROM needed))::int AS is_fine
    ), made AS MATERIALIZED (
        SELECT gen_random_uuid() AS id, store.id AS store_id,
               (SELECT sum(product.price_cents * line.quantity)
                FROM line JOIN product ON product.id = line.product_id) AS subtotal_cents
        FROM store, checked WHERE checked.is_fine = 1
    ), movement AS (
        INSERT INTO stock_movements (store_id, product_id, delta, reason, order_id)
        SELECT made.store_id, moved.id, -moved.units, 'order_created', made.id FROM made, moved
    ), counter AS (
        INSERT INTO vek1_api.order_counters AS counter (store_id, last)
        SELECT store_id, 1 FROM made
        ON CONFLICT (store_id) DO UPDATE SET last = counter.last + 1
        RETURNING last
    ), o AS (
        INSERT INTO orders (id, store_id, number, status, subtotal_cents, total_cents,
                            customer_name, source, created_at)
        SELECT made.id, made.store_id, counter.last, 'draft', subtotal_cents, subtotal_cents,
               $5, 'agent', clock_timestamp() AT TIME ZONE 'UTC'
        FROM made, counter
        RETURNING *
    ), item AS (
        INSERT INTO order_items (order_id, product_id, name, description, price_cents, quantity,
                                 subtotal_cents, custom_props, created_at)
        SELECT made.id, product.id, product.name, product.description, product.price_cents,
               line.quantity, product.price_cents * line.quantity, product.custom_props,
               clock_timestamp() AT TIME ZONE 'UTC' + line.place * interval '1 microsecond'
        FROM made, line JOIN product ON product.id = line.product_id
        RETURNING id, product_id, name, description, price_cents, quantity, subtotal_cents,
                  custom_props
    ), event AS (
        INSERT INTO order_events (order_id, type, actor)
        SELECT id, 'created', 'agent' FROM made
        RETURNING id, type, actor, data, created_at
    ), entry AS (
        INSERT INTO audit_log
            (actor_user_id, store_id, action, target_type, target_id, ip, request_id, meta)
        SELECT $2, store_id, 'order.created', 'order', id::text, $6, $7,
               jsonb_build_object('items', cardinality($3))
        FROM made
        RETURNING id, at
    ), trail AS (
        INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
        SELECT $2, timezone('UTC', at), id FROM entry
    )
    SELECT (SELECT row_to_json(shown)::text FROM (SELECT {_ORDER_COLUMNS}) AS shown) AS body,
           (SELECT json_agg(item)::text FROM item) AS items,
           (SELECT json_agg(event)::text FROM event) AS events
    FROM o
"""  # noqa: S608 - Our own constants.
