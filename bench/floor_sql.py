"""The floor's statements: those of the service, written by hand."""

_AGENT = """
    SELECT a.id::text, a.store_id::text, a.name, a.type, a.description, a.active,
           a.spending_limit, a.stripe_product_id, a.evolution_instance_id, a.system_prompt,
           a.voice_tone, a.website_enabled, a.whatsapp_enabled, a.whatsapp_phone_number,
           a.rate_limit_per_hour, a.created_at, a.updated_at
    FROM agents AS a JOIN stores AS s ON s.id = a.store_id
"""
AGENT = f"{_AGENT} WHERE a.id = $1 AND s.company_id = $2 AND s.status <> 'deleted'"
AGENTS = f"""{_AGENT}
    WHERE a.store_id = $1 AND s.company_id = $2 AND s.status <> 'deleted'
    ORDER BY a.created_at DESC, a.id DESC LIMIT $3
"""

DOCUMENTS = """
    SELECT d.id::text, d.store_id::text, d.product_id::text, d.title, d.file_name,
           d.file_size, d.mime_type, d.category, d.tags, d.metadata,
           coalesce(i.status, 'pending') AS index_status,
           CASE WHEN i.status = 'failed' THEN
               json_build_object('code', i.error_code, 'message', i.error_message)
           END AS index_error,
           coalesce(i.chunk_count, 0) AS chunk_count, i.page_count, d.created_at,
           d.updated_at
    FROM documents AS d JOIN stores AS s ON s.id = d.store_id
    LEFT JOIN vek1_api.document_index AS i ON i.document_id = d.id
    WHERE d.store_id = $1 AND s.company_id = $2 AND s.status <> 'deleted'
    ORDER BY d.created_at DESC, d.id DESC LIMIT $3
"""

ADD_DOCUMENT = """
    WITH room AS (
        INSERT INTO vek1_api.store_storage (store_id, used_bytes)
        SELECT id, $3::bigint FROM stores
        WHERE id = $1 AND company_id = $2 AND status <> 'deleted'
          AND $3 <= allocated_size_gb::bigint << 30
        ON CONFLICT (store_id) DO UPDATE
        SET used_bytes = store_storage.used_bytes + excluded.used_bytes
        WHERE store_storage.used_bytes + excluded.used_bytes
              <= (SELECT allocated_size_gb::bigint << 30 FROM stores WHERE id = $1)
        RETURNING store_id, used_bytes
    ), shown AS (
        UPDATE stores SET used_size_bytes = least(room.used_bytes, 2147483647)
        FROM room WHERE stores.id = room.store_id
    ), document AS (
        INSERT INTO documents (id, store_id, title, content, created_at, updated_at)
        SELECT $4::uuid, store_id, $5, $6, $7::timestamp, $7 FROM room
    ), document_index AS (
        INSERT INTO vek1_api.document_index (document_id, store_id, status, counted_bytes)
        SELECT $4, store_id, 'pending', $3 FROM room
    ), job AS (
        INSERT INTO vek1_api.pgqueuer (priority, entrypoint, payload, headers, status)
        SELECT 0, 'documents.index', $8::bytea,
               jsonb_build_object('request_id', $10::text), 'queued' FROM room
        RETURNING id
    ), logged AS (
        INSERT INTO vek1_api.pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', 'documents.index', 0 FROM job
    ), entry AS (
        INSERT INTO audit_log
            (actor_user_id, store_id, action, target_type, target_id, ip, request_id)
        SELECT $2, store_id, 'document.created', 'document', $15::text, $9, $10 FROM room
        RETURNING id, at
    ), trail AS (
        INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
        SELECT $2, timezone('UTC', at), id FROM entry
    )
    INSERT INTO vek1_api.idempotency_keys (actor, key, fingerprint, status, headers, body)
    SELECT $2, $11, $12, 201, $13, $14 FROM room
"""
