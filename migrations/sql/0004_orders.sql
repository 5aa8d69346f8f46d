-- Our own state of orders and their payments; frozen with revision 0004. Indexes are listed in
-- vek1_api.core.schema.indexes.

-- The last number that a store gave to an order.
CREATE TABLE vek1_api.order_counters (
    store_id uuid NOT NULL,
    last integer NOT NULL,
    CONSTRAINT order_counters_pkey PRIMARY KEY (store_id)
);

-- What public.orders has no column for. Its keys decide that a store's numbers do not repeat.
CREATE TABLE vek1_api.order_state (
    order_id uuid NOT NULL,
    store_id uuid NOT NULL,
    number integer NOT NULL,
    -- Since when the draft has not been touched; null once it is no draft any more.
    drafted_at timestamptz DEFAULT now(),
    -- The attempt that the customer is asked to pay, and the one that was paid.
    attempt_id uuid,
    paid_attempt_id uuid,
    proof_versions integer DEFAULT 0 NOT NULL,
    proof_review text,
    CONSTRAINT order_state_pkey PRIMARY KEY (order_id),
    CONSTRAINT order_state_store_id_number_key UNIQUE (store_id, number)
);

-- How a store is paid, beside public.store_payment_settings.
CREATE TABLE vek1_api.store_payment (
    store_id uuid NOT NULL,
    manual_pix_key_type text,
    manual_pix_city text,
    -- Secrets that were replaced and are still taken for a while: [{sealed, valid_until}].
    previous_webhook_secrets jsonb DEFAULT '[]' NOT NULL,
    -- Since when AbacatePay knows where its webhooks go, or why it does not.
    webhook_registered_at timestamptz,
    webhook_error text,
    CONSTRAINT store_payment_pkey PRIMARY KEY (store_id)
);

-- What public.payment_attempts has no column for: the keys that make a charge one charge.
-- `state` is creating, unknown, open, paid, paid_again, failed, expired, disputed, refunding or
-- refunded.
CREATE TABLE vek1_api.attempt_ref (
    attempt_id uuid NOT NULL,
    order_id uuid NOT NULL,
    store_id uuid NOT NULL,
    provider text NOT NULL,
    external_id text,
    state text NOT NULL,
    amount_cents integer NOT NULL,
    dev_mode boolean DEFAULT false NOT NULL,
    br_code text,
    expires_at timestamptz,
    -- When the gateway is asked next; null when there is nothing left to ask.
    check_at timestamptz,
    checks integer DEFAULT 0 NOT NULL,
    refund_id text,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT attempt_ref_pkey PRIMARY KEY (attempt_id)
);

-- Every id by which a provider names a charge: `pix_char_…` and `char_…` are one.
CREATE TABLE vek1_api.attempt_alias (
    provider text NOT NULL,
    external_id text NOT NULL,
    attempt_id uuid NOT NULL,
    CONSTRAINT attempt_alias_pkey PRIMARY KEY (provider, external_id)
);

-- One charge of an order waits at a time.
CREATE UNIQUE INDEX attempt_ref_open_key ON vek1_api.attempt_ref (order_id, provider)
WHERE state IN ('creating', 'unknown', 'open');

-- Each version of a customer's proof of payment; the file is a private object.
CREATE TABLE vek1_api.order_proofs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    store_id uuid NOT NULL,
    version integer NOT NULL,
    source text NOT NULL,
    message_id uuid,
    object_key text NOT NULL,
    filename text NOT NULL,
    size_bytes integer NOT NULL,
    mime_type text NOT NULL,
    sha256 bytea NOT NULL,
    -- Whether its text was read: pending, read, unreadable.
    reading text DEFAULT 'pending' NOT NULL,
    -- Why it could not be read.
    reading_error text,
    content text,
    -- What the text says, as the proof desk compares it; null until it was read.
    facts jsonb,
    review text DEFAULT 'pending' NOT NULL,
    reason text,
    received_at timestamptz DEFAULT now() NOT NULL,
    reviewed_at timestamptz,
    CONSTRAINT order_proofs_pkey PRIMARY KEY (id),
    CONSTRAINT order_proofs_order_id_version_key UNIQUE (order_id, version),
    -- A message is taken once.
    CONSTRAINT order_proofs_message_id_key UNIQUE (message_id)
);

-- The payments that a proof names, by what two readings of one end-to-end id have in common
-- (pix.receipts.payment_key).
CREATE TABLE vek1_api.proof_payments (
    proof_id uuid NOT NULL,
    order_id uuid NOT NULL,
    store_id uuid NOT NULL,
    payment_key text NOT NULL,
    CONSTRAINT proof_payments_pkey PRIMARY KEY (proof_id, payment_key)
);

-- What a person must look at: money that does not fit its order.
CREATE TABLE vek1_api.attention (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    order_id uuid,
    attempt_id uuid,
    -- What makes it one thing, however often it is found.
    subject text NOT NULL,
    kind text NOT NULL,
    details jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT attention_pkey PRIMARY KEY (id),
    CONSTRAINT attention_store_id_kind_subject_key UNIQUE (store_id, kind, subject)
);

-- Webhooks as they came (secrets redacted), before anybody understood them.
CREATE TABLE vek1_api.webhook_inbox (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    source text NOT NULL,
    store_id uuid NOT NULL,
    -- The sender's id of the event, or the digest of its body.
    event_key text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz DEFAULT now() NOT NULL,
    deliveries integer DEFAULT 1 NOT NULL,
    handled_at timestamptz,
    verdict text,
    reason text,
    order_id uuid,
    CONSTRAINT webhook_inbox_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_inbox_source_store_id_event_key_key UNIQUE (source, store_id, event_key)
);
