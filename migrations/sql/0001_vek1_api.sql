-- Our own state, out of a push's reach; frozen with revision 0001. No foreign keys or views into
-- `public`: triggers there clean up (init/01-init.sql). Indexes are listed in
-- vek1_api.core.schema.indexes and built CONCURRENTLY after the migration.

CREATE TABLE vek1_api.idempotency_keys (
    actor text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor, key)
);

-- Which company's trail a row of public.audit_log belongs to.
CREATE TABLE vek1_api.audit_trail (
    company_id text NOT NULL,
    at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    CONSTRAINT audit_trail_pkey PRIMARY KEY (company_id, at, entry_id)
);

CREATE TABLE vek1_api.company_slugs (
    slug text NOT NULL,
    company_id text NOT NULL,
    CONSTRAINT company_slugs_pkey PRIMARY KEY (slug)
);

-- A soft-deleted store gives its slug back.
CREATE TABLE vek1_api.store_slugs (
    company_id text NOT NULL,
    slug text NOT NULL,
    store_id uuid NOT NULL,
    CONSTRAINT store_slugs_pkey PRIMARY KEY (company_id, slug)
);

-- Decides the quota; stores.used_size_bytes is an int4 and only shows it.
CREATE TABLE vek1_api.store_storage (
    store_id uuid NOT NULL,
    used_bytes bigint DEFAULT 0 NOT NULL,
    CONSTRAINT store_storage_pkey PRIMARY KEY (store_id)
);

-- state: 'pending' (being uploaded), 'kept', 'doomed' (to be removed from the bucket).
CREATE TABLE vek1_api.stored_objects (
    key text NOT NULL,
    company_id text NOT NULL,
    store_id uuid,
    size_bytes bigint NOT NULL,
    state text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT stored_objects_pkey PRIMARY KEY (key)
);

CREATE TABLE vek1_api.agent_knowledge (
    agent_id uuid NOT NULL,
    whole_catalogue boolean DEFAULT false NOT NULL,
    CONSTRAINT agent_knowledge_pkey PRIMARY KEY (agent_id)
);

CREATE TABLE vek1_api.embedding_models (
    id smallint GENERATED ALWAYS AS IDENTITY NOT NULL,
    name text NOT NULL,
    dimensions integer NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT embedding_models_pkey PRIMARY KEY (id),
    CONSTRAINT embedding_models_name_unique UNIQUE (name)
);

-- status: 'pending', 'ready', 'failed'. model_id is that of public.documents.embedding.
CREATE TABLE vek1_api.document_index (
    document_id uuid NOT NULL,
    store_id uuid NOT NULL,
    status text NOT NULL,
    error_code text,
    error_message text,
    revision integer DEFAULT 1 NOT NULL,
    chunk_count integer DEFAULT 0 NOT NULL,
    page_count integer,
    pages jsonb,
    model_id smallint,
    object_key text,
    counted_bytes bigint DEFAULT 0 NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT document_index_pkey PRIMARY KEY (document_id)
);

-- content[start:end] = text, always.
CREATE TABLE vek1_api.document_chunks (
    document_id uuid NOT NULL,
    index integer NOT NULL,
    store_id uuid NOT NULL,
    text text NOT NULL,
    start integer NOT NULL,
    "end" integer NOT NULL,
    page integer,
    digest bytea NOT NULL,
    terms tsvector NOT NULL,
    CONSTRAINT document_chunks_pkey PRIMARY KEY (document_id, index)
);

-- PLAIN storage keeps a vector in its row: an exact scan reads no TOAST table.
CREATE TABLE vek1_api.chunk_vectors (
    document_id uuid NOT NULL,
    index integer NOT NULL,
    model_id smallint NOT NULL,
    store_id uuid NOT NULL,
    embedding public.vector(1024) STORAGE PLAIN NOT NULL,
    CONSTRAINT chunk_vectors_pkey PRIMARY KEY (document_id, index, model_id)
);
