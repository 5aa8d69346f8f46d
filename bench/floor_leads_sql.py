"""The floor's statements of products, leads and messages, written by hand."""

_STORE = "s.company_id = $2 AND s.status <> 'deleted'"

_PRODUCT = """
    SELECT p.id::text, p.store_id::text, p.name, p.description, p.price, p.stock,
           p.product_integration_id, p.custom_props, p.created_at, p.updated_at
    FROM products AS p JOIN stores AS s ON s.id = p.store_id
"""
PRODUCTS = f"""{_PRODUCT} WHERE p.store_id = $1 AND {_STORE}
    ORDER BY p.created_at DESC, p.id DESC LIMIT $3
"""
FOUND_PRODUCTS = f"""{_PRODUCT} WHERE p.store_id = $1 AND {_STORE} AND p.id IN (
        SELECT product_id FROM vek1_api.product_index
        WHERE store_id = $1 AND terms @@ (SELECT vek1_api.product_query($1, $4)))
    ORDER BY p.created_at DESC, p.id DESC LIMIT $3
"""  # noqa: S608 - Our own constants.

_LEAD_COLUMNS = """
    l.id::text, l.store_id::text, l.channel, l.external_id, l.name, l.email, l.phone_number,
    l.phone_confirmed, l.street_address, l.address_number, l.complement, l.neighborhood,
    l.postal_code, l.city, l.state, l.custom_attributes, l.interests, l.preferences, l.notes,
    l.profile_summary, l.profile_updated_at, l.status, l.total_messages, l.total_purchases,
    l.total_spent_cents, l.first_contact_at, l.last_contact_at, l.created_at, l.updated_at
"""
KNOWN_LEAD = f"""
    SELECT {_LEAD_COLUMNS}
    FROM stores AS s
    JOIN vek1_api.lead_identity AS i ON i.store_id = s.id
    JOIN leads AS l ON l.id = i.lead_id
    JOIN vek1_api.lead_contact AS c ON c.lead_id = l.id
    WHERE s.id = $1 AND {_STORE} AND i.channel = $3
      AND i.identity = vek1_api.contact_id($3, $4) AND c.reply_to = $4
"""  # noqa: S608 - Our own constants.

ADD_LEAD = f"""
    WITH person AS (
        SELECT s.id AS store_id, gen_random_uuid() AS id,
               vek1_api.contact_id($3, $4) AS identity
        FROM stores AS s WHERE s.id = $1 AND {_STORE}
    ), known AS (
        INSERT INTO vek1_api.lead_identity (store_id, channel, identity, lead_id)
        SELECT store_id, $3, identity, id FROM person
        RETURNING lead_id
    ), l AS (
        INSERT INTO leads (id, store_id, channel, external_id, name)
        SELECT id, store_id, $3, identity, $5 FROM person
        RETURNING *
    ), contact AS (
        INSERT INTO vek1_api.lead_contact (lead_id, reply_to) SELECT lead_id, $4 FROM known
    ), entry AS (
        INSERT INTO audit_log
            (actor_user_id, store_id, action, target_type, target_id, ip, request_id)
        SELECT $2, store_id, 'lead.created', 'lead', id::text, $6, $7 FROM person
        RETURNING id, at
    ), trail AS (
        INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
        SELECT $2, timezone('UTC', at), id FROM entry
    )
    SELECT {_LEAD_COLUMNS} FROM l
"""  # noqa: S608 - Our own constants.

_MESSAGE_COLUMNS = """
    m.id::text, m.store_id::text, m.lead_id::text, m.agent_id::text, m.user_id, m.agent_type,
    m.role, m.content, m.metadata, m."timestamp"
"""
MESSAGES = f"""
    SELECT {_MESSAGE_COLUMNS}
    FROM leads AS l JOIN stores AS s ON s.id = l.store_id
    JOIN messages_history AS m ON m.lead_id = l.id
    WHERE l.id = $1 AND {_STORE} AND m.role <> 'debug'
    ORDER BY m."timestamp" DESC, m.id DESC LIMIT $3
"""  # noqa: S608 - Our own constants.

ADD_MESSAGE = f"""
    WITH person AS (
        SELECT l.id, l.store_id, l.external_id FROM leads AS l
        JOIN stores AS s ON s.id = l.store_id
        WHERE l.id = $3 AND l.store_id = $1 AND {_STORE}
        FOR NO KEY UPDATE OF l
    ), known AS (
        INSERT INTO vek1_api.message_key (store_id, provider_message_id, message_id)
        SELECT store_id, $5, vek1_api.arrival_id() FROM person
        RETURNING message_id
    ), m AS (
        INSERT INTO messages_history
            (id, user_id, store_id, lead_id, agent_type, role, content, metadata, "timestamp")
        SELECT message_id, external_id, store_id, id, 'none', 'user', $4,
               jsonb_build_object('provider_message_id', $5::text),
               clock_timestamp() AT TIME ZONE 'UTC'
        FROM person, known
        RETURNING *
    ), entry AS (
        INSERT INTO audit_log
            (actor_user_id, store_id, action, target_type, target_id, ip, request_id, meta)
        SELECT $2, store_id, 'messages.appended', 'store', store_id::text, $6, $7,
               jsonb_build_object('messages', 1, 'lead_ids', jsonb_build_array(id))
        FROM person
        RETURNING id, at
    ), trail AS (
        INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
        SELECT $2, timezone('UTC', at), id FROM entry
    )
    SELECT {_MESSAGE_COLUMNS} FROM m
"""  # noqa: S608 - Our own constants.
