-- Our own state of the catalogue; frozen with revision 0002. Indexes are listed in
-- vek1_api.core.schema.indexes.

-- What is derived from a product by trigger: the document that speaks for it, and the words
-- that a shopper finds it by.
CREATE TABLE vek1_api.product_index (
    product_id uuid NOT NULL,
    store_id uuid NOT NULL,
    document_id uuid NOT NULL,
    terms tsvector NOT NULL,
    CONSTRAINT product_index_pkey PRIMARY KEY (product_id)
);

-- Decides which product an ERP's id names; the column in public has no unique index.
CREATE TABLE vek1_api.product_keys (
    store_id uuid NOT NULL,
    product_integration_id text NOT NULL,
    product_id uuid NOT NULL,
    CONSTRAINT product_keys_pkey PRIMARY KEY (store_id, product_integration_id)
);

-- A file that a browser may put into the bucket by itself until expires_at.
CREATE TABLE vek1_api.file_uploads (
    file_id uuid NOT NULL,
    product_id uuid NOT NULL,
    object_key text NOT NULL,
    filename text NOT NULL,
    mime_type text NOT NULL,
    size_bytes bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT file_uploads_pkey PRIMARY KEY (file_id)
);

-- status: 'pending', 'running', 'done', 'failed'. summary counts the rows by their verdict.
CREATE TABLE vek1_api.imports (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    kind text NOT NULL,
    dry_run boolean NOT NULL,
    status text NOT NULL,
    actor_user_id text,
    total_rows integer NOT NULL,
    done_rows integer DEFAULT 0 NOT NULL,
    summary jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT imports_pkey PRIMARY KEY (id)
);

-- A line of the file: what it says (until it is done), and what became of it.
CREATE TABLE vek1_api.import_rows (
    import_id uuid NOT NULL,
    row integer NOT NULL,
    "values" jsonb,
    status text,
    target_id uuid,
    errors jsonb,
    CONSTRAINT import_rows_pkey PRIMARY KEY (import_id, row)
);
