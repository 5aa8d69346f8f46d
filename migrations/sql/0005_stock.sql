-- What ERPs said about stock; frozen with revision 0005. Indexes are listed in
-- vek1_api.core.schema.indexes.

-- An ERP's change once, whatever the redelivery: its primary key decides.
CREATE TABLE vek1_api.erp_keys (
    store_id uuid NOT NULL,
    external_id text NOT NULL,
    product_id uuid NOT NULL,
    level integer,
    delta integer,
    before integer NOT NULL,
    after integer NOT NULL,
    received_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT erp_keys_pkey PRIMARY KEY (store_id, external_id)
);

-- The last level that an ERP gave for a product, also one that was refused for being negative.
CREATE TABLE vek1_api.erp_levels (
    product_id uuid NOT NULL,
    store_id uuid NOT NULL,
    level integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    external_id text,
    CONSTRAINT erp_levels_pkey PRIMARY KEY (product_id)
);

-- A dry run that may still be applied: its items, each with the ground that it was judged on.
CREATE TABLE vek1_api.stock_plans (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    items jsonb NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT stock_plans_pkey PRIMARY KEY (id)
);

-- From which share of a store's catalogue on an ERP's batch is held until it is confirmed.
CREATE TABLE vek1_api.stock_guard (
    store_id uuid NOT NULL,
    hold_above_percent smallint DEFAULT 50 NOT NULL,
    hold_from_products integer DEFAULT 10 NOT NULL,
    CONSTRAINT stock_guard_pkey PRIMARY KEY (store_id)
);
