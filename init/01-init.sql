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
    IF TG_OP = 'UPDATE' AND NEW.stock <> OLD.stock
       AND coalesce(current_setting('vek1_api.is_writer', true), '') <> 'on' THEN
        PERFORM vek1_api.refuse('products', 'stock_ledger',
            'stock changes through POST /v1/products/{id}/stock, which writes its movement');
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
    IF NEW.total_cents <>
       NEW.subtotal_cents::bigint + NEW.shipping_cents - NEW.discount_cents THEN
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
    IF TG_OP = 'INSERT' AND coalesce(current_setting('vek1_api.is_writer', true), '') <> 'on' THEN
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
        SELECT split FROM regexp_split_to_table(vek1_api.fold(left(question, 200)), '\s+')
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
            SELECT known || string_agg(quote_literal(term), ' | ')::tsquery INTO known
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
                error_message = NULL, pages = NULL, page_count = NULL, updated_at = now()
            RETURNING it.document_id, it.store_id, it.revision
        )
        SELECT pending.store_id, count(*) > few AS are_many,
               array_agg(document_id) AS documents, array_agg(revision) AS revisions
        FROM pending GROUP BY pending.store_id
    LOOP
        IF stale.are_many THEN
            PERFORM vek1_api.enqueue('documents.index_store',
                json_build_object('store_id', stale.store_id), NULL, NULL);
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
        FROM unnest(ARRAY['agents', 'company_profiles', 'documents', 'product_files', 'products',
                          'stores']) AS name
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
        EXECUTE regexp_replace(wrong.definition, '^CREATE', 'CREATE OR REPLACE');
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
    is_narrowed CONSTANT boolean := coalesce(p_agent_id, p_product_id) IS NOT NULL
        OR p_category IS NOT NULL OR p_tags IS NOT NULL;
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
        WHERE documents.store_id = p_store_id
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
