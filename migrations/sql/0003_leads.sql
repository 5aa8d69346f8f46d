-- Our own state of leads and their conversations; frozen with revision 0003. Indexes are listed
-- in vek1_api.core.schema.indexes.

-- Decides who a lead is: every spelling of an id that a person is known by, in canonical form
-- (vek1_api.contact_id). The unique index on public.leads only makes things fast.
CREATE TABLE vek1_api.lead_identity (
    store_id uuid NOT NULL,
    channel text NOT NULL,
    identity text NOT NULL,
    lead_id uuid NOT NULL,
    CONSTRAINT lead_identity_pkey PRIMARY KEY (store_id, channel, identity)
);

-- The id that a person wrote from last, exactly as it came: answers go there.
CREATE TABLE vek1_api.lead_contact (
    lead_id uuid NOT NULL,
    reply_to text NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT lead_contact_pkey PRIMARY KEY (lead_id)
);

-- A lead that was joined to another: its id goes on resolving.
CREATE TABLE vek1_api.lead_merges (
    lead_id uuid NOT NULL,
    into_id uuid NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT lead_merges_pkey PRIMARY KEY (lead_id)
);

-- What an agent remembered of a person, version by version, and the messages that it came from.
CREATE TABLE vek1_api.lead_profiles (
    lead_id uuid NOT NULL,
    version integer NOT NULL,
    profile_summary text NOT NULL,
    interests jsonb NOT NULL,
    preferences jsonb NOT NULL,
    custom_attributes jsonb NOT NULL,
    first_message_id uuid,
    last_message_id uuid,
    actor_user_id text,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT lead_profiles_pkey PRIMARY KEY (lead_id, version)
);

-- The newest version as a vector, of the model that it was made with.
CREATE TABLE vek1_api.lead_vectors (
    lead_id uuid NOT NULL,
    store_id uuid NOT NULL,
    version integer NOT NULL,
    model_id smallint NOT NULL,
    embedding public.vector(1024) STORAGE PLAIN NOT NULL,
    CONSTRAINT lead_vectors_pkey PRIMARY KEY (lead_id)
);

-- A provider's message once, whatever the redelivery.
CREATE TABLE vek1_api.message_key (
    store_id uuid NOT NULL,
    provider_message_id text NOT NULL,
    message_id uuid NOT NULL,
    CONSTRAINT message_key_pkey PRIMARY KEY (store_id, provider_message_id)
);

-- What a message is found by.
CREATE TABLE vek1_api.message_terms (
    message_id uuid NOT NULL,
    store_id uuid NOT NULL,
    terms tsvector NOT NULL,
    CONSTRAINT message_terms_pkey PRIMARY KEY (message_id)
);

-- Somebody who was forgotten, as salted digests: what arrives late from before then is dropped.
CREATE TABLE vek1_api.erased_identity (
    store_id uuid NOT NULL,
    digest bytea NOT NULL,
    erased_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT erased_identity_pkey PRIMARY KEY (store_id, digest)
);

-- What a store does with people's data: how long it keeps what they said, and people who went
-- silent (null is for ever); the salt of its erased_identity.
CREATE TABLE vek1_api.store_privacy (
    store_id uuid NOT NULL,
    messages_days integer,
    leads_days integer,
    salt bytea DEFAULT uuid_send(gen_random_uuid()) NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT store_privacy_pkey PRIMARY KEY (store_id)
);
