-- What the database itself must do for vek1: functions, triggers, the vector extension.
--
-- Idempotent, and the one place where these are written. docker-compose runs it on an empty
-- database, the first migration runs it on a full one, and the service runs it again when
-- one of them is missing or differs (vek1_api.core.schema). So a table that a trigger
-- belongs to may be absent: it gets the trigger at the next run.
--
-- A push of the front end (drizzle-kit) leaves functions and triggers alone, but is blocked by
-- anything that depends on a column. Hence no `UPDATE OF column`, no `WHEN` that names a
-- column, no `BEGIN ATOMIC`: bodies are strings.

-- Two runs at once would fail with "tuple concurrently updated". The number is ours alone
-- (core/schema/locks.py); the lock ends with the transaction.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(8300173001); END $$;

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

DO $$
BEGIN
    IF to_regnamespace('vek1_api') IS NULL THEN
        CREATE SCHEMA vek1_api;
    END IF;
END $$;


---------------------------------------------------------------------------------------------
-- Rules on rows of `public`. Each is a trigger, because a push drops CHECK constraints.
---------------------------------------------------------------------------------------------

-- Raised as a check violation (SQLSTATE 23514) whose constraint name is the rule's.
CREATE OR REPLACE FUNCTION vek1_api.refuse(about text, rule text, message text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        SCHEMA = 'public',
        TABLE = about,
        CONSTRAINT = about || '_' || rule,
        MESSAGE = format('%s: %s', about, message);
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_stores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('active', 'inactive', 'deleted') THEN
        PERFORM vek1_api.refuse('stores', 'status', format('status may not be %L', NEW.status));
    END IF;
    IF NEW.allocated_size_gb NOT BETWEEN 1 AND 1000 THEN
        PERFORM vek1_api.refuse('stores', 'allocated_size_gb', 'allocated_size_gb is 1 to 1000');
    END IF;
    IF NEW.used_size_bytes < 0 THEN
        PERFORM vek1_api.refuse('stores', 'used_size_bytes', 'used_size_bytes is never negative');
    END IF;
    -- The columns are vector(1024); a smaller model's vector is padded with zeros.
    IF NEW.embedding_dimension NOT BETWEEN 1 AND 1024 THEN
        PERFORM vek1_api.refuse('stores', 'embedding_dimension', 'embedding_dimension is 1 to 1024');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.channel NOT IN ('whatsapp', 'website') THEN
        PERFORM vek1_api.refuse('leads', 'channel', format('channel may not be %L', NEW.channel));
    END IF;
    IF NEW.total_messages < 0 OR NEW.total_purchases < 0 OR NEW.total_spent_cents < 0 THEN
        PERFORM vek1_api.refuse('leads', 'totals', 'totals are never negative');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_messages_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.role NOT IN ('user', 'assistant', 'tool', 'debug') THEN
        PERFORM vek1_api.refuse('messages_history', 'role', format('role may not be %L', NEW.role));
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stock < 0 THEN
        PERFORM vek1_api.refuse('products', 'stock', 'stock is never negative');
    END IF;
    -- Only vek1_api.move_stock says so of itself, for as long as its own statement runs.
    IF TG_OP = 'UPDATE' AND NEW.stock <> OLD.stock
       AND coalesce(current_setting('vek1_api.moves_stock', true), '') <> 'on' THEN
        PERFORM vek1_api.refuse('products', 'stock_ledger',
            'stock changes through POST /v1/products/{id}/stock, which writes its movement');
    END IF;
    -- The clock, not the beginning of the transaction: whoever polls by updated_at counts on it
    -- (settled_until).
    IF TG_OP = 'INSERT' THEN
        NEW.updated_at := timezone('UTC', clock_timestamp());
    END IF;
    -- In Postgres NaN is greater than Infinity, so this refuses both.
    IF NOT (NEW.price >= 0 AND NEW.price < 'Infinity') THEN
        PERFORM vek1_api.refuse('products', 'price', 'price is a number of reais from 0 up');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_product_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('pending', 'ready', 'failed') THEN
        PERFORM vek1_api.refuse('product_files', 'status', format('status may not be %L', NEW.status));
    END IF;
    IF NEW.file_size < 0 THEN
        PERFORM vek1_api.refuse('product_files', 'file_size', 'file_size is never negative');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('draft', 'awaiting_proof', 'proof_received', 'confirmed',
                          'shipping', 'fulfilled', 'cancelled') THEN
        PERFORM vek1_api.refuse('orders', 'status', format('status may not be %L', NEW.status));
    END IF;
    IF NEW.payment_method NOT IN ('pix_manual', 'pix_gateway', 'cash_on_delivery') THEN
        PERFORM vek1_api.refuse('orders', 'payment_method',
            format('payment_method may not be %L', NEW.payment_method));
    END IF;
    IF NEW.payment_provider NOT IN ('abacate_pay', 'manual') THEN
        PERFORM vek1_api.refuse('orders', 'payment_provider',
            format('payment_provider may not be %L', NEW.payment_provider));
    END IF;
    IF NEW.source NOT IN ('agent', 'manual') THEN
        PERFORM vek1_api.refuse('orders', 'source', format('source may not be %L', NEW.source));
    END IF;
    IF NEW.currency <> 'BRL' THEN
        PERFORM vek1_api.refuse('orders', 'currency', format('currency may not be %L', NEW.currency));
    END IF;
    IF NEW.number < 1 THEN
        PERFORM vek1_api.refuse('orders', 'number', 'number counts from 1');
    END IF;
    IF NEW.subtotal_cents < 0 OR NEW.shipping_cents < 0 OR NEW.discount_cents < 0
       OR NEW.total_cents < 0 THEN
        PERFORM vek1_api.refuse('orders', 'amounts', 'amounts are never negative');
    END IF;
    -- What was written before vek1-api, and does not add up, is doctor's (I2); it can be cancelled.
    IF NEW.total_cents <>
       NEW.subtotal_cents::bigint + NEW.shipping_cents - NEW.discount_cents
       AND (TG_OP = 'INSERT'
            OR (NEW.subtotal_cents, NEW.shipping_cents, NEW.discount_cents, NEW.total_cents)
            <> (OLD.subtotal_cents, OLD.shipping_cents, OLD.discount_cents, OLD.total_cents)) THEN
        PERFORM vek1_api.refuse('orders', 'total_cents',
            'total_cents is subtotal_cents + shipping_cents - discount_cents');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_order_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.quantity < 1 THEN
        PERFORM vek1_api.refuse('order_items', 'quantity', 'quantity is at least 1');
    END IF;
    IF NEW.price_cents < 0 THEN
        PERFORM vek1_api.refuse('order_items', 'price_cents', 'price_cents is never negative');
    END IF;
    IF NEW.subtotal_cents <> NEW.price_cents::bigint * NEW.quantity THEN
        PERFORM vek1_api.refuse('order_items', 'subtotal_cents',
            'subtotal_cents is price_cents * quantity');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_order_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.type NOT IN ('created', 'confirmed', 'payment_initialized', 'payment_paid',
                        'payment_failed', 'fulfilled', 'cancelled', 'note') THEN
        PERFORM vek1_api.refuse('order_events', 'type', format('type may not be %L', NEW.type));
    END IF;
    IF NEW.actor NOT IN ('agent', 'user', 'system', 'webhook') THEN
        PERFORM vek1_api.refuse('order_events', 'actor', format('actor may not be %L', NEW.actor));
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_payment_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('initialized', 'paid', 'failed', 'expired') THEN
        PERFORM vek1_api.refuse('payment_attempts', 'status',
            format('status may not be %L', NEW.status));
    END IF;
    IF NEW.amount_cents < 0 THEN
        PERFORM vek1_api.refuse('payment_attempts', 'amount_cents', 'amount_cents is never negative');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_stock_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reason NOT IN ('order_created', 'order_cancelled', 'inbound_sync', 'manual') THEN
        PERFORM vek1_api.refuse('stock_movements', 'reason', format('reason may not be %L', NEW.reason));
    END IF;
    -- Somebody else who adds a product with its stock may write the movement too: theirs counts,
    -- not the one that vek1_api.products_inserted wrote for them.
    IF TG_OP = 'INSERT' AND coalesce(current_setting('vek1_api.is_writer', true), '') <> 'on'
       AND coalesce(current_setting('vek1_api.moves_stock', true), '') <> 'on' THEN
        DELETE FROM public.stock_movements
        WHERE product_id = NEW.product_id AND delta = NEW.delta
          AND payload = '{"source": "opening"}';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.check_token_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.prompt_tokens < 0 OR NEW.completion_tokens < 0 OR NEW.cost_cents < 0 THEN
        PERFORM vek1_api.refuse('token_usage', 'amounts', 'tokens and cost are never negative');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM vek1_api.refuse(TG_TABLE_NAME, 'append_only',
        format('rows are only ever added, so no %s', TG_OP));
    RETURN NULL;
END $$;

-- `drizzle-kit push --force` empties a table, and all that hangs on it, before it adds a
-- NOT NULL column without a default.
CREATE OR REPLACE FUNCTION vek1_api.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    has_rows boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', TG_RELID::regclass) INTO has_rows;
    IF has_rows THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            SCHEMA = 'public',
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = TG_TABLE_NAME || '_keep_rows',
            MESSAGE = format('%s has rows and will not be truncated', TG_TABLE_NAME),
            HINT = 'drizzle-kit push truncates a table to add a NOT NULL column. Give the new '
                   'column a default (or make it nullable) and push again; nothing was changed.';
    END IF;
    RETURN NULL;
END $$;

-- Strictly later than before, so that two changes never share a time, however long the
-- transaction waited. UTC, whatever the session's zone.
CREATE OR REPLACE FUNCTION public.auto_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := greatest(
        clock_timestamp() AT TIME ZONE 'UTC', OLD.updated_at + interval '1 microsecond'
    );
    RETURN NEW;
END $$;


---------------------------------------------------------------------------------------------
-- What hangs on a deleted row in vek1_api goes with it (there are no foreign keys between the
-- schemas). A missing table of ours must not break the front end's own deletes.
---------------------------------------------------------------------------------------------

-- The true count is ours; the store's own column is an int4 and shows at most what it can hold.
CREATE OR REPLACE FUNCTION vek1_api.give_room_back(p_store_id uuid, p_bytes bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    used bigint;
BEGIN
    UPDATE vek1_api.store_storage SET used_bytes = greatest(used_bytes - p_bytes, 0)
    WHERE store_id = p_store_id RETURNING used_bytes INTO used;
    UPDATE public.stores SET used_size_bytes = least(used, 2147483647)
    WHERE id = p_store_id AND used IS NOT NULL;
END $$;

-- Whoever deletes a document: its room is free at once, its original leaves the bucket by a job.
CREATE OR REPLACE FUNCTION vek1_api.clean_up_documents() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    IF to_regclass('vek1_api.chunk_vectors') IS NOT NULL THEN
        DELETE FROM vek1_api.chunk_vectors WHERE document_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.document_chunks') IS NOT NULL THEN
        DELETE FROM vek1_api.document_chunks WHERE document_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.document_index') IS NOT NULL THEN
        DELETE FROM vek1_api.document_index WHERE document_id = OLD.id
        RETURNING object_key, counted_bytes INTO gone;
        UPDATE vek1_api.stored_objects SET state = 'doomed' WHERE key = gone.object_key;
        IF gone.counted_bytes > 0 THEN
            PERFORM vek1_api.give_room_back(OLD.store_id, gone.counted_bytes);
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- A text that somebody else changed is indexed again: quotes must be found in the text.
CREATE OR REPLACE FUNCTION vek1_api.reindex_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('vek1_api.is_writer', true), '') <> 'on'
        AND (NEW.title, NEW.content) IS DISTINCT FROM (OLD.title, OLD.content)
        AND to_regclass('vek1_api.document_index') IS NOT NULL
    THEN
        UPDATE vek1_api.document_index
        SET status = 'pending', revision = revision + 1, pages = NULL, page_count = NULL,
            chunk_count = CASE WHEN NEW.content = OLD.content THEN chunk_count ELSE 0 END,
            updated_at = '-infinity'
        WHERE document_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_agents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.agent_knowledge') IS NOT NULL THEN
        DELETE FROM vek1_api.agent_knowledge WHERE agent_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

-- An agent's orders and events stay, without the link; its conversations name it as before.
CREATE OR REPLACE FUNCTION vek1_api.unlink_agents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.orders SET agent_id = NULL WHERE agent_id = OLD.id;
    UPDATE public.lead_events SET agent_id = NULL WHERE agent_id = OLD.id;
    DELETE FROM public.agent_knowledge_base WHERE agent_id = OLD.id;
    RETURN OLD;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_stores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.store_slugs') IS NOT NULL THEN
        DELETE FROM vek1_api.store_slugs WHERE company_id = OLD.company_id AND store_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.store_storage') IS NOT NULL THEN
        DELETE FROM vek1_api.store_storage WHERE store_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.stored_objects') IS NOT NULL THEN
        UPDATE vek1_api.stored_objects SET state = 'doomed'
        WHERE store_id = OLD.id AND state <> 'doomed';
    END IF;
    IF to_regclass('vek1_api.store_privacy') IS NOT NULL THEN
        DELETE FROM vek1_api.erased_identity WHERE store_id = OLD.id;
        DELETE FROM vek1_api.store_privacy WHERE store_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.order_state') IS NOT NULL THEN
        DELETE FROM vek1_api.order_counters WHERE store_id = OLD.id;
        DELETE FROM vek1_api.store_payment WHERE store_id = OLD.id;
        DELETE FROM vek1_api.attention WHERE store_id = OLD.id;
        DELETE FROM vek1_api.webhook_inbox WHERE store_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.erp_levels') IS NOT NULL THEN
        DELETE FROM vek1_api.erp_keys WHERE store_id = OLD.id;
        DELETE FROM vek1_api.erp_levels WHERE store_id = OLD.id;
        DELETE FROM vek1_api.stock_plans WHERE store_id = OLD.id;
        DELETE FROM vek1_api.stock_guard WHERE store_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.stock_notices') IS NOT NULL THEN
        DELETE FROM vek1_api.stock_attempts WHERE movement_id IN (
            SELECT movement_id FROM vek1_api.stock_notices WHERE store_id = OLD.id);
        DELETE FROM vek1_api.stock_notices WHERE store_id = OLD.id;
        DELETE FROM vek1_api.stock_old_secrets WHERE store_id = OLD.id;
        DELETE FROM vek1_api.stock_outlets WHERE store_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_company_profiles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.company_slugs') IS NOT NULL THEN
        DELETE FROM vek1_api.company_slugs WHERE company_id = OLD.id;
    END IF;
    IF to_regclass('vek1_api.stored_objects') IS NOT NULL THEN
        UPDATE vek1_api.stored_objects SET state = 'doomed'
        WHERE company_id = OLD.id AND state <> 'doomed';
    END IF;
    RETURN NULL;
END $$;


---------------------------------------------------------------------------------------------
-- What goes with a change: a job, an entry in the trail, the claim on an Idempotency-Key.
-- As functions, so that the one statement of a hot path can call them beside its own effects;
-- in Python: core.jobs, audit.service, core.idempotency.
---------------------------------------------------------------------------------------------

-- Adds a job as PgQueuer does. Returns its id; null if one of the same `once` waits or runs.
CREATE OR REPLACE FUNCTION vek1_api.enqueue(
    p_name text,
    p_payload json,
    p_once text,
    p_request_id text,
    p_after interval DEFAULT '0',
    p_priority int DEFAULT 0
)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    job_id bigint;
BEGIN
    INSERT INTO vek1_api.pgqueuer AS job
        (priority, entrypoint, payload, execute_after, dedupe_key, headers, status)
    VALUES (p_priority, p_name, convert_to(p_payload::text, 'UTF8'), now() + p_after, p_once,
            jsonb_strip_nulls(jsonb_build_object('request_id', p_request_id)), 'queued')
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL
    DO NOTHING
    RETURNING job.id INTO job_id;
    IF job_id IS NOT NULL THEN
        INSERT INTO vek1_api.pgqueuer_log (job_id, status, entrypoint, priority)
        VALUES (job_id, 'queued', p_name, p_priority);
    END IF;
    RETURN job_id;
END $$;

-- Writes an entry of the audit log and its place in the company's trail; returns its id.
CREATE OR REPLACE FUNCTION vek1_api.log_audit(
    p_company_id text,
    p_actor_user_id text,
    p_store_id uuid,
    p_action text,
    p_target_type text,
    p_target_id text,
    p_ip text,
    p_ua text,
    p_request_id text,
    p_meta jsonb
)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    entry CONSTANT uuid := gen_random_uuid();
BEGIN
    INSERT INTO public.audit_log
        (id, actor_user_id, store_id, action, target_type, target_id, ip, ua, request_id, meta, at)
    VALUES (entry, p_actor_user_id, p_store_id, p_action, p_target_type, p_target_id, p_ip, p_ua,
            p_request_id, p_meta, now() AT TIME ZONE 'UTC');
    INSERT INTO vek1_api.audit_trail (company_id, at, entry_id)
    VALUES (p_company_id, now(), entry);
    RETURN entry;
END $$;

-- Takes a key for the rest of the transaction, and tells what is recorded under it. VOLATILE:
-- then the second statement's snapshot is younger than the lock.
CREATE OR REPLACE FUNCTION vek1_api.claim_key(p_actor text, p_key text)
RETURNS TABLE (is_mine boolean, fingerprint bytea, status smallint, headers text, body bytea)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
#variable_conflict use_column
BEGIN
    is_mine := pg_try_advisory_xact_lock(hashtextextended(p_actor || E'\n' || p_key, 0));
    IF is_mine THEN
        SELECT known.fingerprint, known.status, known.headers::text, known.body
        INTO fingerprint, status, headers, body
        FROM vek1_api.idempotency_keys AS known
        WHERE known.actor = p_actor AND known.key = p_key;
    END IF;
    RETURN NEXT;
END $$;


---------------------------------------------------------------------------------------------
-- Products: stock has its ledger, an ERP's id names one product, and each product speaks: a
-- document that is made of it, and the words that it is found by. Triggers per statement, so
-- that 20,000 imported rows are one set.
---------------------------------------------------------------------------------------------

-- `R$ 1.234,56`, in any locale.
CREATE OR REPLACE FUNCTION vek1_api.reais(price double precision) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT 'R$ ' || translate(to_char(round(price::numeric, 2), 'FM999,999,999,990.00'), ',.', '.,')
$$;

-- Each property on a line: `Cor: azul`, `Tamanhos: P, M, G`.
CREATE OR REPLACE FUNCTION vek1_api.props_text(props jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF props IS NULL OR jsonb_typeof(props) <> 'object' OR props = '{}' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT string_agg(format('%s: %s', prop.key, CASE jsonb_typeof(prop.value)
            WHEN 'array' THEN (
                SELECT string_agg(item #>> '{}', ', ' ORDER BY place)
                FROM jsonb_array_elements(prop.value) WITH ORDINALITY AS each (item, place))
            WHEN 'boolean' THEN CASE WHEN prop.value::boolean THEN 'sim' ELSE 'não' END
            ELSE prop.value #>> '{}' END), E'\n' ORDER BY prop.key)
        FROM jsonb_each(props) AS prop
    );
END $$;

-- What a product's document says; the texts of its files come last.
CREATE OR REPLACE FUNCTION vek1_api.product_text(
    name text, description text, price double precision, integration_id text, props jsonb,
    files text
)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(concat_ws(E'\n\n',
        concat_ws(E'\n', name, 'Preço: ' || vek1_api.reais(price),
                  'Código: ' || nullif(integration_id, '')),
        nullif(btrim(description), ''), vek1_api.props_text(props), files), 2000000)
$$;

-- The word with each of its letters left out, marked: words that share one differ by a typing
-- slip (a letter more, less, another, or two swapped).
CREATE OR REPLACE FUNCTION vek1_api.slips(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg('~' || left(word, place - 1) || substr(word, place + 1))
    FROM generate_series(1, length(word)) AS place
    WHERE length(word) BETWEEN 4 AND 24 AND word !~ '[^a-z]'
$$;

-- The word and its stem, each with its slips: two stems may lie far apart where their words do not.
CREATE OR REPLACE FUNCTION vek1_api.spellings(word text) RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS $$
BEGIN
    RETURN QUERY
    SELECT spelling FROM unnest(ARRAY[word, vek1_api.portuguese_stem(word)]) AS whole
    CROSS JOIN LATERAL unnest(('~' || whole) || vek1_api.slips(whole)) AS spelling
    WHERE length(whole) >= 4;
END $$;

-- What a product is found by: the stems of all its words, and spellings of those of its name.
CREATE OR REPLACE FUNCTION vek1_api.product_terms(
    name text, description text, integration_id text, props jsonb
)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN array_to_tsvector(coalesce((
        SELECT array_agg(DISTINCT term) FROM (
            SELECT lexeme AS term FROM vek1_api.portuguese_words(concat_ws(' ', name,
                integration_id, left(description, 8000), left(vek1_api.props_text(props), 8000)))
            UNION ALL
            SELECT vek1_api.spellings(word)
            FROM regexp_split_to_table(vek1_api.fold(name), '[^a-z]+') AS word
        ) AS terms WHERE term <> ''
    ), '{}'));
END $$;

-- What a shopper looks for: every word of the question. A word that the store does not know is
-- taken as the beginning of one, or as one with a typing slip. Matches nothing when there are
-- only stop words.
CREATE OR REPLACE FUNCTION vek1_api.product_query(p_store_id uuid, question text) RETURNS tsquery
LANGUAGE plpgsql STABLE STRICT
SET client_min_messages = warning  -- An empty tsquery raises a notice.
AS $$
DECLARE
    word text;
    known tsquery;
    wanted tsquery := ''::tsquery;
BEGIN
    FOR word IN
        SELECT split FROM regexp_split_to_table(
            vek1_api.fold(translate(left(question, 200), '\', ' ')), '\s+')
            WITH ORDINALITY AS each (split, place) ORDER BY place LIMIT 16
    LOOP
        SELECT string_agg(quote_literal(lexeme), ' & ')::tsquery INTO known
        FROM (
            -- Joined by - / . or _ it is one word, if it has a digit: a part number.
            SELECT lexeme, place, weight, min(weight) OVER () AS heaviest
            FROM vek1_api.portuguese_words(word) WHERE lexeme <> ''
        ) AS lexemes WHERE weight = heaviest;
        CONTINUE WHEN known IS NULL;
        IF NOT EXISTS (SELECT FROM vek1_api.product_index
                       WHERE store_id = p_store_id AND terms @@ known) THEN
            SELECT known || coalesce(string_agg(quote_literal(term), ' | '), '')::tsquery INTO known
            FROM (
                SELECT spelling AS term FROM vek1_api.spellings(word) AS spelling
                UNION SELECT substr(spelling, 2) FROM vek1_api.spellings(word) AS spelling
            ) AS terms;
            word := vek1_api.portuguese_stem(regexp_replace(word, '[^a-z]', '', 'g'));
            IF length(word) > 2 THEN
                known := coalesce(known || (quote_literal(word) || ':*')::tsquery, known);
            END IF;
        END IF;
        wanted := CASE WHEN numnode(wanted) = 0 THEN known ELSE wanted && known END;
    END LOOP;
    RETURN wanted;
END $$;

-- Makes the search words and the document of these products anew; a job indexes what changed.
CREATE OR REPLACE FUNCTION vek1_api.index_products(p_products uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    few CONSTANT int := 20;  -- Documents that get a job each.
    stale record;
BEGIN
    -- Whoever makes these anew at the same moment goes first: what is read below is then newest.
    PERFORM FROM vek1_api.product_index WHERE product_id = ANY (p_products)
    ORDER BY product_id FOR UPDATE;
    INSERT INTO vek1_api.product_index (product_id, store_id, document_id, terms)
    SELECT id, store_id, gen_random_uuid(),
           vek1_api.product_terms(name, description, product_integration_id, custom_props)
    FROM public.products WHERE id = ANY (p_products) ORDER BY id
    ON CONFLICT (product_id) DO UPDATE SET store_id = excluded.store_id, terms = excluded.terms;

    FOR stale IN
        WITH said AS (
            SELECT document_id AS id, product.store_id, product.id AS product_id,
                   product.name AS title,
                   vek1_api.product_text(product.name, product.description, product.price,
                       product.product_integration_id, product.custom_props, files.text) AS content
            FROM public.products AS product
            JOIN vek1_api.product_index ON product_id = product.id
            CROSS JOIN LATERAL (
                SELECT string_agg(format(E'%s\n\n%s', original_filename, content), E'\n\n'
                                  ORDER BY upload_date, file.id) AS text
                FROM public.product_files AS file
                WHERE file.product_id = product.id AND file.content <> ''
            ) AS files
            WHERE product.id = ANY (p_products)
        ), document AS (
            INSERT INTO public.documents AS it
                (id, store_id, product_id, title, content, category)
            SELECT id, store_id, product_id, title, content, 'catalogo' FROM said ORDER BY id
            ON CONFLICT (id) DO UPDATE
            SET title = excluded.title, content = excluded.content
            WHERE (it.title, it.content) IS DISTINCT FROM (excluded.title, excluded.content)
            RETURNING it.id, it.store_id
        ), pending AS (
            INSERT INTO vek1_api.document_index AS it (document_id, store_id, status)
            SELECT id, store_id, 'pending' FROM document
            ON CONFLICT (document_id) DO UPDATE
            SET status = 'pending', revision = it.revision + 1, error_code = NULL,
                error_message = NULL, pages = NULL, page_count = NULL, chunk_count = 0,
                updated_at = now()
            RETURNING it.document_id, it.store_id, it.revision
        )
        SELECT pending.store_id, count(*) > few AS are_many,
               array_agg(document_id) AS documents, array_agg(revision) AS revisions
        FROM pending GROUP BY pending.store_id
    LOOP
        IF stale.are_many THEN
            -- One job of a store waits or runs; the lock lets it see, before it ends, that this
            -- transaction is still to come (documents.jobs.index_store).
            PERFORM pg_advisory_xact_lock_shared(
                hashtextextended(format('documents.index_store:%s', stale.store_id), 0));
            PERFORM vek1_api.enqueue('documents.index_store',
                json_build_object('store_id', stale.store_id),
                format('documents.index_store:%s', stale.store_id), NULL);
        ELSE
            PERFORM vek1_api.enqueue('documents.index',
                json_build_object('document_id', document_id, 'revision', revision),
                format('documents.index:%s:%s', document_id, revision), NULL)
            FROM unnest(stale.documents, stale.revisions) AS one (document_id, revision);
        END IF;
    END LOOP;
END $$;

-- Of a new product: the movement of its first stock, whom its ERP's id names, what it says.
CREATE OR REPLACE FUNCTION vek1_api.products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.stock_movements (store_id, product_id, delta, reason, payload)
    SELECT store_id, id, stock, 'manual', '{"source": "opening"}' FROM fresh WHERE stock <> 0;
    IF to_regclass('vek1_api.product_index') IS NOT NULL THEN
        INSERT INTO vek1_api.product_keys (store_id, product_integration_id, product_id)
        SELECT store_id, product_integration_id, id FROM fresh
        WHERE product_integration_id <> '' ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
        PERFORM vek1_api.index_products(array_agg(id)) FROM fresh HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.products_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF to_regclass('vek1_api.product_index') IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(fresh.id) INTO changed FROM fresh JOIN stale USING (id)
    WHERE (fresh.store_id, fresh.name, fresh.description, fresh.price,
           fresh.product_integration_id, fresh.custom_props)
       IS DISTINCT FROM (stale.store_id, stale.name, stale.description, stale.price,
           stale.product_integration_id, stale.custom_props);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM vek1_api.product_keys AS known USING fresh
    WHERE known.product_id = fresh.id AND fresh.id = ANY (changed)
      AND (known.store_id, known.product_integration_id)
          IS DISTINCT FROM (fresh.store_id, fresh.product_integration_id);
    INSERT INTO vek1_api.product_keys (store_id, product_integration_id, product_id)
    SELECT store_id, product_integration_id, id FROM fresh
    WHERE id = ANY (changed) AND product_integration_id <> '' ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    PERFORM vek1_api.index_products(changed);
    RETURN NULL;
END $$;

-- What its files say is part of what a product says.
CREATE OR REPLACE FUNCTION vek1_api.speak_product_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Of a deleted row NEW is null.
    IF coalesce(OLD.content, '') <> coalesce(NEW.content, '')
        AND to_regclass('vek1_api.product_index') IS NOT NULL
    THEN
        PERFORM vek1_api.index_products(ARRAY[OLD.product_id]);
    END IF;
    RETURN NULL;
END $$;

-- Sold is sold: orders and the ledger keep their rows, without the link.
CREATE OR REPLACE FUNCTION vek1_api.unlink_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.order_items SET product_id = NULL WHERE product_id = OLD.id;
    UPDATE public.stock_movements SET product_id = NULL WHERE product_id = OLD.id;
    DELETE FROM public.product_files WHERE product_id = OLD.id;
    RETURN OLD;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_products() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    generated uuid;
    gone record;
BEGIN
    IF to_regclass('vek1_api.product_index') IS NOT NULL THEN
        DELETE FROM vek1_api.product_keys WHERE product_id = OLD.id;
        IF to_regclass('vek1_api.erp_levels') IS NOT NULL THEN
            DELETE FROM vek1_api.erp_levels WHERE product_id = OLD.id;
        END IF;
        IF to_regclass('vek1_api.stock_sequences') IS NOT NULL THEN
            DELETE FROM vek1_api.stock_sequences WHERE product_id = OLD.id;
        END IF;
        FOR gone IN
            WITH upload AS (
                DELETE FROM vek1_api.file_uploads WHERE product_id = OLD.id RETURNING object_key
            )
            UPDATE vek1_api.stored_objects SET state = 'doomed'
            WHERE key IN (SELECT object_key FROM upload) AND state <> 'doomed'
            RETURNING store_id, size_bytes
        LOOP
            PERFORM vek1_api.give_room_back(gone.store_id, gone.size_bytes);
            PERFORM vek1_api.enqueue('files.remove', '{}', NULL, NULL);
        END LOOP;
        DELETE FROM vek1_api.product_index WHERE product_id = OLD.id
        RETURNING document_id INTO generated;
        DELETE FROM public.agent_knowledge_base WHERE document_id = generated;
        DELETE FROM public.documents WHERE id = generated;
    END IF;
    RETURN NULL;
END $$;

-- Its room is free at once, its object leaves the bucket by a job.
CREATE OR REPLACE FUNCTION vek1_api.clean_up_product_files() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    IF to_regclass('vek1_api.stored_objects') IS NOT NULL THEN
        UPDATE vek1_api.stored_objects SET state = 'doomed'
        WHERE key = OLD.filename AND state <> 'doomed'
        RETURNING store_id, size_bytes INTO gone;
        IF gone.store_id IS NOT NULL THEN
            PERFORM vek1_api.give_room_back(gone.store_id, gone.size_bytes);
        END IF;
        PERFORM vek1_api.enqueue('files.remove', '{}', NULL, NULL);
    END IF;
    RETURN NULL;
END $$;


---------------------------------------------------------------------------------------------
-- Stock and ERPs: the ledger, and what ERPs say of it.
---------------------------------------------------------------------------------------------

-- The ledger: the one function that changes products.stock, and writes each change's movement.
-- Adds `p_deltas` to the stock of `p_products`, products of the store; one that is named several
-- times gets a movement for each. Products are locked in the order of their ids, so that two of
-- these never wait crosswise. Where one of them would fall below zero (or is not of the store:
-- `before` is null) nothing changes and only the rows that hinder are returned, with `is_moved`
-- false. A delta of 0 moves nothing. `p_external_ids` and `p_payloads` are those of each delta,
-- `p_external_id` and `p_payload` those of all.
CREATE OR REPLACE FUNCTION vek1_api.move_stock(
    p_store_id uuid,
    p_products uuid[],
    p_deltas int[],
    p_reason text,
    p_order_id uuid DEFAULT NULL,
    p_external_id text DEFAULT NULL,
    p_payload jsonb DEFAULT NULL,
    p_external_ids text[] DEFAULT NULL,
    p_payloads jsonb[] DEFAULT NULL
)
RETURNS TABLE (product_id uuid, is_moved boolean, before int, after int)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    largest CONSTANT int := 1000000000;
    moment timestamp;
BEGIN
    PERFORM FROM public.products
    WHERE id = ANY (p_products) AND store_id = p_store_id ORDER BY id FOR NO KEY UPDATE;
    -- The clock, not the beginning of the transaction: what waited for the lock came later.
    moment := timezone('UTC', clock_timestamp());
    RETURN QUERY
    SELECT wanted.id, false, product.stock, product.stock
    FROM (
        SELECT id, sum(delta) AS delta FROM unnest(p_products, p_deltas) AS each (id, delta)
        GROUP BY id
    ) AS wanted
    LEFT JOIN public.products AS product ON product.id = wanted.id AND product.store_id = p_store_id
    WHERE product.id IS NULL
       OR wanted.delta <> 0 AND product.stock + wanted.delta NOT BETWEEN 0 AND largest
    ORDER BY 1;
    IF FOUND THEN
        RETURN;
    END IF;
    -- For the trigger that refuses everybody else; whatever fails here takes it back.
    PERFORM set_config('vek1_api.moves_stock', 'on', true);
    RETURN QUERY
    WITH moved AS (
        UPDATE public.products AS product SET stock = product.stock + wanted.delta
        FROM (
            SELECT id, sum(delta)::int AS delta
            FROM unnest(p_products, p_deltas) AS each (id, delta) GROUP BY id
        ) AS wanted
        WHERE product.id = wanted.id AND product.store_id = p_store_id AND wanted.delta <> 0
          AND product.stock::bigint + wanted.delta BETWEEN 0 AND largest
        RETURNING product.id, wanted.delta, product.stock
    ), movement AS (
        INSERT INTO public.stock_movements
            (store_id, product_id, delta, reason, order_id, external_id, payload, created_at)
        SELECT p_store_id, each.id, each.delta, p_reason, p_order_id,
               coalesce(each.external_id, p_external_id), coalesce(each.payload, p_payload),
               -- Those of one product have an order.
               moment + interval '1 microsecond'
                   * row_number() OVER (PARTITION BY each.id ORDER BY each.place)
        FROM unnest(p_products, p_deltas, p_external_ids, p_payloads)
            WITH ORDINALITY AS each (id, delta, external_id, payload, place)
        WHERE each.delta <> 0 ORDER BY each.id, each.place
    )
    SELECT id, true, stock - delta, stock FROM moved ORDER BY id;
    PERFORM set_config('vek1_api.moves_stock', 'off', true);
END $$;

-- Units that left or came after a moment, of which the level of that moment knows nothing: our
-- own, and an ERP's deltas by the ERP's own clock. A first stock is itself a level; what the
-- doctor wrote down never moved. A level that was received before its moment comes from a clock
-- that is ahead: what moved here after `p_received` came later all the same.
DROP FUNCTION IF EXISTS vek1_api.stock_moved_since(uuid, timestamptz);
CREATE OR REPLACE FUNCTION vek1_api.stock_moved_since(
    p_product_id uuid, p_moment timestamptz, p_received timestamptz DEFAULT NULL
)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(delta), 0) FROM public.stock_movements AS moved
        WHERE product_id = p_product_id
          -- An ERP's clock may be this much ahead (vek1_api.receive_stock).
          AND created_at > timezone('UTC', p_moment) - interval '5 minutes'
          AND CASE
              WHEN reason <> 'inbound_sync' THEN
                  created_at > timezone('UTC', least(p_moment, p_received))
                  AND coalesce(payload ->> 'source', '') NOT IN ('opening', 'doctor')
              WHEN payload ->> 'kind' = 'delta' THEN
                  (payload ->> 'occurred_at')::timestamptz > p_moment
              ELSE false END
    );
END $$;

-- Takes a batch of an ERP: levels and deltas, in their order, each with a verdict of its own; the
-- rest is applied. One batch of a store at a time. A dry run does the same, writes nothing but
-- the plan. Items with a `ground` (the product and stock that a plan saw) are refused once that has
-- moved. Nothing changes, and `is_held` says so, where too much of the catalogue would change or
-- be sold out at once, unless it is forced.
CREATE OR REPLACE FUNCTION vek1_api.receive_stock(
    p_store_id uuid, p_items jsonb, p_is_dry_run boolean, p_is_forced boolean
)
RETURNS TABLE (is_held boolean, changed int, sold_out int, catalogue int, in_stock int,
               plan_id uuid, summary text, verdicts text)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
#variable_conflict use_variable
DECLARE
    largest CONSTANT int := 1000000000;
    ahead CONSTANT interval := '5 minutes';  -- As far as an ERP's clock may be wrong.
    candidates uuid[];
    received timestamptz;
    said_at timestamptz;            -- Of the last item that came without a moment of its own.
    guard record;
    item record;
    status text;
    code text;
    message text;
    -- The product that the loop is at.
    product uuid;
    stock int;
    final bigint;
    level_at timestamptz;           -- Of the last level that its ERP gave.
    first_of_product int;           -- Where its items of this batch begin in `made_*`.
    first_time int;                 -- Where among those an item of the same `external_id` is.
    -- What becomes of each item.
    n int := 0;
    places int[] := '{}';
    targets uuid[] := '{}';
    statuses text[] := '{}';
    codes text[] := '{}';
    messages text[] := '{}';
    befores int[] := '{}';
    afters int[] := '{}';
    -- What is to be written: accepted items, and the last level of each product.
    made int := 0;
    made_products uuid[] := '{}';
    made_deltas int[] := '{}';
    made_levels int[] := '{}';
    made_said int[] := '{}';        -- The delta that was said, null of a level.
    made_times timestamptz[] := '{}';
    made_keys text[] := '{}';
    made_befores int[] := '{}';
    made_payloads jsonb[] := '{}';
    said int := 0;
    said_products uuid[] := '{}';
    said_levels int[] := '{}';
    said_times timestamptz[] := '{}';
    said_keys text[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(
        hashtextextended(format('vek1_api.receive_stock:%s', p_store_id), 0));
    SELECT array_agg(DISTINCT named.id) INTO candidates
    FROM jsonb_to_recordset(p_items) AS sent (product_id uuid, product_integration_id text)
    LEFT JOIN vek1_api.product_keys AS known
        ON known.store_id = p_store_id
       AND known.product_integration_id = sent.product_integration_id
    CROSS JOIN LATERAL (VALUES (sent.product_id), (known.product_id)) AS named (id)
    WHERE named.id IS NOT NULL;
    PERFORM FROM public.products AS it
    WHERE it.id = ANY (candidates) AND it.store_id = p_store_id
    ORDER BY it.id FOR NO KEY UPDATE;
    received := clock_timestamp();
    said_at := received;

    FOR item IN
        WITH sent AS MATERIALIZED (
            SELECT * FROM ROWS FROM (jsonb_to_recordset(p_items) AS (
                product_id uuid, product_integration_id text, stock numeric, delta numeric,
                external_id text, occurred_at timestamptz, ground jsonb
            )) WITH ORDINALITY AS each (
                id, integration_id, level, delta, external_id, at, ground, place)
        )
        SELECT sent.*, it.id AS target, it.stock AS stock_now, last.occurred_at AS level_at,
               trunc(coalesce(sent.level, sent.delta)) AS amount,
               CASE WHEN sent.level IS NOT NULL AND sent.at IS NOT NULL AND it.id IS NOT NULL
                    THEN vek1_api.stock_moved_since(
                        it.id, sent.at,
                        CASE WHEN last.occurred_at = sent.at THEN last.received_at END)
                    ELSE 0 END AS moved_since,
               sent.external_id IS NOT NULL AND row_number() OVER same > 1 AS is_repeated,
               once.before AS once_before, once.after AS once_after,
               CASE
                   WHEN sent.id IS NOT NULL AND sent.integration_id IS NOT NULL
                        AND coalesce(it.id, known.product_id) IS NOT NULL
                        AND known.product_id IS DISTINCT FROM it.id THEN 'ids_disagree'
                   WHEN it.id IS NULL THEN 'not_found'
                   WHEN once.external_id IS NOT NULL AND (once.product_id, once.level, once.delta)
                        IS DISTINCT FROM (it.id, sent.level, sent.delta) THEN 'reused'
                   WHEN once.external_id IS NOT NULL THEN 'known'
                   WHEN sent.external_id IS NOT NULL AND (it.id, sent.level, sent.delta)
                        IS DISTINCT FROM (first_value(it.id) OVER same,
                            first_value(sent.level) OVER same,
                            first_value(sent.delta) OVER same) THEN 'reused'
                   WHEN sent.at > received + ahead THEN 'future'
                   WHEN coalesce(sent.level, sent.delta)
                        <> trunc(coalesce(sent.level, sent.delta)) THEN 'fraction'
                   WHEN abs(coalesce(sent.level, sent.delta)) > largest THEN 'too_large'
                   WHEN sent.ground IS NOT NULL AND (
                       (sent.ground ->> 'product_id')::uuid IS DISTINCT FROM it.id
                       OR (sent.ground ->> 'stock')::int IS DISTINCT FROM it.stock) THEN 'moved'
               END AS problem
        FROM sent
        LEFT JOIN vek1_api.product_keys AS known
            ON known.store_id = p_store_id AND known.product_integration_id = sent.integration_id
        LEFT JOIN public.products AS it
            ON it.id = coalesce(sent.id, known.product_id) AND it.store_id = p_store_id
           AND it.id = ANY (candidates)  -- Only those are locked.
        LEFT JOIN vek1_api.erp_levels AS last ON last.product_id = it.id
        LEFT JOIN vek1_api.erp_keys AS once
            ON once.store_id = p_store_id AND once.external_id = sent.external_id
        -- What names no product takes no id from others.
        WINDOW same AS (PARTITION BY sent.external_id, it.id IS NULL ORDER BY sent.place)
        ORDER BY it.id, sent.place
    LOOP
        IF item.target IS DISTINCT FROM product THEN
            product := item.target;
            stock := item.stock_now;
            level_at := item.level_at;
            first_of_product := made + 1;
        END IF;
        code := NULL;
        message := NULL;
        n := n + 1;
        places[n] := item.place;
        targets[n] := item.target;
        befores[n] := stock;
        afters[n] := stock;
        IF item.is_repeated AND item.problem IS NULL THEN
            -- Only what had its effect: what was refused further up is judged anew.
            first_time := first_of_product - 1
                + array_position(made_keys[first_of_product:made], item.external_id);
            IF first_time IS NOT NULL THEN
                item.problem := 'known';
                item.once_before := made_befores[first_time];
                item.once_after := made_befores[first_time] + made_deltas[first_time];
            END IF;
        END IF;
        IF item.problem IS NULL THEN
            final := item.amount + CASE WHEN item.level IS NULL THEN stock
                ELSE item.moved_since + CASE WHEN item.at IS NULL OR first_of_product > made THEN 0
                    ELSE (SELECT coalesce(sum(it.delta), 0)
                          FROM unnest(made_said[first_of_product:made],
                                      made_times[first_of_product:made]) AS it (delta, at)
                          WHERE it.at > item.at) END END;
            -- A level in the ERP's own last second may come second; a delta is already in it.
            IF item.level IS NULL AND item.at <= level_at OR item.at < level_at THEN
                status := 'stale';
                message := format('The ERP gave a level of %s.', level_at);
            ELSE
                IF item.at IS NULL THEN
                    -- After all that was said before it, also by a clock that is ahead.
                    said_at := greatest(said_at, level_at) + interval '1 microsecond';
                    item.at := said_at;
                END IF;
                IF item.level IS NOT NULL THEN
                    level_at := item.at;
                    IF said = 0 OR said_products[said] <> product THEN
                        said := said + 1;
                    END IF;
                    said_products[said] := product;
                    said_levels[said] := item.amount;
                    said_times[said] := level_at;
                    said_keys[said] := item.external_id;
                END IF;
                IF final < 0 THEN
                    status := 'rejected';
                    code := 'negative_stock';
                    message := format('The stock would be %s.', final);
                ELSIF final > largest THEN
                    status := 'rejected';
                    code := 'invalid';
                    message := format('The stock would be more than %s.', largest);
                ELSE
                    status := CASE WHEN final = stock THEN 'unchanged' ELSE 'applied' END;
                    made := made + 1;
                    made_products[made] := product;
                    made_deltas[made] := final - stock;
                    made_levels[made] := CASE WHEN item.level IS NOT NULL THEN item.amount END;
                    made_said[made] := CASE WHEN item.level IS NULL THEN item.amount END;
                    made_times[made] := item.at;
                    made_keys[made] := item.external_id;
                    made_befores[made] := stock;
                    made_payloads[made] := jsonb_build_object(
                        'source', 'erp',
                        'kind', CASE WHEN item.level IS NULL THEN 'delta' ELSE 'level' END,
                        'said', item.amount::int, 'occurred_at', item.at);
                    stock := final;
                    afters[n] := stock;
                END IF;
            END IF;
        ELSE
            CASE item.problem
                WHEN 'not_found' THEN
                    status := 'not_found';
                    code := 'product_not_found';
                    message := 'No product of this store has this id.';
                WHEN 'known' THEN
                    status := 'duplicate';
                    befores[n] := coalesce(item.once_before, stock);
                    afters[n] := coalesce(item.once_after, stock);
                WHEN 'reused' THEN
                    status := 'duplicate';
                    code := 'conflict';
                    message := 'This external_id was another change; that one stands.';
                ELSE
                    status := 'rejected';
                    code := CASE WHEN item.problem IN ('ids_disagree', 'moved')
                            THEN 'conflict' ELSE 'invalid' END;
                    message := CASE item.problem
                        WHEN 'ids_disagree' THEN
                            'product_id and product_integration_id name different products.'
                        WHEN 'moved' THEN format(
                            'The plan saw a stock of %s; it is %s now.',
                            coalesce(item.ground ->> 'stock', 'nothing'), item.stock_now)
                        WHEN 'future' THEN 'occurred_at is more than five minutes ahead.'
                        WHEN 'fraction' THEN 'Stock is counted in whole units.'
                        ELSE format('At most %s units can be counted.', largest) END;
            END CASE;
        END IF;
        statuses[n] := status;
        codes[n] := code;
        messages[n] := message;
    END LOOP;

    SELECT count(*) FILTER (WHERE moved <> 0),
           count(*) FILTER (WHERE moved <> 0 AND was + moved = 0)
    INTO changed, sold_out
    FROM (
        SELECT sum(each.delta) AS moved, (array_agg(each.before ORDER BY each.place))[1] AS was
        FROM unnest(made_products, made_deltas, made_befores)
            WITH ORDINALITY AS each (id, delta, before, place)
        GROUP BY each.id
    ) AS products;
    is_held := false;
    SELECT coalesce(min(it.hold_above_percent), 50) AS percent,
           coalesce(min(it.hold_from_products), 10) AS products
    INTO guard FROM vek1_api.stock_guard AS it WHERE it.store_id = p_store_id;
    IF changed >= guard.products THEN
        SELECT count(*), count(*) FILTER (WHERE it.stock > 0) INTO catalogue, in_stock
        FROM public.products AS it WHERE it.store_id = p_store_id;
        is_held := changed * 100::bigint > catalogue * guard.percent
            OR sold_out >= guard.products
               AND sold_out * 100::bigint > in_stock * guard.percent;
    END IF;

    IF p_is_dry_run THEN
        DELETE FROM vek1_api.stock_plans AS it
        WHERE it.store_id = p_store_id AND it.created_at < received - interval '1 day';
        INSERT INTO vek1_api.stock_plans AS it (store_id, items)
        SELECT p_store_id, coalesce(jsonb_agg(sent.item || jsonb_build_object('ground',
                   jsonb_build_object('product_id', ground.id, 'stock', now.stock))
                   ORDER BY sent.place), '[]')
        FROM jsonb_array_elements(p_items) WITH ORDINALITY AS sent (item, place)
        JOIN unnest(places, targets) AS ground (place, id) ON ground.place = sent.place
        LEFT JOIN public.products AS now ON now.id = ground.id
        RETURNING it.id INTO plan_id;
    ELSIF NOT is_held OR p_is_forced THEN
        PERFORM FROM vek1_api.move_stock(
            p_store_id, made_products, made_deltas, 'inbound_sync',
            p_external_ids => made_keys, p_payloads => made_payloads);
        INSERT INTO vek1_api.erp_keys
            (store_id, external_id, product_id, level, delta, before, after, received_at)
        SELECT p_store_id, it.key, it.id, it.level, it.said, it.before, it.before + it.delta, received
        FROM unnest(made_keys, made_products, made_levels, made_said, made_befores, made_deltas)
            AS it (key, id, level, said, before, delta)
        WHERE it.key IS NOT NULL;
        INSERT INTO vek1_api.erp_levels AS known
            (product_id, store_id, level, occurred_at, received_at, external_id)
        SELECT it.id, p_store_id, it.level, it.at, received, it.key
        FROM unnest(said_products, said_levels, said_times, said_keys) AS it (id, level, at, key)
        ON CONFLICT (product_id) DO UPDATE
        SET store_id = excluded.store_id, level = excluded.level,
            occurred_at = excluded.occurred_at, external_id = excluded.external_id,
            -- The first time that this moment was told of: it cannot have been later.
            received_at = CASE WHEN known.occurred_at = excluded.occurred_at
                               THEN known.received_at ELSE excluded.received_at END;
    END IF;

    SELECT json_build_object(
               'applied', count(*) FILTER (WHERE it.status = 'applied'),
               'unchanged', count(*) FILTER (WHERE it.status = 'unchanged'),
               'duplicate', count(*) FILTER (WHERE it.status = 'duplicate'),
               'stale', count(*) FILTER (WHERE it.status = 'stale'),
               'not_found', count(*) FILTER (WHERE it.status = 'not_found'),
               'rejected', count(*) FILTER (WHERE it.status = 'rejected')),
           json_agg(json_build_object(
               'product_integration_id', sent.item -> 'product_integration_id',
               'product_id', coalesce(it.target::text, sent.item ->> 'product_id'),
               'external_id', sent.item -> 'external_id',
               'status', it.status, 'before', it.before, 'after', it.after,
               'code', it.code, 'message', it.message) ORDER BY it.place)
    INTO summary, verdicts
    FROM unnest(places, targets, statuses, codes, messages, befores, afters)
        AS it (place, target, status, code, message, before, after)
    JOIN jsonb_array_elements(p_items) WITH ORDINALITY AS sent (item, place)
        ON sent.place = it.place;
    RETURN NEXT;
END $$;

-- Up to where a poller may read products by updated_at and miss nothing: no transaction that runs
-- now can still write an earlier one. An updated_at is the clock of its writing, never before its
-- transaction began; one that has written nothing yet (a dump, a report) holds nobody up. The
-- two seconds are for transactions whose beginning this role may not see.
CREATE OR REPLACE FUNCTION vek1_api.settled_until() RETURNS timestamp
LANGUAGE sql VOLATILE AS $$
    SELECT timezone('UTC', least(clock_timestamp() - interval '2 seconds', min(xact_start)))
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
$$;


---------------------------------------------------------------------------------------------
-- Leads: one person, one lead, per store and channel. lead_identity's primary key decides, and
-- contact_id is the one place that knows which spellings mean the same person.
---------------------------------------------------------------------------------------------

-- The canonical form of an id: of a phone its digits with country code and, for a Brazilian
-- mobile, the ninth digit; of a WhatsApp @lid that lid; of a website's user their id as it is.
-- Never refuses: what is no phone stays what it is.
CREATE OR REPLACE FUNCTION vek1_api.contact_id(channel text, raw text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- The area codes of Brazil (Anatel).
    area CONSTANT text := '(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])';
    national CONSTANT text := area || '(?:9[0-9]{8}|[2-9][0-9]{7})';
    plain CONSTANT text := lower(btrim(raw));
    id text;
    digits text;
    is_international boolean;
BEGIN
    IF channel <> 'whatsapp' THEN
        RETURN btrim(raw);
    END IF;
    -- Pasted text brings marks of direction, other digits, spaces and hyphens.
    id := lower(btrim(translate(normalize(raw, NFKC),
        U&'\200B\200C\200D\200E\200F\202A\202B\202C\202D\202E\2060\2066\2067\2068\2069\FEFF', '')));
    IF id ~ '^[^@:]+(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)$' THEN
        -- A JID names a device after a colon: 5531999999999:12@s.whatsapp.net
        id := split_part(split_part(id, '@', 1), ':', 1);
        is_international := true;
    ELSIF position('@' IN id) > 0 THEN
        RETURN regexp_replace(plain, '^([^@:]+):[0-9]+@', '\1@');
    ELSE
        id := btrim(regexp_replace(id, '^(?:whatsapp|tel|phone|sms):(?://)?', ''));
        is_international := left(id, 1) = '+';
    END IF;
    IF id !~ U&'^[0-9 +()./;,\2010-\2015\2212-]+$' OR id !~ '[0-9]' THEN
        RETURN plain;
    END IF;
    digits := regexp_replace(id, '[^0-9]', '', 'g');
    IF NOT is_international AND digits ~ '^00[1-9]' THEN
        digits := substr(digits, 3);
        is_international := true;
    END IF;
    IF digits ~ ('^550' || national || '$') THEN
        digits := '55' || substr(digits, 4);  -- +55 (031) ...
    END IF;
    IF NOT is_international THEN
        -- As a person writes it: 0 31 ..., 0 15 31 ... through an operator, (31) ...
        digits := regexp_replace(digits, '^0[1-9][0-9](' || national || ')$', '\1');
        digits := regexp_replace(digits, '^0+(?=[1-9])', '');
        IF digits ~ ('^' || national || '$') THEN
            digits := '55' || digits;
        END IF;
    ELSIF digits ~ ('^(?:0+[1-9].*|' || national || ')$') THEN
        -- A foreign number that reads like a Brazilian one keeps the mark that it is not.
        RETURN '+' || digits;
    END IF;
    IF digits ~ ('^55' || area || '[6-9][0-9]{7}$') THEN
        digits := left(digits, 4) || '9' || substr(digits, 5);
    END IF;
    RETURN digits;
END $$;

-- A new id whose order is that of arrival (UUID version 7, RFC 9562, microseconds kept).
CREATE OR REPLACE FUNCTION vek1_api.arrival_id() RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
DECLARE
    microseconds CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    random CONSTANT bytea := uuid_send(gen_random_uuid());
BEGIN
    RETURN encode(
        substring(int8send(microseconds / 1000) FROM 3)
        || int2send((28672 + microseconds % 1000 * 4 + get_byte(random, 0) % 4)::smallint)
        || substring(random FROM 9), 'hex')::uuid;
END $$;

-- The leads that ids, of old too, and contacts name; in the order of their ids.
CREATE OR REPLACE FUNCTION vek1_api.leads_named(
    p_store_id uuid, p_leads uuid[], p_channels text[], p_contacts text[]
)
RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT coalesce(
            (SELECT into_id FROM vek1_api.lead_merges WHERE lead_id = named.id), named.id) AS id
        FROM unnest(p_leads) AS named (id)
        UNION
        SELECT known.lead_id
        FROM unnest(p_channels, p_contacts) AS given (channel, contact)
        CROSS JOIN LATERAL (
            SELECT lead_id FROM vek1_api.lead_identity
            WHERE lead_identity.store_id = p_store_id AND lead_identity.channel = given.channel
              AND identity = vek1_api.contact_id(given.channel, contact) LIMIT 1
        ) AS known
        ORDER BY 1);
END $$;

-- Keeps leads that a batch names as they are, in the order in which all others do it too: who
-- keeps several one by one waits crosswise. All are let go, and looked for again, if one of them
-- was joined to another meanwhile.
CREATE OR REPLACE FUNCTION vek1_api.hold_leads(
    p_store_id uuid, p_leads uuid[], p_channels text[], p_contacts text[],
    p_to_join boolean
)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    named uuid[];
BEGIN
    LOOP
        BEGIN
            named := vek1_api.leads_named(p_store_id, p_leads, p_channels, p_contacts);
            IF p_to_join THEN  -- At once as firmly as is needed in the end; orders before leads.
                PERFORM FROM public.orders WHERE lead_id = ANY (named) AND store_id = p_store_id
                ORDER BY id FOR UPDATE;
                PERFORM FROM public.leads WHERE store_id = p_store_id AND id = ANY (named)
                ORDER BY id FOR UPDATE;
            ELSE
                PERFORM FROM public.leads WHERE store_id = p_store_id AND id = ANY (named)
                ORDER BY id FOR NO KEY UPDATE;
            END IF;
            IF named = vek1_api.leads_named(p_store_id, p_leads, p_channels, p_contacts) THEN
                RETURN;
            END IF;
            RAISE SQLSTATE 'VK001';
        EXCEPTION WHEN SQLSTATE 'VK001' THEN
            NULL;  -- What was locked in here is not any more.
        END;
    END LOOP;
END $$;

-- Joins one lead to another of its store: all it did, all it is known by; its id goes on
-- resolving. What the other does not know it learns. Both are locked in the order of their ids.
CREATE OR REPLACE FUNCTION vek1_api.merge_leads(p_from uuid, p_into uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    gone record;
    newest int;
BEGIN
    -- Orders before leads, as everywhere.
    PERFORM FROM public.orders WHERE lead_id = p_from ORDER BY id FOR UPDATE;
    PERFORM FROM public.leads WHERE id IN (p_from, p_into) ORDER BY id FOR UPDATE;
    SELECT * INTO gone FROM public.leads WHERE id = p_from;
    IF NOT FOUND OR p_from = p_into THEN
        RETURN;
    END IF;
    UPDATE public.lead_events SET lead_id = p_into WHERE lead_id = p_from;
    UPDATE public.messages_history SET lead_id = p_into WHERE lead_id = p_from;
    UPDATE public.orders SET lead_id = p_into WHERE lead_id = p_from;
    UPDATE vek1_api.lead_identity SET lead_id = p_into WHERE lead_id = p_from;
    SELECT coalesce(max(version), 0) INTO newest FROM vek1_api.lead_profiles WHERE lead_id = p_from;
    -- The kept lead's own memory stays the newest.
    UPDATE vek1_api.lead_profiles SET version = version + newest + 1000000 WHERE lead_id = p_into;
    UPDATE vek1_api.lead_profiles SET lead_id = p_into WHERE lead_id = p_from;
    UPDATE vek1_api.lead_profiles SET version = version - 1000000
    WHERE lead_id = p_into AND version > 1000000;
    UPDATE vek1_api.lead_vectors SET version = version + newest WHERE lead_id = p_into;
    UPDATE vek1_api.lead_vectors SET lead_id = p_into
    WHERE lead_id = p_from
      AND NOT EXISTS (SELECT FROM vek1_api.lead_vectors WHERE lead_id = p_into);
    INSERT INTO vek1_api.lead_contact AS it (lead_id, reply_to, at)
    SELECT p_into, reply_to, at FROM vek1_api.lead_contact WHERE lead_id = p_from
    ON CONFLICT (lead_id) DO UPDATE SET reply_to = excluded.reply_to, at = excluded.at
    WHERE it.at < excluded.at;
    UPDATE vek1_api.lead_merges SET into_id = p_into WHERE into_id = p_from;
    INSERT INTO vek1_api.lead_merges (lead_id, into_id) VALUES (p_from, p_into)
    ON CONFLICT (lead_id) DO UPDATE SET into_id = excluded.into_id;
    UPDATE public.leads AS kept SET
        name = coalesce(kept.name, gone.name),
        email = coalesce(kept.email, gone.email),
        phone_number = coalesce(kept.phone_number, gone.phone_number),
        phone_confirmed = kept.phone_confirmed
            OR (gone.phone_confirmed AND kept.phone_number IS NULL),
        street_address = coalesce(kept.street_address, gone.street_address),
        address_number = coalesce(kept.address_number, gone.address_number),
        complement = coalesce(kept.complement, gone.complement),
        neighborhood = coalesce(kept.neighborhood, gone.neighborhood),
        postal_code = coalesce(kept.postal_code, gone.postal_code),
        city = coalesce(kept.city, gone.city),
        state = coalesce(kept.state, gone.state),
        notes = nullif(left(concat_ws(E'\n', kept.notes, gone.notes), 2000), ''),
        custom_attributes = gone.custom_attributes || kept.custom_attributes,
        preferences = gone.preferences || kept.preferences,
        interests = CASE WHEN kept.interests = '[]' THEN gone.interests ELSE kept.interests END,
        profile_embedding = CASE WHEN kept.profile_summary IS NULL THEN gone.profile_embedding
                                 ELSE kept.profile_embedding END,
        profile_updated_at = CASE WHEN kept.profile_summary IS NULL THEN gone.profile_updated_at
                                  ELSE kept.profile_updated_at END,
        profile_summary = coalesce(kept.profile_summary, gone.profile_summary),
        total_messages = kept.total_messages + gone.total_messages,
        total_purchases = kept.total_purchases + gone.total_purchases,
        total_spent_cents = kept.total_spent_cents + gone.total_spent_cents,
        first_contact_at = least(kept.first_contact_at, gone.first_contact_at),
        last_contact_at = greatest(kept.last_contact_at, gone.last_contact_at)
    WHERE kept.id = p_into;
    DELETE FROM public.leads WHERE id = p_from;
END $$;

-- The lead that these ids mean, made if there is none: one path for everybody, safe at once with
-- itself. The first id is the one that the lead shows; all of them mean this person from now on.
-- Ids of two leads join them: the older one stays, `joined` are the others.
-- It is kept as it is: of many, so far that it stays, until all of them are kept in one order.
DROP FUNCTION IF EXISTS vek1_api.upsert_lead(uuid, text, text[], text);
CREATE OR REPLACE FUNCTION vek1_api.upsert_lead(
    p_store_id uuid, p_channel text, p_ids text[], p_reply_to text DEFAULT NULL,
    p_is_of_many boolean DEFAULT false
)
RETURNS TABLE (lead_id uuid, is_new boolean, joined uuid[])
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    ids CONSTANT text[] := ARRAY(
        SELECT vek1_api.contact_id(p_channel, raw) FROM unnest(p_ids) AS raw);
    mine CONSTANT uuid := gen_random_uuid();
    found uuid[];
    kept uuid;
BEGIN
    LOOP
        SELECT array_agg(DISTINCT known.lead_id), count(*) = cardinality(ids)
        INTO found, is_new
        FROM unnest(ids) AS wanted CROSS JOIN LATERAL (
            -- One id at a time: a plan from when the table was small would read the whole store.
            SELECT lead_id FROM vek1_api.lead_identity
            WHERE store_id = p_store_id AND channel = p_channel AND identity = wanted LIMIT 1
        ) AS known;
        -- Somebody who is known by all of these ids already: the usual case takes no lock.
        IF NOT (cardinality(found) = 1 AND is_new) THEN
            -- In one order, so that two of these never wait crosswise; whoever was first has an id.
            INSERT INTO vek1_api.lead_identity (store_id, channel, identity, lead_id)
            SELECT DISTINCT p_store_id, p_channel, id, coalesce(found[1], mine)
            FROM unnest(ids) AS id ORDER BY id
            ON CONFLICT DO NOTHING;
            SELECT array_agg(DISTINCT known.lead_id) INTO found
            FROM unnest(ids) AS wanted CROSS JOIN LATERAL (
                -- One id at a time: a plan from when the table was small would read the whole store.
                SELECT lead_id FROM vek1_api.lead_identity
                WHERE store_id = p_store_id AND channel = p_channel AND identity = wanted LIMIT 1
            ) AS known;
        END IF;
        is_new := found = ARRAY[mine];
        IF is_new THEN
            INSERT INTO public.leads (id, store_id, channel, external_id)
            VALUES (mine, p_store_id, p_channel, ids[1]);
            kept := mine;
        ELSE
            -- Whoever is found is not erased or joined to another before this transaction ends.
            IF cardinality(found) > 1 THEN
                PERFORM vek1_api.hold_leads(
                    p_store_id, '{}', array_fill(p_channel, ARRAY[cardinality(ids)]), ids, true);
                found := vek1_api.leads_named(
                    p_store_id, '{}', array_fill(p_channel, ARRAY[cardinality(ids)]), ids);
            END IF;
            IF p_is_of_many THEN
                SELECT id INTO kept FROM public.leads WHERE id = ANY (found)
                ORDER BY created_at, id LIMIT 1 FOR KEY SHARE;
            ELSE  -- As firmly as the changes need it that follow: a lock that grows waits crosswise.
                SELECT id INTO kept FROM public.leads WHERE id = ANY (found)
                ORDER BY created_at, id LIMIT 1 FOR NO KEY UPDATE;
            END IF;
            IF kept IS NULL THEN
                -- All of them were erased while this waited: the ids are nobody's again.
                DELETE FROM vek1_api.lead_identity
                WHERE store_id = p_store_id AND channel = p_channel AND identity = ANY (ids)
                  AND lead_id = ANY (found) AND NOT EXISTS (
                      SELECT FROM public.leads WHERE id = lead_identity.lead_id);
                CONTINUE;
            END IF;
            IF cardinality(found) > 1 THEN
                -- Of what was written above, too, for who was joined to another meanwhile.
                UPDATE vek1_api.lead_identity AS known SET lead_id = kept
                WHERE known.store_id = p_store_id AND known.channel = p_channel
                  AND known.identity = ANY (ids) AND known.lead_id <> kept;
                joined := ARRAY(SELECT id FROM public.leads WHERE id = ANY (found) AND id <> kept);
                PERFORM vek1_api.merge_leads(twin, kept) FROM unnest(joined) AS twin;
            END IF;
        END IF;
        EXIT;
    END LOOP;
    -- Not even locked where there is nothing to change.
    IF p_reply_to IS NOT NULL AND NOT EXISTS (
        SELECT FROM vek1_api.lead_contact AS it
        WHERE it.lead_id = kept AND it.reply_to = p_reply_to
    ) THEN
        INSERT INTO vek1_api.lead_contact AS it (lead_id, reply_to) VALUES (kept, p_reply_to)
        ON CONFLICT (lead_id) DO UPDATE SET reply_to = excluded.reply_to, at = now()
        WHERE it.reply_to <> excluded.reply_to;
    END IF;
    lead_id := kept;
    RETURN NEXT;
END $$;

-- Whoever adds a lead: its id is known from then on.
CREATE OR REPLACE FUNCTION vek1_api.leads_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.lead_identity') IS NOT NULL THEN
        INSERT INTO vek1_api.lead_identity (store_id, channel, identity, lead_id)
        SELECT store_id, channel, vek1_api.contact_id(channel, external_id), id FROM fresh
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.lead_identity') IS NOT NULL THEN
        DELETE FROM vek1_api.lead_identity WHERE lead_id = OLD.id;
        DELETE FROM vek1_api.lead_contact WHERE lead_id = OLD.id;
        DELETE FROM vek1_api.lead_profiles WHERE lead_id = OLD.id;
        DELETE FROM vek1_api.lead_vectors WHERE lead_id = OLD.id;
        DELETE FROM vek1_api.lead_merges WHERE into_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

-- What a person said is counted and can be found, whoever wrote it down.
CREATE OR REPLACE FUNCTION vek1_api.messages_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.leads SET
        total_messages = leads.total_messages + said.messages,
        last_contact_at = greatest(leads.last_contact_at, said.latest),
        first_contact_at = least(leads.first_contact_at, said.earliest)
    FROM (
        SELECT lead_id, count(*) AS messages, max("timestamp") AS latest,
               min("timestamp") AS earliest
        FROM fresh WHERE role = 'user' AND lead_id IS NOT NULL GROUP BY lead_id
    ) AS said
    WHERE leads.id = said.lead_id;
    IF to_regclass('vek1_api.message_terms') IS NOT NULL THEN
        INSERT INTO vek1_api.message_terms (message_id, store_id, terms)
        SELECT id, store_id, vek1_api.portuguese_terms(content) FROM fresh
        WHERE store_id IS NOT NULL AND role <> 'debug' AND content <> ''
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.messages_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.leads SET total_messages = greatest(leads.total_messages - said.messages, 0)
    FROM (
        SELECT lead_id, count(*) AS messages FROM stale
        WHERE role = 'user' AND lead_id IS NOT NULL GROUP BY lead_id
    ) AS said
    WHERE leads.id = said.lead_id;
    IF to_regclass('vek1_api.message_terms') IS NOT NULL THEN
        DELETE FROM vek1_api.message_terms AS terms USING stale WHERE terms.message_id = stale.id;
        DELETE FROM vek1_api.message_key AS known USING stale WHERE known.message_id = stale.id;
    END IF;
    RETURN NULL;
END $$;


-- The leads whose profiles are nearest to a question, of one store, with ordinary filters
-- beside it. Exact while the store has few profiles; else by the index, and exact again should
-- the filters leave fewer than asked for.
CREATE OR REPLACE FUNCTION vek1_api.search_leads(
    p_store_id uuid,
    p_model_id smallint,
    p_embedding public.vector,
    p_status text,
    p_channel text,
    p_city text,
    p_from timestamp,
    p_to timestamp,
    p_limit int
)
RETURNS TABLE (lead_id uuid, similarity double precision)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 800
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    exact_below CONSTANT int := 25000;
    profiles CONSTANT int := (
        SELECT count(*) FROM (
            SELECT FROM vek1_api.lead_vectors
            WHERE store_id = p_store_id AND model_id = p_model_id LIMIT exact_below + 1
        ) AS counted);
    near_leads uuid[];
    near_similarities double precision[];
BEGIN
    -- The first time by the index, if there are many; the second time, should the filters have
    -- left too few, exact: "+ 0" keeps the planner from the approximate index.
    IF profiles > exact_below THEN
        SELECT array_agg(near.lead_id), array_agg(1 - near.distance)
        INTO near_leads, near_similarities
        FROM (
            SELECT v.lead_id, v.embedding <=> p_embedding AS distance
            FROM vek1_api.lead_vectors AS v JOIN public.leads ON leads.id = v.lead_id
            WHERE v.store_id = p_store_id AND v.model_id = p_model_id
              AND (p_status IS NULL OR leads.status = p_status)
              AND (p_channel IS NULL OR leads.channel = p_channel)
              AND (p_city IS NULL OR vek1_api.fold(leads.city) = vek1_api.fold(p_city))
              AND (p_from IS NULL OR leads.last_contact_at >= p_from)
              AND (p_to IS NULL OR leads.last_contact_at < p_to)
            ORDER BY v.embedding <=> p_embedding LIMIT p_limit
        ) AS near;
    END IF;
    IF coalesce(cardinality(near_leads), 0) < least(p_limit, profiles) THEN
        SELECT array_agg(near.lead_id), array_agg(1 - near.distance)
        INTO near_leads, near_similarities
        FROM (
            SELECT v.lead_id, v.embedding <=> p_embedding AS distance
            FROM vek1_api.lead_vectors AS v JOIN public.leads ON leads.id = v.lead_id
            WHERE v.store_id = p_store_id AND v.model_id = p_model_id
              AND (p_status IS NULL OR leads.status = p_status)
              AND (p_channel IS NULL OR leads.channel = p_channel)
              AND (p_city IS NULL OR vek1_api.fold(leads.city) = vek1_api.fold(p_city))
              AND (p_from IS NULL OR leads.last_contact_at >= p_from)
              AND (p_to IS NULL OR leads.last_contact_at < p_to)
            ORDER BY (v.embedding <=> p_embedding) + 0 LIMIT p_limit
        ) AS near;
    END IF;
    RETURN QUERY
    SELECT near.id, near.similarity
    FROM unnest(near_leads, near_similarities) AS near (id, similarity)
    ORDER BY 2 DESC, 1;
END $$;


-- Writes what was said, in the order given, each provider's message once: one that is known is
-- answered with the message it already is. Leads are locked in the order of their ids. Nothing
-- is written, and nothing returned, if a lead or an agent is not of the store.
CREATE OR REPLACE FUNCTION vek1_api.append_messages(p_store_id uuid, p_messages jsonb)
RETURNS TABLE (
    place int, is_new boolean, id uuid, user_id text, store_id uuid, agent_id uuid, lead_id uuid,
    agent_type text, role text, content text, metadata jsonb, "timestamp" timestamp
)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    sent record;
    known uuid;
BEGIN
    IF jsonb_array_length(p_messages) > 1 THEN
        PERFORM vek1_api.hold_leads(p_store_id, ARRAY(
            SELECT (each ->> 'lead_id')::uuid FROM jsonb_array_elements(p_messages) AS each
        ), '{}', '{}', false);
    END IF;
    LOOP
        PERFORM FROM public.leads WHERE leads.id IN (
            SELECT (each ->> 'lead_id')::uuid FROM jsonb_array_elements(p_messages) AS each
        ) ORDER BY leads.id FOR NO KEY UPDATE;
        -- A lead that was joined to another is that other: before, or while this waited.
        EXIT WHEN NOT EXISTS (
            SELECT FROM jsonb_to_recordset(p_messages) AS each (lead_id uuid)
            JOIN vek1_api.lead_merges USING (lead_id));
        p_messages := (
            SELECT jsonb_agg(CASE WHEN into_id IS NULL THEN each
                             ELSE each || jsonb_build_object('lead_id', into_id) END)
            FROM jsonb_array_elements(p_messages) AS each
            LEFT JOIN vek1_api.lead_merges ON lead_id = (each ->> 'lead_id')::uuid);
    END LOOP;
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(p_messages) AS each (lead_id uuid, agent_id uuid)
        LEFT JOIN public.leads ON leads.id = each.lead_id AND leads.store_id = p_store_id
        LEFT JOIN public.agents ON agents.id = each.agent_id AND agents.store_id = p_store_id
        WHERE leads.id IS NULL OR (each.agent_id IS NOT NULL AND agents.id IS NULL)
    ) THEN
        RETURN;
    END IF;
    FOR sent IN
        SELECT * FROM jsonb_to_recordset(p_messages) AS each (
            place int, lead_id uuid, agent_id uuid, role text, content text, metadata jsonb,
            at timestamp, provider_message_id text)
        ORDER BY place
    LOOP
        known := vek1_api.arrival_id();
        is_new := true;
        IF sent.provider_message_id IS NOT NULL THEN
            INSERT INTO vek1_api.message_key AS it (store_id, provider_message_id, message_id)
            VALUES (p_store_id, sent.provider_message_id, known)
            ON CONFLICT DO NOTHING;
            is_new := FOUND;
        END IF;
        IF is_new THEN
            INSERT INTO public.messages_history
                (id, user_id, store_id, agent_id, lead_id, agent_type, role, content, metadata,
                 "timestamp")
            SELECT known, leads.external_id, p_store_id, sent.agent_id, sent.lead_id,
                   coalesce((SELECT type FROM public.agents WHERE agents.id = sent.agent_id), 'none'),
                   sent.role, sent.content, sent.metadata,
                   coalesce(sent.at, clock_timestamp() AT TIME ZONE 'UTC')
            FROM public.leads WHERE leads.id = sent.lead_id;
        ELSE
            SELECT message_id INTO known FROM vek1_api.message_key
            WHERE message_key.store_id = p_store_id
              AND provider_message_id = sent.provider_message_id;
        END IF;
        RETURN QUERY
        SELECT sent.place, is_new, said.id, said.user_id, said.store_id, said.agent_id,
               said.lead_id, said.agent_type, said.role, said.content, said.metadata,
               said."timestamp"
        FROM public.messages_history AS said WHERE said.id = known;
    END LOOP;
END $$;

-- What a person looks for in what was said: every word of it.
CREATE OR REPLACE FUNCTION vek1_api.every_word(question text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET client_min_messages = warning  -- An empty tsquery raises a notice.
AS $$
BEGIN
    RETURN coalesce((
        SELECT string_agg(quote_literal(lexeme), ' & ')
        FROM (
            SELECT DISTINCT ON (place) lexeme FROM vek1_api.portuguese_words(left(question, 500))
            WHERE lexeme <> '' ORDER BY place, weight, length(lexeme) DESC
        ) AS words
    ), '')::tsquery;
END $$;

-- Who was forgotten is known by digests only.
CREATE OR REPLACE FUNCTION vek1_api.identity_digest(p_store_id uuid, p_channel text, p_id text)
RETURNS bytea LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN (SELECT sha256(salt || convert_to(p_channel || E'\n' || vek1_api.contact_id(p_channel, p_id), 'UTF8'))
    FROM vek1_api.store_privacy WHERE store_id = p_store_id);
END $$;

-- Whether what somebody said at a moment was said before they were forgotten.
CREATE OR REPLACE FUNCTION vek1_api.was_erased(
    p_store_id uuid, p_channel text, p_id text, p_at timestamptz
)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM vek1_api.erased_identity
        WHERE store_id = p_store_id AND erased_at >= p_at
          AND digest = vek1_api.identity_digest(p_store_id, p_channel, p_id));
END $$;


---------------------------------------------------------------------------------------------
-- Privacy (LGPD): forgetting a person everywhere at once, and what a store keeps no longer. A
-- new table that holds something about people gets its paragraph in erase_lead or erase_traces;
-- tests/privacy searches every column of every table for what was forgotten.
---------------------------------------------------------------------------------------------

-- The private objects of a store that a JSON value names, by key or by address: proofs, media.
-- The originals of its documents are not about people.
CREATE OR REPLACE FUNCTION vek1_api.objects_named(p_store_id uuid, p_value jsonb)
RETURNS SETOF text LANGUAGE plpgsql STABLE STRICT ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT object.key
    FROM jsonb_path_query(p_value, 'strict $.** ? (@.type() == "string")') AS named (value)
    JOIN vek1_api.stored_objects AS object
      ON object.key = substring(named.value #>> '{}' FROM 'companies/[^?#[:space:]]+')
    -- Whoever wrote the value may have made the name up: another company's are out of reach.
    JOIN public.stores ON stores.id = p_store_id AND stores.company_id = object.company_id
    WHERE object.store_id = p_store_id AND object.state = 'kept'
      AND (object.key LIKE 'companies/%/private/%' OR object.key LIKE 'companies/%/orders/%')
      AND object.key NOT LIKE 'companies/%/private/documents/%';
END $$;

-- A text as numbers are looked for in it: however a phone or a tax id was punctuated.
CREATE OR REPLACE FUNCTION vek1_api.squeezed(input text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(
        lower(input),
        U&'\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19'
        ' ().,;+/-\00A0\200B\200E\200F\2010\2011\2012\2013\2014\2015\202A\202B\202C\202D\202E\2212',
        '0123456789')
$$;

-- What a person is looked for by in any text. Numbers are digits: a Brazilian phone without the
-- country code, with and without its ninth digit. Words are e-mails and ids that nobody says by
-- chance. What is shorter than eight characters, or one digit repeated, marks nobody.
CREATE OR REPLACE FUNCTION vek1_api.marks_of(p_phones text[], p_words text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT mark
        FROM unnest(p_phones) AS phone
        CROSS JOIN LATERAL vek1_api.contact_id('whatsapp', phone) AS contact
        CROSS JOIN LATERAL unnest(CASE
            -- Without the nine, what begins with less than six is a landline of somebody else.
            WHEN contact ~ '^55[0-9]{2}9[6-9][0-9]{7}$' THEN
                ARRAY[substr(contact, 3), substr(contact, 3, 2) || substr(contact, 6)]
            WHEN contact ~ '^55[0-9]{10,11}$' THEN ARRAY[substr(contact, 3)]
            ELSE ARRAY[ltrim(contact, '+')] END) AS mark
        WHERE mark ~ '^[0-9]{8,}$' AND mark !~ '^(.)\1*$'
        UNION
        SELECT mark
        FROM unnest(p_words) AS word
        CROSS JOIN LATERAL lower(btrim(word)) AS plain
        CROSS JOIN LATERAL (SELECT CASE WHEN plain ~ '^[0-9 ./-]+$'
            THEN regexp_replace(plain, '[^0-9]', '', 'g') ELSE plain END) AS each (mark)
        WHERE length(mark) >= 8 AND mark !~ '^(.)\1*$' AND mark ~ '@|([0-9].*){4}');
END $$;

-- Whether a text has one of the marks as a whole number or word: never as a part of a longer one.
CREATE OR REPLACE FUNCTION vek1_api.is_marked(input text, p_marks text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    gap CONSTANT text := U&'[ ().+/\00A0\2010-\2015\2212-]{0,3}';
    -- In JSON a line break is written as two characters; the second is no part of a word.
    plain CONSTANT text := replace(replace(replace(lower(input), '\n', ' '), '\r', ' '), '\t', ' ');
    -- Fewer characters than squeezed has: this reads whatever is kept for a while.
    squeezed CONSTANT text := CASE WHEN octet_length(plain) = length(plain)
        THEN translate(plain, ' ().+/-', '')
        ELSE translate(plain, U&' ().+/-\00A0\2010\2011\2012\2013\2212', '') END;
    mark text;
    pattern text;
BEGIN
    FOREACH mark IN ARRAY p_marks LOOP
        IF mark !~ '[^0-9]' THEN
            CONTINUE WHEN position(mark IN squeezed) = 0;
            -- As a part of no other country's number; after 55, a trunk zero, an operator.
            pattern := '(?<![0-9])(?<!\+[1-9][0-9]{0,3}[ (-]{1,2})(?:0{0,2}55' || gap || ')?(?:0' || gap
                || '(?:[1-9][0-9]' || gap || ')?)?' || regexp_replace(mark, '(.)(?=.)', '\1' || gap, 'g')
                || '(?![0-9])';
        ELSE
            CONTINUE WHEN position(mark IN plain) = 0;
            pattern := regexp_replace(mark, '([^a-z0-9])', '\\\1', 'g');
            pattern := CASE WHEN position('@' IN mark) > 0
                THEN '(?<![[:alnum:]._%+-])' || pattern || '(?![[:alnum:]_%+-]|\.[[:alnum:]])'
                ELSE '(?<![[:alnum:]])' || pattern || '(?![[:alnum:]])' END;
        END IF;
        IF plain ~ pattern THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- Whether a text is about a person: it is marked, or says one of their ids where JSON has ids. An
-- id of a website may be any word.
CREATE OR REPLACE FUNCTION vek1_api.is_about(input text, p_marks text[], p_ids text[])
RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    id text;
BEGIN
    IF vek1_api.is_marked(input, p_marks) THEN
        RETURN true;
    END IF;
    FOREACH id IN ARRAY p_ids LOOP
        IF position(to_json(id)::text IN input) > 0 AND left(input, 1) IN ('{', '[') THEN
            IF jsonb_path_exists(
                input::jsonb,
                '$.** ? (@.external_id == $id || @.user_id == $id || @.reply_to == $id || @.identity == $id)',
                jsonb_build_object('id', id)
            ) THEN
                RETURN true;
            END IF;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- Whether a text says one of the names, as whole words, with accents or without.
CREATE OR REPLACE FUNCTION vek1_api.is_named(input text, p_names text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded CONSTANT text := vek1_api.fold(input);
BEGIN
    RETURN EXISTS (
        SELECT FROM unnest(p_names) AS name
        CROSS JOIN LATERAL btrim(vek1_api.fold(name)) AS plain
        WHERE plain <> '' AND folded ~ (
            '(?<![[:alnum:]])'
            || regexp_replace(regexp_replace(plain, '([^[:alnum:] ])', '\\\1', 'g'), ' +', '\\s+', 'g')
            || '(?![[:alnum:]])'));
END $$;

CREATE OR REPLACE FUNCTION vek1_api.tells(input text, p_marks text[], p_names text[])
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(vek1_api.is_marked(input, p_marks) OR vek1_api.is_named(input, p_names), false);
END $$;

-- The ids that a person writes from, in canonical form, each with its channel: people who were
-- joined may have several.
CREATE OR REPLACE FUNCTION vek1_api.identities_of(p_lead_id uuid)
RETURNS TABLE (channel text, identity text)
LANGUAGE plpgsql STABLE ROWS 3 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT known.channel, known.identity FROM vek1_api.lead_identity AS known
    WHERE known.lead_id = p_lead_id
    UNION
    SELECT leads.channel, vek1_api.contact_id(leads.channel, external_id) FROM public.leads
    WHERE leads.id = p_lead_id;
END $$;

-- What an order says of who made it: canonical phones, e-mails, tax ids.
CREATE OR REPLACE FUNCTION vek1_api.known_by(p_lead_id uuid)
RETURNS TABLE (phones text[], emails text[], tax_ids text[])
LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT
        ARRAY(
            SELECT phone FROM (
                SELECT identity FROM vek1_api.identities_of(p_lead_id) AS known
                WHERE known.channel = 'whatsapp'
                UNION SELECT vek1_api.contact_id('whatsapp', person.phone_number)
            ) AS given (phone)
            WHERE phone ~ '^\+?[0-9]{8,}$' AND phone !~ '^(.)\1*$'),
        ARRAY(
            SELECT email FROM (
                SELECT lower(identity) FROM vek1_api.identities_of(p_lead_id) AS known
                WHERE known.channel <> 'whatsapp'
                UNION SELECT lower(btrim(person.email))
            ) AS given (email)
            WHERE email LIKE '_%@_%.%'),
        ARRAY(
            SELECT tax_id FROM (
                SELECT upper(regexp_replace(person.custom_attributes ->> name, '[^0-9A-Za-z]', '', 'g'))
                FROM unnest(ARRAY['tax_id', 'cpf', 'cnpj']) AS name
            ) AS given (tax_id)
            WHERE length(tax_id) >= 8 AND tax_id !~ '^(.)\1*$')
    FROM public.leads AS person WHERE person.id = p_lead_id;
END $$;

-- A person's orders; one that was written down without the link is theirs by phone, e-mail or
-- tax id: the whole field, never a part of it.
CREATE OR REPLACE FUNCTION vek1_api.orders_of(p_lead_id uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known record;
BEGIN
    SELECT * INTO known FROM vek1_api.known_by(p_lead_id);
    RETURN ARRAY(
        SELECT id FROM public.orders WHERE lead_id = p_lead_id
        UNION
        SELECT id FROM public.orders
        WHERE lead_id IS NULL
          AND store_id = (SELECT store_id FROM public.leads WHERE id = p_lead_id)
          AND (vek1_api.contact_id('whatsapp', customer_phone) = ANY (known.phones)
               OR lower(btrim(customer_email)) = ANY (known.emails)
               OR upper(regexp_replace(customer_tax_id, '[^0-9A-Za-z]', '', 'g'))
                  = ANY (known.tax_ids)));
END $$;

-- Messages that are tied to no lead and came from one of a person's ids, in their store.
CREATE OR REPLACE FUNCTION vek1_api.loose_messages_of(p_lead_id uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place CONSTANT uuid := (SELECT store_id FROM public.leads WHERE id = p_lead_id);
    channels text[];
    ids text[];
    tails text[];
BEGIN
    SELECT array_agg(channel), array_agg(identity) INTO channels, ids
    FROM vek1_api.identities_of(p_lead_id);
    -- Every spelling of a number ends alike; only what does is looked at closely.
    tails := ARRAY(SELECT right(substring(id FROM '[0-9]{8,}'), 8) FROM unnest(ids) AS id);
    RETURN ARRAY(
        SELECT id FROM public.messages_history
        WHERE lead_id IS NULL
          AND (store_id = place OR (store_id IS NULL AND agent_id IN (
              SELECT agents.id FROM public.agents WHERE agents.store_id = place)))
          AND CASE WHEN btrim(user_id) = ANY (ids) OR lower(btrim(user_id)) = ANY (ids)
                     OR right(substring(vek1_api.squeezed(user_id) FROM '[0-9]{8,}'), 8)
                        = ANY (tails)
              THEN EXISTS (
                  SELECT FROM unnest(channels, ids) AS known (channel, id)
                  WHERE vek1_api.contact_id(known.channel, user_id) = known.id)
              ELSE false END);
END $$;

-- The private objects that are about a person, whose orders and loose messages are given.
CREATE OR REPLACE FUNCTION vek1_api.objects_about(p_lead_id uuid, p_orders uuid[], p_loose uuid[])
RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT vek1_api.objects_named(leads.store_id, held.value)
        FROM (
            SELECT metadata FROM public.messages_history
            WHERE lead_id = p_lead_id OR id = ANY (p_loose)
            UNION ALL SELECT data FROM public.lead_events WHERE lead_id = p_lead_id
            UNION ALL SELECT to_jsonb(proof_file_url) FROM public.orders WHERE id = ANY (p_orders)
            UNION ALL SELECT to_jsonb(object_key) FROM vek1_api.order_proofs WHERE order_id = ANY (p_orders)
            UNION ALL SELECT data FROM public.order_events WHERE order_id = ANY (p_orders)
            UNION ALL SELECT payload FROM public.payment_attempts WHERE order_id = ANY (p_orders)
        ) AS held (value)
        CROSS JOIN public.leads
        WHERE leads.id = p_lead_id AND held.value IS NOT NULL
        ORDER BY 1);
END $$;

CREATE OR REPLACE FUNCTION vek1_api.objects_of(p_lead_id uuid) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN vek1_api.objects_about(
        p_lead_id, vek1_api.orders_of(p_lead_id), vek1_api.loose_messages_of(p_lead_id));
END $$;

-- Whether one of the messages that append_messages is to write was forgotten: by the id that its
-- provider gave it, or because it was said before its lead was.
CREATE OR REPLACE FUNCTION vek1_api.any_erased(p_store_id uuid, p_messages jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM vek1_api.erased_identity WHERE store_id = p_store_id) THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM jsonb_to_recordset(p_messages) AS each (
            lead_id uuid, at timestamp, provider_message_id text)
        WHERE vek1_api.was_erased(p_store_id, 'message', each.provider_message_id, '-infinity')
           OR EXISTS (
               SELECT FROM vek1_api.identities_of(coalesce(
                   (SELECT into_id FROM vek1_api.lead_merges AS gone WHERE gone.lead_id = each.lead_id),
                   each.lead_id)) AS known
               WHERE each.at IS NOT NULL AND vek1_api.was_erased(
                   p_store_id, known.channel, known.identity, each.at AT TIME ZONE 'UTC')));
END $$;

-- Keeps a person as they are until the transaction ends. In the order in which others lock:
-- an import its own row before leads, a change of an order the order before its lead.
CREATE OR REPLACE FUNCTION vek1_api.hold_lead(p_lead_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM vek1_api.imports
    WHERE store_id = (SELECT store_id FROM public.leads WHERE id = p_lead_id)
      AND kind = 'leads' AND finished_at IS NULL
    ORDER BY id FOR UPDATE;
    PERFORM FROM public.orders WHERE lead_id = p_lead_id ORDER BY id FOR UPDATE;
    PERFORM FROM public.leads WHERE id = p_lead_id FOR UPDATE;
END $$;

-- Forgets the proofs of orders: what they say, and their files with the room that they take.
CREATE OR REPLACE FUNCTION vek1_api.remove_proofs(p_orders uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    freed record;
BEGIN
    DELETE FROM vek1_api.proof_payments WHERE order_id = ANY (p_orders);
    FOR freed IN
        WITH gone AS (
            DELETE FROM vek1_api.order_proofs WHERE order_id = ANY (p_orders)
            RETURNING object_key
        ), doomed AS (
            UPDATE vek1_api.stored_objects SET state = 'doomed'
            WHERE key IN (SELECT object_key FROM gone) AND state <> 'doomed'
            RETURNING store_id, size_bytes
        )
        SELECT store_id, sum(size_bytes)::bigint AS bytes FROM doomed GROUP BY store_id
    LOOP
        PERFORM vek1_api.give_room_back(freed.store_id, freed.bytes);
        PERFORM vek1_api.enqueue('files.remove', '{}', NULL, NULL);
    END LOOP;
END $$;

-- Takes a person off the orders that they made: what was bought and paid stays.
CREATE OR REPLACE FUNCTION vek1_api.erase_customer(p_orders uuid[], p_marks text[], p_names text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.orders SET
        lead_id = NULL, customer_name = NULL, customer_phone = NULL, customer_email = NULL,
        customer_tax_id = NULL, shipping_address = NULL, notes = NULL, proof_file_url = NULL,
        proof_mime_type = NULL, proof_external_id = NULL
    WHERE id = ANY (p_orders);
    PERFORM vek1_api.remove_proofs(p_orders);
    UPDATE public.payment_attempts SET payload = NULL
    WHERE order_id = ANY (p_orders) AND payload IS NOT NULL;
    -- The name of a step says what an event is.
    UPDATE public.order_events
    SET data = CASE WHEN data ->> 'step' ~ '^[a-z_]{1,40}$'
                    THEN jsonb_build_object('step', data -> 'step') END
    WHERE order_id = ANY (p_orders) AND data IS NOT NULL;
    -- `Bolo para Joana Ribeiro`; what the catalogue says as well is about nobody.
    UPDATE public.order_items AS item SET
        name = CASE WHEN told.by_name THEN 'Item' ELSE item.name END,
        description = CASE WHEN NOT told.by_description THEN item.description END,
        custom_props = CASE WHEN NOT told.by_props THEN item.custom_props END
    FROM (
        SELECT bought.id,
               bought.name IS DISTINCT FROM product.name AND vek1_api.tells(bought.name, p_marks, p_names) AS by_name,
               bought.description IS DISTINCT FROM product.description AND vek1_api.tells(bought.description, p_marks, p_names) AS by_description,
               bought.custom_props IS DISTINCT FROM product.custom_props AND vek1_api.tells(bought.custom_props::text, p_marks, p_names) AS by_props
        FROM public.order_items AS bought
        LEFT JOIN public.products AS product ON product.id = bought.product_id
        WHERE bought.order_id = ANY (p_orders)
    ) AS told
    WHERE item.id = told.id AND (told.by_name OR told.by_description OR told.by_props);
END $$;

-- The ids that an answer names: of what it is about, and of what that hangs on. Indexed, so that
-- forgetting somebody reads their answers and nobody else's.
CREATE OR REPLACE FUNCTION vek1_api.ids_named(body bytea) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT left(value, 36)
        -- As orjson, jsonb and json_build_object write it.
        FROM unnest(string_to_array(
            replace(replace(encode(body, 'escape'), '" : "', '":"'), '": "', '":"'), 'id":"'
        )) WITH ORDINALITY AS named (value, place)
        WHERE place > 1 AND value ~ '^[0-9a-f]{8}-[0-9a-f]{4}-');
END $$;

-- Takes a person out of what is kept for a while: answers to be repeated, rows of imports, jobs.
-- `p_marks` name the person anywhere in a text, `p_ids` where JSON has ids (is_about). Every
-- answer about somebody names their lead or an order of theirs.
DROP FUNCTION IF EXISTS vek1_api.erase_traces(text, uuid, uuid[], text[], text[]);
CREATE OR REPLACE FUNCTION vek1_api.erase_traces(
    p_company text, p_store_id uuid, p_leads uuid[], p_orders uuid[], p_marks text[], p_ids text[]
)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answers int;
    lines int;
    jobs int;
BEGIN
    -- Who repeats such a request must not do it again: it is refused, the key stays taken.
    UPDATE vek1_api.idempotency_keys SET
        status = 409,
        headers = '{"Content-Type": "application/problem+json"}',
        body = convert_to(json_build_object(
            'type', 'urn:vek1:problem:conflict', 'title', 'Conflict', 'status', 409,
            'detail', 'What this request was about has been erased since (LGPD). Nothing was '
                      'changed now; to do it again, use a new Idempotency-Key.',
            'code', 'conflict', 'request_id', NULL)::text, 'UTF8')
    WHERE actor = p_company AND vek1_api.ids_named(body) && (p_leads || p_orders)::text[];
    GET DIAGNOSTICS answers = ROW_COUNT;

    -- A row that waits would bring the person back.
    WITH marked AS (
        SELECT line.import_id, line.row, line.status IS NULL AS is_waiting
        FROM vek1_api.imports JOIN vek1_api.import_rows AS line ON line.import_id = imports.id
        WHERE imports.store_id = p_store_id AND imports.kind = 'leads'
          AND (line.target_id = ANY (p_leads)
               OR vek1_api.is_about(line."values"::text, p_marks, p_ids)
               OR vek1_api.is_marked(line.errors::text, p_marks))
    ), emptied AS (
        UPDATE vek1_api.import_rows AS line SET
            "values" = NULL, target_id = NULL, status = coalesce(line.status, 'error'),
            errors = CASE WHEN line.status IS NULL THEN jsonb_build_array(jsonb_build_object(
                'pointer', '', 'code', 'erased',
                'message', 'The person was erased while the import waited.')) END
        FROM marked WHERE line.import_id = marked.import_id AND line.row = marked.row
    ), counted AS (
        UPDATE vek1_api.imports SET
            done_rows = done_rows + waiting.lines,
            summary = jsonb_set(summary, '{error}',
                to_jsonb(coalesce((summary ->> 'error')::int, 0) + waiting.lines))
        FROM (SELECT import_id, count(*)::int AS lines FROM marked WHERE is_waiting GROUP BY 1)
            AS waiting
        WHERE imports.id = waiting.import_id
    )
    SELECT count(*) INTO lines FROM marked;

    DELETE FROM vek1_api.pgqueuer
    WHERE status <> 'picked'  -- One that runs finds nobody, and ends.
      AND vek1_api.is_about(convert_from(payload, 'UTF8'), p_marks, '{}');
    GET DIAGNOSTICS jobs = ROW_COUNT;
    -- What went wrong may say with whom.
    UPDATE vek1_api.pgqueuer_log SET traceback = NULL
    WHERE status IN ('exception', 'failed') AND vek1_api.is_marked(traceback::text, p_marks);
    RETURN jsonb_build_object('answers', answers, 'import_rows', lines, 'jobs', jobs);
END $$;

-- Forgets a person whom hold_lead holds: nothing that names them stays in either schema; orders
-- stay without them. Returns the objects that are to leave the bucket and how many rows of
-- each kind there were; null if there is no such lead. What arrives late from before now is
-- known by digests (was_erased, any_erased).
CREATE OR REPLACE FUNCTION vek1_api.erase_lead(p_lead_id uuid)
RETURNS TABLE (objects text[], receipt jsonb)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
DECLARE
    person record;
    lead_ids uuid[];  -- The lead, and those that were joined to it.
    bought uuid[];
    loose uuid[];
    names text[];
    marks text[];
    ids text[];
    happened int;
    said int;
BEGIN
    SELECT * INTO person FROM public.leads WHERE id = p_lead_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    lead_ids := ARRAY(SELECT lead_id FROM vek1_api.lead_merges WHERE into_id = person.id)
                || person.id;
    bought := vek1_api.orders_of(person.id);
    loose := vek1_api.loose_messages_of(person.id);
    objects := vek1_api.objects_about(person.id, bought, loose);
    ids := ARRAY(
        SELECT identity FROM vek1_api.identities_of(person.id)
        UNION SELECT person.external_id
        UNION SELECT reply_to FROM vek1_api.lead_contact WHERE lead_id = person.id);
    SELECT vek1_api.marks_of(
        known.phones || ARRAY(
            SELECT customer_phone FROM public.orders WHERE id = ANY (bought)),
        lead_ids::text[] || known.emails || known.tax_ids || ARRAY(
            SELECT given.word FROM public.orders CROSS JOIN LATERAL unnest(
                ARRAY[customer_email, regexp_replace(customer_tax_id, '[^0-9A-Za-z]', '', 'g')]
            ) AS given (word)
            WHERE orders.id = ANY (bought))
        || ARRAY(SELECT id FROM unnest(ids) AS id WHERE id LIKE '%@%' OR (
            length(id) >= 12 AND id ~ '[a-zA-Z]')))
    INTO marks FROM vek1_api.known_by(person.id) AS known;
    -- In full, and the first of them: `Bolo da Eva`.
    names := ARRAY(
        SELECT DISTINCT name
        FROM (
            SELECT person.name UNION SELECT customer_name FROM public.orders WHERE id = ANY (bought)
        ) AS called (full_name)
        CROSS JOIN LATERAL unnest(ARRAY[
            btrim(full_name), substring(full_name FROM '^\s*(\S{3,})')]) AS name
        WHERE length(name) >= 2);

    INSERT INTO vek1_api.store_privacy (store_id) VALUES (person.store_id) ON CONFLICT DO NOTHING;
    INSERT INTO vek1_api.erased_identity AS it (store_id, digest, erased_at)
    SELECT person.store_id, digest, clock_timestamp()
    FROM (
        SELECT vek1_api.identity_digest(person.store_id, known.channel, known.identity)
        FROM vek1_api.identities_of(person.id) AS known
        UNION
        SELECT vek1_api.identity_digest(person.store_id, 'message', provider_message_id)
        FROM vek1_api.message_key JOIN public.messages_history AS told ON told.id = message_id
        WHERE message_key.store_id = person.store_id
          AND (told.lead_id = person.id OR told.id = ANY (loose))
    ) AS digests (digest)
    ON CONFLICT (store_id, digest) DO UPDATE SET erased_at = excluded.erased_at;

    PERFORM vek1_api.erase_customer(bought, marks, names);
    -- Why somebody changed a stock, in their words.
    UPDATE public.stock_movements SET payload = payload - 'reason'
    WHERE store_id = person.store_id AND reason = 'manual' AND payload ->> 'reason' <> ''
      AND vek1_api.tells(payload ->> 'reason', marks,
                         array_remove(ARRAY[nullif(btrim(person.name), '')], NULL));
    DELETE FROM public.lead_events WHERE lead_id = person.id;
    GET DIAGNOSTICS happened = ROW_COUNT;
    -- Words and provider ids of messages go with them (messages_deleted).
    DELETE FROM public.messages_history WHERE lead_id = person.id OR id = ANY (loose);
    GET DIAGNOSTICS said = ROW_COUNT;
    receipt := vek1_api.erase_traces(
        (SELECT company_id FROM public.stores WHERE id = person.store_id),
        person.store_id, lead_ids, bought, marks, ids
    ) || jsonb_build_object(
        'events', happened,
        'files', cardinality(objects),
        'identities', (SELECT count(*) FROM vek1_api.lead_identity WHERE lead_id = person.id),
        'leads', cardinality(lead_ids),
        'messages', said,
        'orders', cardinality(bought),
        'profiles', (SELECT count(*) FROM vek1_api.lead_profiles WHERE lead_id = person.id));
    -- Identities, profiles, vector, address for answers and merges go with it (clean_up_leads).
    DELETE FROM public.leads WHERE id = person.id;
    RETURN NEXT;
END $$;

-- Deletes the oldest messages of a store that were said before a moment. Returns the objects
-- that are to leave the bucket and how many messages there were.
CREATE OR REPLACE FUNCTION vek1_api.forget_messages(
    p_store_id uuid, p_before timestamp, p_limit int
)
RETURNS TABLE (objects text[], messages int)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
DECLARE
    old uuid[] := ARRAY(
        SELECT id FROM public.messages_history
        WHERE store_id = p_store_id AND "timestamp" < p_before
        ORDER BY "timestamp" LIMIT p_limit);
BEGIN
    -- Their counters change: in one order, so that this never waits crosswise.
    PERFORM FROM public.leads WHERE id IN (
        SELECT lead_id FROM public.messages_history WHERE messages_history.id = ANY (old)
    ) ORDER BY id FOR NO KEY UPDATE;
    objects := ARRAY(
        SELECT DISTINCT vek1_api.objects_named(p_store_id, metadata)
        FROM public.messages_history WHERE id = ANY (old) AND metadata IS NOT NULL);
    DELETE FROM public.messages_history WHERE id = ANY (old);
    GET DIAGNOSTICS messages = ROW_COUNT;
    RETURN NEXT;
END $$;


---------------------------------------------------------------------------------------------
-- Stock notices: every movement that a store's ERP must hear of has one message, written with it.
-- A job delivers them (vek1_api.stock.deliveries); these functions are its steps.
---------------------------------------------------------------------------------------------

-- What came from the ERP is not told back to it; what the doctor wrote down never moved.
CREATE OR REPLACE FUNCTION vek1_api.is_announced(reason text, payload jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT reason <> 'inbound_sync' AND coalesce(payload ->> 'source', '') <> 'doctor'
$$;

-- On the path of every order: where nobody is to be told, it costs one look at stock_outlets.
CREATE OR REPLACE FUNCTION vek1_api.announce_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.stock_outlets') IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM fresh JOIN vek1_api.stock_outlets AS outlet USING (store_id) WHERE outlet.is_open;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Where somebody else's movement took the place of a product's first one, so does its notice.
    IF coalesce(current_setting('vek1_api.is_writer', true), '') <> 'on' THEN
        WITH replaced AS (
            UPDATE vek1_api.stock_notices AS notice SET movement_id = fresh.id
            FROM fresh
            JOIN vek1_api.stock_notices AS first
                ON first.store_id = fresh.store_id AND first.product_id = fresh.product_id
               AND first.delta = fresh.delta AND first.sequence = 1 AND first.origin = 'opening'
            WHERE notice.movement_id = first.movement_id
              AND NOT EXISTS (SELECT FROM public.stock_movements WHERE id = first.movement_id)
            RETURNING first.movement_id AS old_id, fresh.id AS new_id
        )
        UPDATE vek1_api.stock_attempts AS attempt SET movement_id = replaced.new_id
        FROM replaced WHERE attempt.movement_id = replaced.old_id;
    END IF;
    WITH told AS (
        SELECT fresh.*, row_number() OVER (ORDER BY fresh.created_at) AS place
        FROM fresh JOIN vek1_api.stock_outlets AS outlet USING (store_id)
        WHERE outlet.is_open AND fresh.product_id IS NOT NULL
          AND vek1_api.is_announced(fresh.reason, fresh.payload)
          AND NOT EXISTS (SELECT FROM vek1_api.stock_notices WHERE movement_id = fresh.id)
    ), counted AS (
        INSERT INTO vek1_api.stock_sequences AS counter (product_id, last)
        SELECT product_id, count(*) FROM told GROUP BY 1 ORDER BY 1
        ON CONFLICT (product_id) DO UPDATE SET last = counter.last + excluded.last
        RETURNING product_id, last
    )
    INSERT INTO vek1_api.stock_notices (
        movement_id, store_id, product_id, product_integration_id, sequence, level, delta, reason,
        order_id, origin
    )
    SELECT told.id, told.store_id, told.product_id, product.product_integration_id,
           counted.last + 1 - count(*) OVER later,
           -- The stock is that after all of them: a level is without those that came later.
           product.stock - sum(told.delta) OVER later + told.delta,
           told.delta, told.reason, told.order_id,
           -- An order takes its stock before it is written itself, and then says whose it is.
           coalesce(told.payload ->> 'source', orders.source, 'manual')
    FROM told
    JOIN counted USING (product_id)
    JOIN public.products AS product ON product.id = told.product_id
    LEFT JOIN public.orders ON orders.id = told.order_id
    WINDOW later AS (PARTITION BY told.product_id ORDER BY told.place DESC);
    RETURN NULL;
END $$;

-- Has a store's notices delivered. The lock, kept until the commit, is what
-- vek1_api.rest_deliveries looks at: whoever finds a job at work keeps it from ending.
CREATE OR REPLACE FUNCTION vek1_api.wake_deliveries(p_store_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    once CONSTANT text := format('stock.deliver:%s', p_store_id);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(once, 0));
    PERFORM vek1_api.enqueue(
        'stock.deliver', json_build_object('store_id', p_store_id), once, NULL);
END $$;

-- At the end of the transaction, when it locks nothing any more: two that add the same job wait
-- for each other, and must not wait crosswise for products as well.
CREATE OR REPLACE FUNCTION vek1_api.enqueue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Once for each transaction and store.
    IF coalesce(current_setting('vek1_api.deliveries_woken', true), '') <> NEW.store_id::text THEN
        PERFORM vek1_api.wake_deliveries(NEW.store_id);
        PERFORM set_config('vek1_api.deliveries_woken', NEW.store_id::text, true);
    END IF;
    RETURN NULL;
END $$;

-- Keeps what the trigger on movements reads. Another address, and being switched on, is a fresh
-- start: what waits is tried again, for a day.
CREATE OR REPLACE FUNCTION vek1_api.open_store_stock_sync_settings() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    store CONSTANT uuid := coalesce(NEW.store_id, OLD.store_id);
    opens CONSTANT boolean := coalesce(NEW.outbound_enabled AND NEW.outbound_url <> '', false);
    is_fresh CONSTANT boolean := opens AND (
        NOT coalesce(OLD.outbound_enabled, false)
        OR NEW.outbound_url IS DISTINCT FROM OLD.outbound_url);
BEGIN
    IF to_regclass('vek1_api.stock_outlets') IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO vek1_api.stock_outlets AS outlet (store_id, is_open, open_since)
    VALUES (store, opens, CASE WHEN opens THEN clock_timestamp() END)
    ON CONFLICT (store_id) DO UPDATE SET
        is_open = opens,
        open_since = CASE WHEN outlet.is_open AND opens THEN outlet.open_since
                          ELSE excluded.open_since END;
    IF is_fresh THEN
        UPDATE vek1_api.stock_outlets SET
            failures = 0, failing_since = NULL, paused_until = NULL, disabled_at = NULL,
            disabled_reason = NULL
        WHERE store_id = store;
        UPDATE vek1_api.stock_notices SET due_at = '-infinity', wanted_at = clock_timestamp()
        WHERE store_id = store AND status IN ('waiting', 'again');
        PERFORM vek1_api.wake_deliveries(store);
    END IF;
    RETURN NULL;
END $$;

-- The notices of a store that may go next, and from when on: of each product the first that
-- waits, and those that somebody asked for again. None of a store that tells nobody.
CREATE OR REPLACE FUNCTION vek1_api.next_notices(p_store_id uuid)
RETURNS TABLE (movement_id uuid, free_at timestamptz) LANGUAGE plpgsql STABLE ROWS 100
-- The index, whatever the planner believes: of a table that an import has just filled it is wrong.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
    pause timestamptz;
BEGIN
    SELECT coalesce(outlet.paused_until, '-infinity') INTO pause
    FROM vek1_api.stock_outlets AS outlet JOIN public.stores ON stores.id = outlet.store_id
    WHERE outlet.store_id = p_store_id AND outlet.is_open AND stores.status <> 'deleted';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE head AS (
        -- From product to product by the index, however many notices each of them has.
        (SELECT notice.movement_id, notice.product_id, notice.due_at, notice.leased_until
         FROM vek1_api.stock_notices AS notice
         WHERE notice.store_id = p_store_id AND notice.status = 'waiting'
         ORDER BY notice.product_id, notice.sequence LIMIT 1)
        UNION ALL
        SELECT following.* FROM head CROSS JOIN LATERAL (
            SELECT notice.movement_id, notice.product_id, notice.due_at, notice.leased_until
            FROM vek1_api.stock_notices AS notice
            WHERE notice.store_id = p_store_id AND notice.status = 'waiting'
              AND notice.product_id > head.product_id
            ORDER BY notice.product_id, notice.sequence LIMIT 1
        ) AS following
    )
    SELECT each.movement_id,
           greatest(each.due_at, each.leased_until, pause)
    FROM (
        SELECT head.movement_id, head.due_at, head.leased_until FROM head
        UNION ALL
        SELECT notice.movement_id, notice.due_at, notice.leased_until
        FROM vek1_api.stock_notices AS notice
        WHERE notice.store_id = p_store_id AND notice.status = 'again'
    ) AS each;
END $$;

-- Lends notices to one worker, for as long as an attempt may take; a crash gives them back. It
-- looks at no more of them than it needs, from any product on, so that all have their turn.
CREATE OR REPLACE FUNCTION vek1_api.take_notices(p_store_id uuid, p_limit int, p_lease interval)
RETURNS TABLE (
    movement_id uuid, product_id uuid, product_integration_id text, sequence bigint, level int,
    delta int, reason text, order_id uuid, origin text, created_at timestamptz,
    wanted_at timestamptz, attempts int
)
LANGUAGE plpgsql VOLATILE ROWS 10
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
    beginning CONSTANT uuid := gen_random_uuid();
    place uuid := beginning;
    has_turned boolean := false;
    head record;
    chosen uuid[];
BEGIN
    PERFORM FROM vek1_api.stock_outlets AS outlet
    JOIN public.stores ON stores.id = outlet.store_id
    WHERE outlet.store_id = p_store_id AND outlet.is_open AND stores.status <> 'deleted'
      AND coalesce(outlet.paused_until, '-infinity') <= clock_timestamp();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    chosen := ARRAY(
        SELECT notice.movement_id FROM vek1_api.stock_notices AS notice
        WHERE notice.store_id = p_store_id AND notice.status = 'again'
          AND notice.due_at <= clock_timestamp()
          AND coalesce(notice.leased_until, '-infinity') <= clock_timestamp()
        LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED);
    WHILE cardinality(chosen) < p_limit LOOP
        -- From product to product by the index: of each the first that waits.
        SELECT notice.movement_id, notice.product_id, notice.due_at, notice.leased_until
        INTO head FROM vek1_api.stock_notices AS notice
        WHERE notice.store_id = p_store_id AND notice.status = 'waiting'
          AND notice.product_id > place
        ORDER BY notice.product_id, notice.sequence LIMIT 1;
        EXIT WHEN has_turned AND (NOT FOUND OR head.product_id > beginning);
        has_turned := has_turned OR head.product_id IS NULL;
        place := coalesce(head.product_id, '00000000-0000-0000-0000-000000000000');
        CONTINUE WHEN head.product_id IS NULL
            OR greatest(head.due_at, head.leased_until) > clock_timestamp();
        -- Again of the row itself, which another worker may have changed since.
        PERFORM FROM vek1_api.stock_notices AS notice
        WHERE notice.movement_id = head.movement_id AND notice.status = 'waiting'
          AND notice.due_at <= clock_timestamp()
          AND coalesce(notice.leased_until, '-infinity') <= clock_timestamp()
        FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            chosen := chosen || head.movement_id;
        END IF;
    END LOOP;
    RETURN QUERY
    UPDATE vek1_api.stock_notices AS notice
    SET leased_until = clock_timestamp() + p_lease, attempts = notice.attempts + 1
    WHERE notice.movement_id = ANY (chosen)
    RETURNING notice.movement_id, notice.product_id, notice.product_integration_id,
              notice.sequence, notice.level, notice.delta, notice.reason, notice.order_id,
              notice.origin, notice.created_at, notice.wanted_at, notice.attempts;
END $$;

-- Writes down what came of attempts. One whose notice was lent to somebody else since says
-- nothing. Where nothing gets through, the store has a pause, which grows. Returns since when
-- nothing has got through.
CREATE OR REPLACE FUNCTION vek1_api.settle_notices(
    p_store_id uuid, p_results jsonb, p_paused_until timestamptz
)
RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    pause_from CONSTANT int := 8;     -- Failures in a row.
    longest_pause CONSTANT int := 300;  -- Seconds.
    delivered int;
    failed int;
    since timestamptz;
BEGIN
    -- Before its notices, as whoever changes the store's settings locks them.
    PERFORM FROM vek1_api.stock_outlets WHERE store_id = p_store_id FOR NO KEY UPDATE;
    WITH result AS (
        SELECT * FROM jsonb_to_recordset(p_results) AS each (
            movement_id uuid, number int, at timestamptz, duration_ms int, status int, error text,
            answer text, outcome text, due_at timestamptz)
    ), settled AS (
        UPDATE vek1_api.stock_notices AS notice
        SET status = CASE result.outcome WHEN 'retry' THEN notice.status ELSE result.outcome END,
            due_at = coalesce(result.due_at, notice.due_at),
            delivered_at = CASE result.outcome WHEN 'delivered' THEN clock_timestamp()
                                ELSE notice.delivered_at END,
            leased_until = NULL
        FROM result
        WHERE notice.movement_id = result.movement_id AND notice.attempts = result.number
        RETURNING result.*
    ), logged AS (
        INSERT INTO vek1_api.stock_attempts
            (movement_id, number, at, duration_ms, status, error, answer)
        SELECT movement_id, number, at, duration_ms, status, error, answer FROM settled
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FILTER (WHERE outcome = 'delivered'),
           count(*) FILTER (WHERE outcome <> 'delivered')
    INTO delivered, failed FROM settled;
    IF delivered > 0 THEN
        -- A pause that was asked for goes on: others were under way when it was.
        UPDATE vek1_api.stock_outlets SET failures = 0, failing_since = NULL
        WHERE store_id = p_store_id AND (failures > 0 OR failing_since IS NOT NULL);
    END IF;
    IF failed > 0 THEN
        UPDATE vek1_api.stock_outlets AS outlet
        SET failures = outlet.failures + failed,
            -- No message rests as long as a day between two attempts: those before such a
            -- silence say nothing of today.
            failing_since = CASE
                WHEN outlet.paused_until < clock_timestamp() - interval '1 day'
                THEN clock_timestamp()
                ELSE coalesce(outlet.failing_since, clock_timestamp()) END,
            paused_until = greatest(
                outlet.paused_until,
                p_paused_until,
                -- Over at once, it still says when the last failure was.
                clock_timestamp() + CASE
                    WHEN outlet.failures + failed >= pause_from
                    THEN least(outlet.failures + failed, longest_pause) ELSE 0
                END * interval '1 second')
        WHERE store_id = p_store_id
        RETURNING outlet.failing_since INTO since;
    END IF;
    RETURN since;
END $$;

-- Ends a store's delivery, if nothing is to be sent now: from then on the next movement adds a job
-- of its own. False while there is something, or a movement that is just being committed. Adds a
-- job for when the next retry is due. With `p_is_tired` another job goes on at once.
CREATE OR REPLACE FUNCTION vek1_api.rest_deliveries(p_store_id uuid, p_is_tired boolean)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    once CONSTANT text := format('stock.deliver:%s', p_store_id);
    payload CONSTANT json := json_build_object('store_id', p_store_id);
    next_at timestamptz;
BEGIN
    IF NOT p_is_tired THEN
        IF NOT pg_try_advisory_xact_lock(hashtextextended(once, 0)) THEN
            RETURN false;
        END IF;
        -- In a pause nobody need look through what waits; whoever commits now waits for this.
        SELECT paused_until INTO next_at FROM vek1_api.stock_outlets
        WHERE store_id = p_store_id AND is_open AND paused_until > clock_timestamp()
          AND EXISTS (SELECT FROM vek1_api.stock_notices
                      WHERE store_id = p_store_id AND status IN ('waiting', 'again'));
        IF NOT FOUND THEN
            SELECT min(free_at) INTO next_at FROM vek1_api.next_notices(p_store_id);
        END IF;
        IF next_at <= clock_timestamp() THEN
            RETURN false;
        END IF;
    END IF;
    UPDATE vek1_api.pgqueuer SET dedupe_key = NULL WHERE dedupe_key = once AND status = 'picked';
    IF p_is_tired THEN
        PERFORM vek1_api.enqueue('stock.deliver', payload, once, NULL);
    ELSIF next_at IS NOT NULL THEN
        PERFORM vek1_api.enqueue(
            'stock.deliver', payload, format('%s:%s', once, ceil(extract(epoch FROM next_at))),
            NULL, next_at - now());
    END IF;
    RETURN true;
END $$;


---------------------------------------------------------------------------------------------
-- Orders: one function makes one, one changes what it holds, one gives its stock back. Who may
-- do what, and from which status, is orders/transitions.py. Rows are locked in one order
-- everywhere: the order, its products by id, its lead, the store's counter.
---------------------------------------------------------------------------------------------

-- A UTC timestamp of `public` as RFC 3339; of our own tables say `at time zone 'UTC'` first.
-- STABLE, as a date's text is: called IMMUTABLE it would not be inlined, and cost ten times as much.
CREATE OR REPLACE FUNCTION vek1_api.rfc3339(at timestamp) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT replace(at::text, ' ', 'T') || 'Z'
$$;

-- Reais as cents, half a cent up, of the shortest decimal that means the double (core.money).
-- What the front end may write and no order can hold is the largest that a bigint holds.
CREATE OR REPLACE FUNCTION vek1_api.cents(reais double precision) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET extra_float_digits = 1 AS $$
BEGIN
    RETURN least(round(reais::text::numeric * 100), 9223372036854775807);
END $$;

-- An order as callers see it (orders.schemas.OrderRead). VOLATILE: then it shows what the very
-- statement that calls it has written.
CREATE OR REPLACE FUNCTION vek1_api.order_json(p_order_id uuid, p_api_url text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT row_to_json(shown)::text FROM (SELECT
            o.id, o.store_id, o.lead_id, o.agent_id, o.number, o.status,
            o.payment_method, o.payment_provider, o.payment_external_id, o.payment_link_url,
            CASE WHEN o.payment_method IS NOT NULL THEN json_build_object(
                'method', o.payment_method,
                'provider', o.payment_provider,
                'status', attempt.state,
                'br_code', o.payment_br_code,
                'qr_png_url', CASE WHEN o.payment_br_code IS NOT NULL
                    THEN format('%s/v1/orders/%s/payment/qr.png', p_api_url, o.id) END,
                'qr_svg_url', CASE WHEN o.payment_br_code IS NOT NULL
                    THEN format('%s/v1/orders/%s/payment/qr.svg', p_api_url, o.id) END,
                'expires_at', vek1_api.rfc3339(o.payment_expires_at)
            ) END AS payment,
            CASE WHEN o.proof_received_at IS NOT NULL THEN json_build_object(
                'received_at', vek1_api.rfc3339(o.proof_received_at),
                'mime_type', o.proof_mime_type,
                'versions', coalesce(state.proof_versions, 0),
                'review', state.proof_review
            ) END AS proof,
            vek1_api.rfc3339(o.paid_at) AS paid_at,
            vek1_api.rfc3339(o.confirmed_at) AS confirmed_at,
            vek1_api.rfc3339(o.shipping_at) AS shipping_at,
            vek1_api.rfc3339(o.fulfilled_at) AS fulfilled_at,
            vek1_api.rfc3339(o.cancelled_at) AS cancelled_at,
            o.subtotal_cents, o.shipping_cents, o.discount_cents, o.total_cents, o.currency,
            o.customer_name, o.customer_phone, o.customer_email, o.customer_tax_id,
            o.shipping_address, o.notes, o.source,
            vek1_api.rfc3339(o.created_at) AS created_at,
            vek1_api.rfc3339(o.updated_at) AS updated_at,
            ARRAY(SELECT row_to_json(item) FROM (
                SELECT id, product_id, name, description, price_cents, quantity, subtotal_cents,
                       custom_props
                FROM public.order_items WHERE order_id = o.id ORDER BY created_at, id
            ) AS item) AS items,
            ARRAY(SELECT row_to_json(event) FROM (
                SELECT id, type, actor, data, vek1_api.rfc3339(created_at) AS created_at
                FROM public.order_events WHERE order_id = o.id
                ORDER BY order_events.created_at, id
            ) AS event) AS events,
            ARRAY(SELECT row_to_json(tried) FROM (
                SELECT made.id, made.provider, made.external_id, made.status, ref.state,
                       made.amount_cents, vek1_api.rfc3339(ref.expires_at AT TIME ZONE 'UTC') AS expires_at,
                       vek1_api.rfc3339(made.created_at) AS created_at,
                       vek1_api.rfc3339(made.updated_at) AS updated_at
                FROM public.payment_attempts AS made
                LEFT JOIN vek1_api.attempt_ref AS ref ON ref.attempt_id = made.id
                WHERE made.order_id = o.id ORDER BY made.created_at, made.id
            ) AS tried) AS payment_attempts
        FROM public.orders AS o
        LEFT JOIN vek1_api.order_state AS state ON state.order_id = o.id
        LEFT JOIN vek1_api.attempt_ref AS attempt ON attempt.attempt_id = state.attempt_id
        WHERE o.id = p_order_id
        ) AS shown
    );
END $$;

-- The lines of an order with the catalogue's names and prices of this moment, as they will be
-- written. A product that the order holds already keeps the price that the customer was told.
-- Locks the products, and at once those that the order holds already: were they locked after
-- these, in vek1_api.hold_stock, two orders could wait crosswise. A line whose product is not of
-- the store has no `name`.
CREATE OR REPLACE FUNCTION vek1_api.price_items(p_store_id uuid, p_items jsonb, p_order_id uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    wanted CONSTANT uuid[] := ARRAY(
        SELECT (each ->> 'product_id')::uuid FROM jsonb_array_elements(p_items) AS each);
    held CONSTANT uuid[] := CASE WHEN p_order_id IS NOT NULL THEN ARRAY(
        SELECT product_id FROM public.stock_movements WHERE order_id = p_order_id) END;
BEGIN
    RETURN (
        WITH product AS MATERIALIZED (
            SELECT id, name, description, custom_props, price FROM public.products
            WHERE store_id = p_store_id AND id = ANY (wanted || held)
            ORDER BY id FOR NO KEY UPDATE
        )
        SELECT jsonb_agg(to_jsonb(priced) ORDER BY place) FROM (
            SELECT sent.place, sent.product_id, sent.quantity,
                   CASE WHEN sent.product_id IS NULL THEN sent.name ELSE product.name END AS name,
                   CASE WHEN sent.product_id IS NULL THEN sent.description
                        ELSE product.description END AS description,
                   CASE WHEN sent.product_id IS NULL THEN sent.custom_props
                        ELSE product.custom_props END AS custom_props,
                   coalesce(
                       sent.price_cents,
                       CASE WHEN p_order_id IS NOT NULL THEN (
                           SELECT min(price_cents)::bigint FROM public.order_items AS item
                           WHERE item.order_id = p_order_id AND item.product_id = sent.product_id
                       ) END,
                       vek1_api.cents(product.price)) AS price_cents
            FROM jsonb_to_recordset(p_items) AS sent (
                place int, product_id uuid, name text, description text, custom_props jsonb,
                price_cents bigint, quantity int)
            LEFT JOIN product ON product.id = sent.product_id
        ) AS priced
    );
END $$;

-- Why an order of these lines cannot be; null if it can. Amounts must fit the columns.
CREATE OR REPLACE FUNCTION vek1_api.order_problem(p_priced jsonb, p_shipping bigint, p_discount bigint)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    largest CONSTANT bigint := 2147483647;
    missing jsonb;
    subtotal numeric;
BEGIN
    SELECT jsonb_agg((each ->> 'place')::int) FILTER (WHERE each ->> 'name' IS NULL),
           coalesce(sum((each ->> 'price_cents')::numeric * (each ->> 'quantity')::numeric), 0)
    INTO missing, subtotal FROM jsonb_array_elements(p_priced) AS each;
    IF missing IS NOT NULL THEN
        RETURN jsonb_build_object('kind', 'unknown_products', 'places', missing);
    END IF;
    IF subtotal + p_shipping > largest THEN
        RETURN jsonb_build_object('kind', 'too_large', 'amount_cents', subtotal + p_shipping);
    END IF;
    IF p_discount > subtotal + p_shipping THEN
        RETURN jsonb_build_object('kind', 'discount', 'amount_cents', subtotal + p_shipping);
    END IF;
    RETURN NULL;
END $$;

-- Takes what these lines need beyond what the order holds, or gives back what they need no more.
-- Null, or what is short. What an order holds is what its movements say: never more comes back.
-- `p_source` is the order's, which may not be written yet.
CREATE OR REPLACE FUNCTION vek1_api.hold_stock(
    p_store_id uuid, p_order_id uuid, p_priced jsonb, p_source text
)
RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    products uuid[];
    deltas int[];
    short jsonb;
BEGIN
    SELECT array_agg(product_id ORDER BY product_id), array_agg(delta ORDER BY product_id)
    INTO products, deltas
    FROM (
        SELECT product_id, (-sum(units))::int AS delta
        FROM (
            SELECT (each ->> 'product_id')::uuid, (each ->> 'quantity')::bigint
            FROM jsonb_array_elements(p_priced) AS each
            UNION ALL
            SELECT product_id, sum(delta) FROM public.stock_movements
            WHERE order_id = p_order_id GROUP BY product_id
        ) AS line (product_id, units)
        WHERE product_id IS NOT NULL GROUP BY product_id HAVING sum(units) <> 0
    ) AS needed;
    IF products IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT jsonb_agg(jsonb_build_object(
        'product_id', wanted.id, 'requested', -wanted.delta, 'available', coalesce(moved.before, 0)))
    INTO short
    FROM vek1_api.move_stock(
        p_store_id, products, deltas, 'order_created', p_order_id,
        p_payload => jsonb_build_object('source', p_source)) AS moved
    JOIN unnest(products, deltas) AS wanted (id, delta) ON wanted.id = moved.product_id
    WHERE NOT moved.is_moved;
    RETURN CASE WHEN short IS NOT NULL
                THEN jsonb_build_object('kind', 'insufficient_stock', 'products', short) END;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.write_items(p_order_id uuid, p_priced jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    subtotal bigint;
BEGIN
    -- Time in steps of a microsecond keeps the lines in the order in which they were sent.
    WITH written AS (
        INSERT INTO public.order_items
            (order_id, product_id, name, description, price_cents, quantity, subtotal_cents,
             custom_props, created_at)
        SELECT p_order_id, product_id, name, description, price_cents, quantity,
               price_cents * quantity, custom_props,
               clock_timestamp() AT TIME ZONE 'UTC' + place * interval '1 microsecond'
        FROM jsonb_to_recordset(p_priced) AS priced (
            place int, product_id uuid, name text, description text, custom_props jsonb,
            price_cents int, quantity int)
        RETURNING subtotal_cents
    )
    SELECT coalesce(sum(subtotal_cents), 0) INTO subtotal FROM written;
    RETURN subtotal;
END $$;

-- Makes an order with its items, its stock, its number and its first event. `problem` says why
-- there is none: then nothing has changed. The number is taken last, so that the store's counter
-- is held shortly, and it is gapless, because nothing commits without the order.
CREATE OR REPLACE FUNCTION vek1_api.create_order(p_store_id uuid, p_order jsonb, p_items jsonb)
RETURNS TABLE (order_id uuid, problem jsonb)
-- Each of its statements, and of those that it calls, finds its rows by key: to plan anew for every
-- order would cost more than to run.
LANGUAGE plpgsql VOLATILE ROWS 1 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    made CONSTANT uuid := gen_random_uuid();
    sent record;
    person record;
    priced jsonb;
    subtotal bigint;
    given int;
BEGIN
    SELECT * INTO sent FROM jsonb_to_record(p_order) AS it (
        lead_id uuid, agent_id uuid, shipping_cents bigint, discount_cents bigint,
        customer_name text, customer_phone text, customer_email text, customer_tax_id text,
        shipping_address jsonb, notes text, source text, actor text);
    -- Held, so that the person is not joined to another or forgotten before the order is there.
    SELECT id, name, phone_number, email INTO person FROM public.leads
    WHERE store_id = p_store_id AND id = coalesce(
        (SELECT into_id FROM vek1_api.lead_merges WHERE lead_id = sent.lead_id), sent.lead_id)
    FOR KEY SHARE;
    IF sent.lead_id IS NOT NULL AND person.id IS NULL THEN
        problem := '{"kind": "unknown_lead"}';
    ELSIF sent.agent_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.agents WHERE id = sent.agent_id AND store_id = p_store_id
    ) THEN
        problem := '{"kind": "unknown_agent"}';
    ELSE
        priced := vek1_api.price_items(p_store_id, p_items, NULL);
        problem := coalesce(
            vek1_api.order_problem(priced, sent.shipping_cents, sent.discount_cents),
            vek1_api.hold_stock(p_store_id, made, priced, sent.source));
    END IF;
    IF problem IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT sum((each ->> 'price_cents')::bigint * (each ->> 'quantity')::bigint) INTO subtotal
    FROM jsonb_array_elements(priced) AS each;
    INSERT INTO vek1_api.order_counters AS counter (store_id, last) VALUES (p_store_id, 1)
    ON CONFLICT (store_id) DO UPDATE SET last = counter.last + 1
    RETURNING last INTO given;
    INSERT INTO public.orders
        (id, store_id, lead_id, agent_id, number, status, subtotal_cents, shipping_cents,
         discount_cents, total_cents, customer_name, customer_phone, customer_email,
         customer_tax_id, shipping_address, notes, source, created_at)
    VALUES
        (made, p_store_id, person.id, sent.agent_id, given, 'draft', subtotal,
         sent.shipping_cents, sent.discount_cents,
         subtotal + sent.shipping_cents - sent.discount_cents,
         coalesce(sent.customer_name, person.name),
         coalesce(sent.customer_phone, person.phone_number),
         coalesce(sent.customer_email, person.email),
         sent.customer_tax_id, nullif(sent.shipping_address, 'null'), sent.notes, sent.source,
         clock_timestamp() AT TIME ZONE 'UTC');
    PERFORM vek1_api.write_items(made, priced);
    INSERT INTO public.order_events (order_id, type, actor, created_at)
    VALUES (made, 'created', sent.actor, clock_timestamp() AT TIME ZONE 'UTC');
    order_id := made;
    RETURN NEXT;
END $$;

-- Changes what a draft holds and costs, moving stock by the difference; null items leave them.
-- The caller holds the order's row. Returns why not, and then nothing has changed.
CREATE OR REPLACE FUNCTION vek1_api.change_draft(
    p_order_id uuid, p_items jsonb, p_shipping bigint, p_discount bigint
)
RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    draft record;
    priced jsonb;
    problem jsonb;
BEGIN
    SELECT id, store_id, subtotal_cents, source INTO draft FROM public.orders WHERE id = p_order_id;
    IF p_items IS NULL THEN
        problem := vek1_api.order_problem(
            jsonb_build_array(jsonb_build_object(
                'name', '', 'price_cents', draft.subtotal_cents, 'quantity', 1)),
            p_shipping, p_discount);
    ELSE
        priced := vek1_api.price_items(draft.store_id, p_items, p_order_id);
        problem := coalesce(vek1_api.order_problem(priced, p_shipping, p_discount),
                            vek1_api.hold_stock(draft.store_id, p_order_id, priced, draft.source));
    END IF;
    IF problem IS NOT NULL THEN
        RETURN problem;
    END IF;
    IF p_items IS NOT NULL THEN
        DELETE FROM public.order_items WHERE order_id = p_order_id;
        draft.subtotal_cents := vek1_api.write_items(p_order_id, priced);
    END IF;
    UPDATE public.orders SET
        subtotal_cents = draft.subtotal_cents, shipping_cents = p_shipping,
        discount_cents = p_discount,
        total_cents = draft.subtotal_cents + p_shipping - p_discount
    WHERE id = p_order_id;
    RETURN NULL;
END $$;

-- Gives back what an order holds: a second time there is nothing left to give.
CREATE OR REPLACE FUNCTION vek1_api.release_stock(p_order_id uuid) RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moved int;
BEGIN
    SELECT count(*) INTO moved FROM (
        SELECT store_id, array_agg(product_id ORDER BY product_id) AS products,
               array_agg((-held)::int ORDER BY product_id) AS deltas
        FROM (
            SELECT store_id, product_id, sum(delta) AS held FROM public.stock_movements
            WHERE order_id = p_order_id AND product_id IS NOT NULL
            GROUP BY store_id, product_id HAVING sum(delta) < 0
        ) AS line GROUP BY store_id
    ) AS whole CROSS JOIN LATERAL vek1_api.move_stock(
        whole.store_id, whole.products, whole.deltas, 'order_cancelled', p_order_id) AS given
    WHERE given.is_moved;
    RETURN moved;
END $$;

-- The zone in which a company's days begin: settings.time_zone, if it is a name of tzdata's.
CREATE OR REPLACE FUNCTION vek1_api.time_zone_of(p_company_id text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    said text;
BEGIN
    SELECT settings ->> 'time_zone' INTO said FROM public.company_profiles
    WHERE id = p_company_id AND jsonb_typeof(settings -> 'time_zone') = 'string';
    -- Postgres takes `XYZ+3` as well, and reads its sign the other way round: names only.
    IF said ~ '^(UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+){1,2})$' THEN
        PERFORM now() AT TIME ZONE said;
        RETURN said;
    END IF;
    RETURN 'America/Sao_Paulo';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'America/Sao_Paulo';
END $$;

-- What a store sold, by its own calendar (orders.summary_schemas.SalesSummary). `body` is null
-- where the days end before they begin, or are more than `p_most_days`.
CREATE OR REPLACE FUNCTION vek1_api.sales_summary(
    p_store_id uuid, p_company_id text, p_from date, p_to date, p_by text, p_most_days int
)
RETURNS TABLE (first_day date, last_day date, body text)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    zone CONSTANT text := vek1_api.time_zone_of(p_company_id);
    step CONSTANT interval := '1 ' || p_by;
    since timestamp;
    until timestamp;
BEGIN
    last_day := coalesce(p_to, (now() AT TIME ZONE zone)::date);
    first_day := coalesce(p_from, CASE p_by
        WHEN 'day' THEN last_day - 29
        ELSE date_trunc(p_by, last_day::timestamp)::date - 11 * step END);
    IF last_day < first_day OR last_day - first_day >= p_most_days THEN
        RETURN NEXT;
        RETURN;
    END IF;
    since := first_day::timestamp AT TIME ZONE zone AT TIME ZONE 'UTC';
    until := (last_day + 1)::timestamp AT TIME ZONE zone AT TIME ZONE 'UTC';
    -- What was made elsewhere may be confirmed or cancelled without saying when.
    WITH sale AS MATERIALIZED (
        SELECT id, payment_method, total_cents, date_trunc(
            p_by, coalesce(confirmed_at, created_at) AT TIME ZONE 'UTC' AT TIME ZONE zone) AS start
        FROM public.orders
        WHERE store_id = p_store_id AND status IN ('confirmed', 'shipping', 'fulfilled')
          AND coalesce(confirmed_at, created_at) >= since
          AND coalesce(confirmed_at, created_at) < until
    ), cancellation AS MATERIALIZED (
        SELECT date_trunc(p_by, coalesce(cancelled_at, created_at)
                                AT TIME ZONE 'UTC' AT TIME ZONE zone) AS start
        FROM public.orders
        WHERE store_id = p_store_id AND status = 'cancelled'
          AND coalesce(cancelled_at, created_at) >= since
          AND coalesce(cancelled_at, created_at) < until
    ), period AS (
        SELECT greatest(start::date, first_day) AS "from",
               least((start + step)::date - 1, last_day) AS "to",
               coalesce(orders, 0) AS orders,
               coalesce(cents, 0) AS revenue_cents,
               coalesce(round(cents::numeric / orders), 0)::bigint AS average_ticket_cents,
               coalesce(gone.cancelled, 0) AS cancelled
        FROM generate_series(
            date_trunc(p_by, first_day::timestamp), last_day::timestamp, step) AS start
        LEFT JOIN (SELECT start, count(*) AS orders, sum(total_cents) AS cents
                   FROM sale GROUP BY start) AS sold USING (start)
        LEFT JOIN (SELECT start, count(*) AS cancelled
                   FROM cancellation GROUP BY start) AS gone USING (start)
    ), product AS (
        -- What is not of the catalogue, or not any more, is known by its name.
        SELECT item.product_id, coalesce(min(product.name), min(item.name)) AS name,
               sum(item.quantity) AS quantity, sum(item.subtotal_cents) AS revenue_cents
        FROM sale JOIN public.order_items AS item ON item.order_id = sale.id
        LEFT JOIN public.products AS product ON product.id = item.product_id
        GROUP BY item.product_id, CASE WHEN item.product_id IS NULL THEN item.name END
    )
    SELECT row_to_json(shown)::text INTO body FROM (
        SELECT p_store_id AS store_id, zone AS time_zone,
               first_day AS "from", last_day AS "to", p_by AS by,
               sum(orders)::bigint AS orders,
               sum(revenue_cents)::bigint AS revenue_cents,
               coalesce(round(sum(revenue_cents) / nullif(sum(orders), 0)), 0)::bigint
                   AS average_ticket_cents,
               sum(cancelled)::bigint AS cancelled,
               (SELECT json_agg(each) FROM (
                    SELECT known.status, count(made.status) AS orders,
                           coalesce(sum(made.total_cents), 0) AS total_cents
                    FROM unnest(ARRAY['draft', 'awaiting_proof', 'proof_received', 'confirmed',
                                      'shipping', 'fulfilled', 'cancelled'])
                         WITH ORDINALITY AS known (status, place)
                    LEFT JOIN public.orders AS made
                        ON made.store_id = p_store_id AND made.status = known.status
                       AND made.created_at >= since AND made.created_at < until
                    GROUP BY known.place, known.status ORDER BY known.place
               ) AS each) AS by_status,
               (SELECT coalesce(json_agg(each ORDER BY revenue_cents DESC, method), '[]') FROM (
                    SELECT payment_method AS method, count(*) AS orders,
                           sum(total_cents) AS revenue_cents
                    FROM sale GROUP BY payment_method
               ) AS each) AS by_method,
               (SELECT coalesce(json_agg(each), '[]') FROM (
                    SELECT * FROM product
                    ORDER BY revenue_cents DESC, quantity DESC, name, product_id LIMIT 10
               ) AS each) AS top_products_by_revenue,
               (SELECT coalesce(json_agg(each), '[]') FROM (
                    SELECT * FROM product
                    ORDER BY quantity DESC, revenue_cents DESC, name, product_id LIMIT 10
               ) AS each) AS top_products_by_quantity,
               json_agg(period ORDER BY period."from") AS periods
        FROM period
    ) AS shown;
    RETURN NEXT;
END $$;

-- Of a new order, whoever adds it: its number is its own, and a purchase counts.
CREATE OR REPLACE FUNCTION vek1_api.orders_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken int;
BEGIN
    IF to_regclass('vek1_api.order_state') IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO vek1_api.order_state (order_id, store_id, number, drafted_at)
    SELECT id, store_id, number, CASE WHEN status = 'draft' THEN now() END FROM fresh
    ON CONFLICT (store_id, number) DO NOTHING;
    SELECT number INTO taken FROM fresh
    WHERE NOT EXISTS (SELECT FROM vek1_api.order_state WHERE order_id = fresh.id);
    IF FOUND THEN
        PERFORM vek1_api.refuse('orders', 'number',
            format('the store has an order %s; POST /v1/stores/{id}/orders numbers them', taken));
    END IF;
    INSERT INTO vek1_api.order_counters AS counter (store_id, last)
    SELECT store_id, max(number) FROM fresh GROUP BY store_id ORDER BY store_id
    ON CONFLICT (store_id) DO UPDATE SET last = excluded.last WHERE counter.last < excluded.last;
    PERFORM vek1_api.count_purchases(lead_id, count(*)::int, sum(total_cents)) FROM fresh
    WHERE lead_id IS NOT NULL AND status IN ('confirmed', 'shipping', 'fulfilled')
    GROUP BY lead_id ORDER BY lead_id;
    RETURN NULL;
END $$;

-- A lead's purchases follow the status of its orders. That a lead is joined to another or
-- forgotten is none of this: its counters go along (merge_leads).
CREATE OR REPLACE FUNCTION vek1_api.orders_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.order_state') IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE vek1_api.order_state AS state
    SET drafted_at = CASE WHEN fresh.status = 'draft' THEN now() END
    FROM fresh WHERE fresh.id = state.order_id
      AND (state.drafted_at IS NOT NULL OR fresh.status = 'draft');
    PERFORM vek1_api.count_purchases(
        lead_id, sum(is_counted::int - was_counted::int)::int,
        sum(CASE WHEN is_counted THEN total_cents ELSE 0 END
            - CASE WHEN was_counted THEN former_cents ELSE 0 END)::bigint)
    FROM (
        SELECT fresh.lead_id, fresh.total_cents::bigint, stale.total_cents::bigint AS former_cents,
               fresh.status IN ('confirmed', 'shipping', 'fulfilled') AS is_counted,
               stale.status IN ('confirmed', 'shipping', 'fulfilled') AS was_counted
        FROM fresh JOIN stale USING (id) WHERE fresh.lead_id = stale.lead_id
    ) AS changed
    WHERE is_counted <> was_counted OR (is_counted AND total_cents <> former_cents)
    GROUP BY lead_id ORDER BY lead_id;
    RETURN NULL;
END $$;

-- Adds to what a lead bought, once for all the orders of a statement. Where there is nothing to
-- add to, the lead's orders are counted anew: before vek1-api nobody may have counted them, and a
-- column at its largest value does not say how much more there is (core.schema.counters).
CREATE OR REPLACE FUNCTION vek1_api.count_purchases(p_lead_id uuid, p_purchases int, p_cents bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    largest CONSTANT bigint := 2147483647;
BEGIN
    UPDATE public.leads SET
        total_purchases = total_purchases + p_purchases,
        total_spent_cents = total_spent_cents + p_cents
    WHERE id = p_lead_id AND total_purchases + p_purchases >= 0 AND total_spent_cents < largest
      AND total_spent_cents + p_cents BETWEEN 0 AND largest;
    IF FOUND THEN
        RETURN;
    END IF;
    -- Locked before it is counted: who has it meanwhile counts, and is counted.
    PERFORM FROM public.leads WHERE id = p_lead_id FOR NO KEY UPDATE;
    UPDATE public.leads SET
        total_purchases = counted.purchases,
        total_spent_cents = least(counted.cents, largest)
    FROM (
        SELECT count(*) AS purchases, coalesce(sum(total_cents), 0) AS cents FROM public.orders
        WHERE lead_id = p_lead_id AND status IN ('confirmed', 'shipping', 'fulfilled')
    ) AS counted WHERE id = p_lead_id;
END $$;

CREATE OR REPLACE FUNCTION vek1_api.clean_up_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('vek1_api.order_state') IS NOT NULL THEN
        DELETE FROM vek1_api.order_state WHERE order_id = OLD.id;
        DELETE FROM vek1_api.attempt_alias WHERE attempt_id IN (
            SELECT attempt_id FROM vek1_api.attempt_ref WHERE order_id = OLD.id);
        DELETE FROM vek1_api.attempt_ref WHERE order_id = OLD.id;
        DELETE FROM vek1_api.attention WHERE order_id = OLD.id;
        PERFORM vek1_api.remove_proofs(ARRAY[OLD.id]);
    END IF;
    RETURN NULL;
END $$;


---------------------------------------------------------------------------------------------
-- Which triggers there must be, and making those that are missing.
---------------------------------------------------------------------------------------------

-- Definitions are spelled as pg_get_triggerdef spells them, so that they can be compared.
-- Tables that do not exist are left out.
CREATE OR REPLACE FUNCTION vek1_api.required_triggers()
RETURNS TABLE (relation regclass, trigger_name text, definition text)
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    WITH wanted (table_name, trigger_name, moment, scope, function) AS (
        SELECT name, 'vek1_check', 'BEFORE INSERT OR UPDATE', 'FOR EACH ROW', 'vek1_api.check_' || name
        FROM unnest(ARRAY[
            'leads', 'messages_history', 'order_events', 'order_items', 'orders',
            'payment_attempts', 'product_files', 'products', 'stock_movements', 'stores',
            'token_usage'
        ]) AS name
        UNION ALL
        SELECT name, 'vek1_clean_up', 'AFTER DELETE', 'FOR EACH ROW', 'vek1_api.clean_up_' || name
        FROM unnest(ARRAY['agents', 'company_profiles', 'documents', 'leads', 'orders',
                          'product_files', 'products', 'stores']) AS name
        UNION ALL
        SELECT name, 'vek1_unlink', 'BEFORE DELETE', 'FOR EACH ROW', 'vek1_api.unlink_' || name
        FROM unnest(ARRAY['agents', 'products']) AS name
        UNION ALL
        SELECT 'products', 'vek1_inserted', 'AFTER INSERT',
               'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'vek1_api.products_inserted'
        UNION ALL
        SELECT 'products', 'vek1_updated', 'AFTER UPDATE',
               'REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT',
               'vek1_api.products_updated'
        UNION ALL
        SELECT 'stock_movements', 'vek1_announce', 'AFTER INSERT',
               'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'vek1_api.announce_movements'
        UNION ALL
        SELECT 'store_stock_sync_settings', 'vek1_open', 'AFTER INSERT OR DELETE OR UPDATE',
               'FOR EACH ROW', 'vek1_api.open_store_stock_sync_settings'
        UNION ALL
        SELECT 'leads', 'vek1_inserted', 'AFTER INSERT',
               'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'vek1_api.leads_inserted'
        UNION ALL
        SELECT 'orders', 'vek1_inserted', 'AFTER INSERT',
               'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'vek1_api.orders_inserted'
        UNION ALL
        SELECT 'orders', 'vek1_updated', 'AFTER UPDATE',
               'REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT',
               'vek1_api.orders_updated'
        UNION ALL
        SELECT 'messages_history', 'vek1_inserted', 'AFTER INSERT',
               'REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT', 'vek1_api.messages_inserted'
        UNION ALL
        SELECT 'messages_history', 'vek1_deleted', 'AFTER DELETE',
               'REFERENCING OLD TABLE AS stale FOR EACH STATEMENT', 'vek1_api.messages_deleted'
        UNION ALL
        SELECT 'product_files', 'vek1_speak', 'AFTER DELETE OR UPDATE', 'FOR EACH ROW',
               'vek1_api.speak_product_files'
        UNION ALL
        SELECT 'documents', 'vek1_reindex', 'AFTER UPDATE', 'FOR EACH ROW', 'vek1_api.reindex_documents'
        UNION ALL
        SELECT 'audit_log', 'vek1_append_only', 'BEFORE DELETE OR UPDATE', 'FOR EACH STATEMENT',
               'vek1_api.refuse_change'
        UNION ALL
        SELECT name, 'vek1_keep_rows', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'vek1_api.refuse_truncate'
        FROM unnest(ARRAY[
            'account', 'agent_knowledge_base', 'agents', 'audit_log', 'company_profiles',
            'documents', 'lead_events', 'leads', 'messages_history', 'order_events',
            'order_items', 'orders', 'payment_attempts', 'product_files', 'products', 'session',
            'stock_movements', 'store_payment_settings', 'store_stock_sync_settings', 'stores',
            'token_usage', 'user', 'verification'
        ]) AS name
        UNION ALL
        -- Every table of `public` that has the column, the front end's future ones too.
        SELECT relname, 'auto_updated_at', 'BEFORE UPDATE', 'FOR EACH ROW', 'public.auto_updated_at'
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND attname = 'updated_at' AND atttypid = 'timestamp'::regtype AND NOT attisdropped
    )
    SELECT pg_class.oid::regclass,
           wanted.trigger_name,
           format('CREATE TRIGGER %I %s ON public.%I %s EXECUTE FUNCTION %s()',
                  wanted.trigger_name, moment, relname, scope, function)
    FROM wanted
    JOIN pg_class ON relname = table_name AND relnamespace = 'public'::regnamespace
                 AND relkind = 'r'
    UNION ALL
    -- Whoever writes a notice adds the job that delivers it, at the end of the transaction.
    SELECT oid::regclass, 'vek1_enqueue',
           'CREATE CONSTRAINT TRIGGER vek1_enqueue AFTER INSERT ON vek1_api.stock_notices'
           ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
           ' EXECUTE FUNCTION vek1_api.enqueue_delivery()'
    FROM pg_class WHERE oid = to_regclass('vek1_api.stock_notices')
$$;

-- `problem` is 'missing', 'different', or 'invalid' when it is switched off.
CREATE OR REPLACE FUNCTION vek1_api.missing_triggers()
RETURNS TABLE (relation regclass, trigger_name text, definition text, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT required.relation, required.trigger_name, required.definition,
           CASE
               WHEN tgname IS NULL THEN 'missing'
               WHEN pg_get_triggerdef(pg_trigger.oid) <> required.definition THEN 'different'
               ELSE 'invalid'
           END
    FROM vek1_api.required_triggers() AS required
    LEFT JOIN pg_trigger ON tgrelid = required.relation AND tgname = required.trigger_name
    WHERE tgname IS NULL
       OR pg_get_triggerdef(pg_trigger.oid) <> required.definition
       OR tgenabled NOT IN ('O', 'A')
$$;

-- Touches, and so locks, only tables whose triggers are not as they should be.
DO $$
DECLARE
    wrong record;
BEGIN
    FOR wrong IN SELECT * FROM vek1_api.missing_triggers() LOOP
        -- A constraint trigger cannot be replaced, nor can a plain one by it.
        IF wrong.definition LIKE 'CREATE CONSTRAINT %' THEN
            EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', wrong.trigger_name, wrong.relation);
        END IF;
        EXECUTE regexp_replace(wrong.definition, '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER');
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %I', wrong.relation, wrong.trigger_name);
    END LOOP;
END $$;


---------------------------------------------------------------------------------------------
-- Search.
---------------------------------------------------------------------------------------------

-- An older function of that name may return other columns, which CREATE OR REPLACE refuses.
DO $$
DECLARE
    old regprocedure := to_regprocedure(
        'public.match_documents_test(public.vector, double precision, integer, uuid)');
BEGIN
    IF pg_get_function_result(old) <> 'TABLE(id uuid, title text, content text, '
                                      'metadata jsonb, similarity double precision)' THEN
        EXECUTE format('DROP FUNCTION %s', old);
    END IF;
END $$;

-- Semantic search over whole documents by cosine similarity, best first; with an agent, exact
-- and only among the documents of its knowledge base. WITHOUT an agent it sees every
-- company's documents: the API never calls it so.
CREATE OR REPLACE FUNCTION public.match_documents_test(
    query_embedding public.vector(1024),
    match_threshold double precision,
    match_count integer,
    p_agent_id uuid DEFAULT NULL
)
RETURNS TABLE (id uuid, title text, content text, metadata jsonb, similarity double precision)
LANGUAGE plpgsql STABLE
SET hnsw.iterative_scan = 'relaxed_order'
SET hnsw.ef_search = '100'
AS $$
#variable_conflict use_column
BEGIN
    IF p_agent_id IS NULL THEN
        RETURN QUERY
        WITH nearest AS MATERIALIZED (
            SELECT documents.id, documents.title, documents.content, documents.metadata,
                   1 - (documents.embedding OPERATOR(public.<=>) query_embedding) AS similarity
            FROM public.documents
            WHERE documents.embedding IS NOT NULL
            ORDER BY documents.embedding OPERATOR(public.<=>) query_embedding
            LIMIT greatest(match_count, 0)
        )
        SELECT * FROM nearest WHERE nearest.similarity > match_threshold
        ORDER BY nearest.similarity DESC, nearest.id;
    ELSE
        RETURN QUERY
        WITH permitted AS MATERIALIZED (
            SELECT documents.id, documents.title, documents.content, documents.metadata,
                   1 - (documents.embedding OPERATOR(public.<=>) query_embedding) AS similarity
            FROM public.agent_knowledge_base
            JOIN public.documents ON documents.id = agent_knowledge_base.document_id
            WHERE agent_knowledge_base.agent_id = p_agent_id
              AND documents.embedding IS NOT NULL
        )
        SELECT * FROM permitted WHERE permitted.similarity > match_threshold
        ORDER BY permitted.similarity DESC, permitted.id
        LIMIT greatest(match_count, 0);
    END IF;
END $$;

-- Lower case without accents, in any locale; ligatures and other compatibility characters
-- (`ﬁ`, `ª`, a no-break space) as plain ones; soft hyphens and zero-width characters vanish.
-- There is no `unaccent` here.
CREATE OR REPLACE FUNCTION vek1_api.fold(input text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(
        regexp_replace(lower(normalize(input, NFKD)), '[\u0300-\u036f]+', '', 'g'),
        'øØ×‐–—−' || U&'\00AD\200B\200C\200D\2060\FEFF',
        'oox----'
    )
$$;

-- The stem of one folded word in Brazilian Portuguese, folded; NULL for a stop word.
-- Irregular plurals first become singular: the stemmer knows them only by their accents.
CREATE OR REPLACE FUNCTION vek1_api.portuguese_stem(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    singular text := word;
    stem text[];
BEGIN
    -- The stemmer's own stop words that have accents, and those it lacks.
    IF word IN ('nao', 'ja', 'tambem', 'so', 'ate', 'voce', 'voces', 'nos', 'lhe', 'as', 'ha',
                'sao', 'estao', 'hao', 'sera', 'serao', 'tera', 'terao', 'havera', 'havia',
                'eramos', 'foramos', 'estavamos', 'tinhamos', 'teriamos', 'seriamos', 'uns',
                'umas', 'pra', 'pro', 'pras', 'pros', 'la', 'ai', 'ne') THEN
        RETURN NULL;
    END IF;
    IF length(word) > 3 THEN
        singular := CASE
            WHEN word IN ('mais', 'demais', 'jamais', 'pais', 'cais', 'dois', 'depois', 'pois',
                          'seis', 'dezesseis', 'caos', 'tenis', 'lapis', 'gratis') THEN word
            WHEN word IN ('maes', 'reis', 'leis', 'bois', 'herois') THEN left(word, -1)
            WHEN word IN ('uteis', 'inuteis', 'faceis', 'dificeis', 'frageis', 'texteis',
                          'ageis', 'volateis', 'versateis', 'portateis') THEN
                left(word, -3) || 'il'
            WHEN right(word, 3) IN ('oes', 'aes', 'aos') THEN left(word, -3) || 'ao'
            WHEN right(word, 3) IN ('ais', 'eis', 'ois', 'uis') THEN left(word, -2) || 'l'
            WHEN right(word, 2) = 'is' THEN left(word, -2) || 'il'
            WHEN right(word, 2) = 'ns' THEN left(word, -2) || 'm'
            WHEN right(word, 2) IN ('as', 'os') THEN left(word, -1)
            ELSE word
        END;
        -- Two endings that the stemmer can take off only with their accents.
        IF length(singular) > 4 AND right(singular, 3) = 'cao' THEN
            singular := left(singular, -3) || 'ção';
        ELSIF right(singular, 4) IN ('avel', 'ivel') THEN
            singular := left(singular, -4) || translate(right(singular, 4), 'ai', 'áí');
        END IF;
    END IF;
    stem := ts_lexize('pg_catalog.portuguese_stem', singular);
    RETURN translate(stem[1], 'ãçáí', 'acai');
END $$;

-- The lexemes of a text with the place of each: stems of words; whole, too, what looks like
-- a part number (`CAF-500G`, `X-T4`, `12.5mm`: joined by - / . _ or mixing digits and letters),
-- which weighs most (A). Looks at the first 65 536 characters, so that no limit of tsvector
-- can be reached.
CREATE OR REPLACE FUNCTION vek1_api.portuguese_words(input text)
RETURNS TABLE (lexeme text, place bigint, weight text)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 300 AS $$
#variable_conflict use_column
DECLARE
    -- A decimal comma is a decimal point; `R$` is no word.
    folded text := regexp_replace(
        replace(vek1_api.fold(left(input, 65536)), 'r$', ' '),
        '([0-9]),(?=[0-9])', '\1.', 'g');
BEGIN
    RETURN QUERY
    WITH runs AS MATERIALIZED (
        SELECT number, string_to_array(translate(run, '-/._', '    '), ' ') AS parts,
               CASE WHEN length(run) <= 64 AND run ~ '[-/._]' THEN run END AS whole
        FROM (
            SELECT btrim(run, '-/._') AS run, number
            FROM regexp_split_to_table(
                folded, '[^0-9a-z\u00df-\u00f6\u00f8-\u1fff\u3040-\ud7ff/._-]+'
            ) WITH ORDINALITY AS split (run, number)
        ) AS trimmed
    ),
    parts AS (
        SELECT left(part, 64) AS part,
               part ~ '[0-9]' AS has_digit,
               part ~ '[0-9]' AND part ~ '[^0-9]' AS is_mixed,
               row_number() OVER (ORDER BY number, part_number) AS place,
               CASE WHEN part_number = 1 THEN whole END AS whole
        FROM runs
        CROSS JOIN LATERAL unnest(parts) WITH ORDINALITY AS split (part, part_number)
        WHERE part <> ''
    )
    SELECT CASE WHEN has_digit THEN part ELSE vek1_api.portuguese_stem(part) END,
           place, CASE WHEN is_mixed THEN 'A' ELSE 'D' END
    FROM parts
    UNION ALL
    SELECT whole, place, CASE WHEN whole ~ '[0-9]' THEN 'A' ELSE 'D' END
    FROM parts WHERE whole IS NOT NULL
    UNION ALL
    -- `500g` is found by `500 g` too.
    SELECT atom[1], place, 'D'
    FROM parts CROSS JOIN LATERAL regexp_matches(part, '[0-9]{2,}|[^0-9]{2,}', 'g') AS atom
    WHERE is_mixed;
END $$;

-- What a passage is found by.
CREATE OR REPLACE FUNCTION vek1_api.portuguese_terms(input text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce((
        SELECT string_agg(entry, ' ')::tsvector
        FROM (
            SELECT format('''%s'':%s', lexeme, string_agg(place || weight, ',')) AS entry
            FROM (
                SELECT *, row_number() OVER (PARTITION BY lexeme ORDER BY place) AS occurrence
                FROM vek1_api.portuguese_words(input)
            ) AS words
            WHERE lexeme <> '' AND occurrence <= 255  -- A tsvector keeps no more.
            GROUP BY lexeme
        ) AS entries
    ), ''::tsvector);
END $$;

-- What a question looks for: any of its first 64 distinct lexemes. Never raises; matches
-- nothing when there are only stop words.
CREATE OR REPLACE FUNCTION vek1_api.portuguese_query(input text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET client_min_messages = warning  -- An empty tsquery raises a notice.
AS $$
DECLARE
    wanted text;
BEGIN
    SELECT string_agg(format('''%s''', lexeme), ' | ' ORDER BY place) INTO wanted
    FROM (
        SELECT lexeme, min(place) AS place
        FROM vek1_api.portuguese_words(input)
        WHERE lexeme <> ''
        GROUP BY lexeme ORDER BY 2, 1 LIMIT 64
    ) AS lexemes;
    RETURN coalesce(wanted, '')::tsquery;
END $$;


---------------------------------------------------------------------------------------------
-- Search, one statement for the API: who may answer, the nearest passages, the passages with
-- the words, both scores fused. The settings belong to the function, so that no transaction is needed
-- around it and that the planner sees the values: a generic plan took 364 ms instead of 13.
---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vek1_api.search_passages(
    p_store_id uuid,
    p_model_id smallint,
    p_embedding public.vector,      -- null: by words only
    p_query text,                   -- null: by meaning only
    p_agent_id uuid,
    p_category text,
    p_tags text[],
    p_product_id uuid,
    p_limit int,
    p_threshold double precision    -- least similarity; null: none
)
RETURNS TABLE (
    document_id uuid, passage int, similarity double precision,
    semantic_rank bigint, keyword_rank bigint, score double precision
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 800
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    exact_below CONSTANT int := 25000;  -- Passages; up to here exact is as fast: 2 ms per 1,000.
    scan_below CONSTANT int := 500;     -- Up to here it is faster to look at each for a word.
    common_above CONSTANT int := 5000;  -- A word in more passages than this tells nothing.
    candidates CONSTANT int := greatest(p_limit * 4, 40);
    -- Passages of a text that has changed since are kept for their vectors, but quote nothing
    -- any more: their document counts none until it is indexed again.
    is_narrowed CONSTANT boolean := coalesce(p_agent_id, p_product_id) IS NOT NULL
        OR p_category IS NOT NULL OR p_tags IS NOT NULL
        OR EXISTS (
            SELECT FROM vek1_api.document_index AS stale
            WHERE stale.store_id = p_store_id AND stale.status IN ('pending', 'failed')
              AND stale.chunk_count = 0 AND EXISTS (
                  SELECT FROM vek1_api.document_chunks AS old
                  WHERE old.document_id = stale.document_id));
    permitted uuid[];                   -- Null: every document of the store.
    passages bigint;
    near_documents uuid[];
    near_passages int[];
    near_distances double precision[];
    nearest double precision;           -- Similarity of the first and last candidate.
    farthest double precision;
    words text[];
BEGIN
    IF is_narrowed THEN
        SELECT array_agg(documents.id), sum(document_index.chunk_count)
        INTO permitted, passages
        FROM public.documents
        JOIN vek1_api.document_index ON document_index.document_id = documents.id
        WHERE documents.store_id = p_store_id AND document_index.chunk_count > 0
          AND (p_category IS NULL OR documents.category = p_category)
          AND (p_tags IS NULL OR documents.tags @> p_tags)
          AND (p_product_id IS NULL OR documents.product_id = p_product_id)
          AND (p_agent_id IS NULL
               OR documents.id IN (
                   SELECT linked.document_id FROM public.agent_knowledge_base AS linked
                   WHERE linked.agent_id = p_agent_id)
               OR (documents.product_id IS NOT NULL AND EXISTS (
                   SELECT FROM vek1_api.agent_knowledge AS known
                   WHERE known.agent_id = p_agent_id AND known.whole_catalogue)));
        permitted := coalesce(permitted, '{}');
    ELSE
        SELECT sum(document_index.chunk_count) INTO passages
        FROM vek1_api.document_index WHERE store_id = p_store_id;
    END IF;
    IF coalesce(passages, 0) = 0 THEN
        RETURN;
    END IF;

    IF p_embedding IS NOT NULL THEN
        IF passages > exact_below THEN
            SELECT array_agg(near.document_id ORDER BY near.distance),
                   array_agg(near.index ORDER BY near.distance),
                   array_agg(near.distance ORDER BY near.distance)
            INTO near_documents, near_passages, near_distances
            FROM (
                SELECT v.document_id, v.index, v.embedding <=> p_embedding AS distance
                FROM vek1_api.chunk_vectors AS v
                WHERE v.store_id = p_store_id AND v.model_id = p_model_id
                  AND (NOT is_narrowed OR v.document_id = ANY (permitted))
                ORDER BY v.embedding <=> p_embedding
                LIMIT candidates
            ) AS near;
        END IF;
        IF coalesce(array_length(near_documents, 1), 0) < least(candidates, passages) THEN
            -- "+ 0" keeps the planner from the approximate index.
            SELECT array_agg(near.document_id ORDER BY near.distance),
                   array_agg(near.index ORDER BY near.distance),
                   array_agg(near.distance ORDER BY near.distance)
            INTO near_documents, near_passages, near_distances
            FROM (
                SELECT v.document_id, v.index, v.embedding <=> p_embedding AS distance
                FROM vek1_api.chunk_vectors AS v
                WHERE v.store_id = p_store_id AND v.model_id = p_model_id
                  AND (NOT is_narrowed OR v.document_id = ANY (permitted))
                ORDER BY (v.embedding <=> p_embedding) + 0
                LIMIT candidates
            ) AS near;
        END IF;
    END IF;

    nearest := 1 - near_distances[1];
    farthest := 1 - near_distances[array_upper(near_distances, 1)];

    IF p_query IS NOT NULL THEN
        words := tsvector_to_array(vek1_api.portuguese_terms(p_query));
    END IF;

    RETURN QUERY
    WITH semantic AS (
        SELECT near.document_id, near.index, 1 - near.distance AS similarity, near.place
        FROM unnest(near_documents, near_passages, near_distances)
            WITH ORDINALITY AS near (document_id, index, distance, place)
    ), word AS (
        SELECT w.word, hit.document_id, hit.index,
               ln(1 + passages::double precision / count(*) OVER (PARTITION BY w.word)) AS weight,
               count(*) OVER (PARTITION BY w.word) > common_above AS is_common
        FROM unnest(words) AS w (word)
        CROSS JOIN LATERAL (
            SELECT c.document_id, c.index
            FROM vek1_api.document_chunks AS c
            WHERE c.store_id = p_store_id
              -- "IS TRUE" keeps the planner from the index, which has every store's passages.
              AND CASE WHEN passages > scan_below THEN c.terms @@ quote_literal(w.word)::tsquery
                       ELSE (c.terms @@ quote_literal(w.word)::tsquery) IS TRUE END
              AND (NOT is_narrowed OR c.document_id = ANY (permitted))
            LIMIT common_above + 1
        ) AS hit
    ), keyword AS (
        SELECT document_id, index,
               row_number() OVER (ORDER BY sum(weight) DESC, document_id, index) AS place,
               sum(weight) / max(sum(weight)) OVER () AS relevance
        FROM word
        WHERE NOT is_common OR NOT EXISTS (SELECT FROM word AS other WHERE NOT other.is_common)
        GROUP BY document_id, index
        ORDER BY place
        LIMIT candidates
    )
    SELECT document_id, index, found.similarity, semantic.place, keyword.place,
           -- Relative score fusion: each list from 0 (its last candidate) to 1 (its best).
           (CASE WHEN found.similarity IS NULL THEN 0
                 WHEN nearest = farthest THEN 1
                 ELSE greatest(found.similarity - farthest, 0) / (nearest - farthest) END
            + coalesce(keyword.relevance, 0)) / 2
    FROM semantic
    FULL JOIN keyword USING (document_id, index)
    CROSS JOIN LATERAL (
        SELECT coalesce(semantic.similarity, (
            SELECT 1 - (v.embedding <=> p_embedding) FROM vek1_api.chunk_vectors AS v
            WHERE v.document_id = keyword.document_id AND v.index = keyword.index
              AND v.model_id = p_model_id
        )) AS similarity
    ) AS found
    WHERE p_threshold IS NULL OR found.similarity >= p_threshold
    ORDER BY 6 DESC, found.similarity DESC NULLS LAST, document_id, index
    LIMIT p_limit;
END $$;
