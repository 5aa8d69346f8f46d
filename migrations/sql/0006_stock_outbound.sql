-- Telling a store's ERP about its stock; frozen with revision 0006. Indexes are listed in
-- vek1_api.core.schema.indexes.

-- What the trigger on movements must know of a store, derived from its
-- public.store_stock_sync_settings, and how its ERP has answered.
CREATE TABLE vek1_api.stock_outlets (
    store_id uuid NOT NULL,
    is_open boolean NOT NULL,
    open_since timestamptz,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamptz,
    paused_until timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    CONSTRAINT stock_outlets_pkey PRIMARY KEY (store_id)
);

-- A secret that was replaced and is still good for a while, sealed as it was in its column.
CREATE TABLE vek1_api.stock_old_secrets (
    store_id uuid NOT NULL,
    which text NOT NULL,
    sealed text NOT NULL,
    valid_until timestamptz NOT NULL,
    CONSTRAINT stock_old_secrets_pkey PRIMARY KEY (store_id, which, sealed)
);

-- How many messages there have been about a product.
CREATE TABLE vek1_api.stock_sequences (
    product_id uuid NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT stock_sequences_pkey PRIMARY KEY (product_id)
);

-- The one message of a movement, and how far its delivery is.
CREATE TABLE vek1_api.stock_notices (
    movement_id uuid NOT NULL,
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    product_integration_id text,
    sequence bigint NOT NULL,
    level integer NOT NULL,
    delta integer NOT NULL,
    reason text NOT NULL,
    order_id uuid,
    origin text NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    status text DEFAULT 'waiting' NOT NULL,
    -- From when its day of attempts counts: later than created_at once somebody asked again.
    wanted_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    due_at timestamptz DEFAULT '-infinity' NOT NULL,
    leased_until timestamptz,
    attempts integer DEFAULT 0 NOT NULL,
    delivered_at timestamptz,
    CONSTRAINT stock_notices_pkey PRIMARY KEY (movement_id)
);

CREATE TABLE vek1_api.stock_attempts (
    movement_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status integer,
    error text,
    answer text,
    CONSTRAINT stock_attempts_pkey PRIMARY KEY (movement_id, number)
);
