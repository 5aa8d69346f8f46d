-- `public` as the front end's Drizzle schema makes it, name for name; frozen with revision 0001.
-- One statement per paragraph, one column per line: the revision reads it so.

CREATE TABLE IF NOT EXISTS public.account (
    id text NOT NULL,
    account_id text NOT NULL,
    provider_id text NOT NULL,
    user_id text NOT NULL,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at timestamp,
    refresh_token_expires_at timestamp,
    scope text,
    password text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp NOT NULL
);

CREATE TABLE IF NOT EXISTS public.agent_knowledge_base (
    agent_id uuid NOT NULL,
    document_id uuid NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.agents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    description text,
    active boolean DEFAULT false NOT NULL,
    spending_limit double precision,
    stripe_product_id text,
    evolution_instance_id text,
    system_prompt text,
    voice_tone text DEFAULT 'balanced'::text NOT NULL,
    website_enabled boolean DEFAULT true NOT NULL,
    whatsapp_enabled boolean DEFAULT false NOT NULL,
    whatsapp_phone_number text,
    rate_limit_per_hour integer,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.audit_log (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    actor_user_id text,
    store_id uuid,
    action text NOT NULL,
    target_type text NOT NULL,
    target_id text,
    ip text,
    ua text,
    request_id text,
    meta jsonb,
    at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.company_profiles (
    id text NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    logo_url text,
    bucket_name text,
    settings jsonb DEFAULT '{}'::jsonb,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.documents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    product_id uuid,
    title text NOT NULL,
    content text NOT NULL,
    file_name text,
    file_size integer,
    mime_type text,
    category text,
    tags text[],
    embedding public.vector(1024),
    metadata jsonb,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.lead_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    lead_id uuid NOT NULL,
    agent_id uuid,
    type text NOT NULL,
    data jsonb,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.leads (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    channel text NOT NULL,
    external_id text NOT NULL,
    name text,
    email text,
    phone_number text,
    phone_confirmed boolean DEFAULT false NOT NULL,
    street_address text,
    address_number text,
    complement text,
    neighborhood text,
    postal_code text,
    city text,
    state text,
    custom_attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    interests jsonb DEFAULT '[]'::jsonb NOT NULL,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    notes text,
    profile_summary text,
    profile_embedding public.vector(1024),
    profile_updated_at timestamp,
    status text DEFAULT 'new'::text NOT NULL,
    total_messages integer DEFAULT 0 NOT NULL,
    total_purchases integer DEFAULT 0 NOT NULL,
    total_spent_cents integer DEFAULT 0 NOT NULL,
    first_contact_at timestamp DEFAULT now() NOT NULL,
    last_contact_at timestamp DEFAULT now() NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.messages_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    store_id uuid,
    agent_id uuid,
    lead_id uuid,
    agent_type text NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    metadata jsonb,
    "timestamp" timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.order_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    type text NOT NULL,
    actor text NOT NULL,
    data jsonb,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.order_items (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    product_id uuid,
    name text NOT NULL,
    description text,
    price_cents integer NOT NULL,
    quantity integer DEFAULT 1 NOT NULL,
    subtotal_cents integer NOT NULL,
    custom_props jsonb,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.orders (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    lead_id uuid,
    agent_id uuid,
    number integer NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    payment_method text,
    payment_provider text,
    payment_external_id text,
    payment_br_code text,
    payment_br_code_image text,
    payment_link_url text,
    payment_expires_at timestamp,
    paid_at timestamp,
    proof_file_url text,
    proof_mime_type text,
    proof_received_at timestamp,
    proof_external_id text,
    shipping_at timestamp,
    confirmed_at timestamp,
    fulfilled_at timestamp,
    cancelled_at timestamp,
    subtotal_cents integer DEFAULT 0 NOT NULL,
    shipping_cents integer DEFAULT 0 NOT NULL,
    discount_cents integer DEFAULT 0 NOT NULL,
    total_cents integer DEFAULT 0 NOT NULL,
    currency text DEFAULT 'BRL'::text NOT NULL,
    customer_name text,
    customer_phone text,
    customer_email text,
    customer_tax_id text,
    shipping_address jsonb,
    notes text,
    source text DEFAULT 'agent'::text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.payment_attempts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    external_id text,
    status text NOT NULL,
    amount_cents integer NOT NULL,
    payload jsonb,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.product_files (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    company_id text NOT NULL,
    product_id uuid NOT NULL,
    filename text NOT NULL,
    original_filename text NOT NULL,
    file_size integer NOT NULL,
    file_type text NOT NULL,
    file_url text NOT NULL,
    bucket_name text NOT NULL,
    content text,
    status text DEFAULT 'pending'::text NOT NULL,
    upload_date timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.products (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    price double precision NOT NULL,
    stock integer DEFAULT 0 NOT NULL,
    product_integration_id text,
    custom_props jsonb,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.session (
    id text NOT NULL,
    expires_at timestamp NOT NULL,
    token text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp NOT NULL,
    ip_address text,
    user_agent text,
    user_id text NOT NULL
);

CREATE TABLE IF NOT EXISTS public.stock_movements (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    product_id uuid,
    delta integer NOT NULL,
    reason text NOT NULL,
    order_id uuid,
    external_id text,
    payload jsonb,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.store_payment_settings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    abacate_pay_api_key text,
    abacate_pay_dev_mode boolean DEFAULT false NOT NULL,
    abacate_pay_webhook_secret text,
    pix_enabled boolean DEFAULT false NOT NULL,
    pix_expires_in_minutes integer DEFAULT 60 NOT NULL,
    cash_on_delivery_enabled boolean DEFAULT true NOT NULL,
    manual_pix_key text,
    manual_pix_recipient text,
    default_tax_id text,
    payment_instructions text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.store_stock_sync_settings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    store_id uuid NOT NULL,
    outbound_url text,
    outbound_secret text,
    inbound_secret text,
    outbound_enabled boolean DEFAULT false NOT NULL,
    inbound_enabled boolean DEFAULT false NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.stores (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    company_id text NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    status text DEFAULT 'active'::text NOT NULL,
    allocated_size_gb integer DEFAULT 1 NOT NULL,
    used_size_bytes integer DEFAULT 0 NOT NULL,
    embedding_dimension integer DEFAULT 1024 NOT NULL,
    similarity_function text DEFAULT 'cosine'::text NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.token_usage (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    company_id text NOT NULL,
    model text NOT NULL,
    operation_type text NOT NULL,
    prompt_tokens integer DEFAULT 0 NOT NULL,
    completion_tokens integer DEFAULT 0 NOT NULL,
    cost_cents integer DEFAULT 0 NOT NULL,
    request_id text,
    metadata jsonb,
    created_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public."user" (
    id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    email_verified boolean DEFAULT false NOT NULL,
    image text,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

CREATE TABLE IF NOT EXISTS public.verification (
    id text NOT NULL,
    identifier text NOT NULL,
    value text NOT NULL,
    expires_at timestamp NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL,
    updated_at timestamp DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_knowledge_base
    ADD CONSTRAINT agent_knowledge_base_agent_id_document_id_pk PRIMARY KEY (agent_id, document_id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.company_profiles
    ADD CONSTRAINT company_profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.company_profiles
    ADD CONSTRAINT company_profiles_slug_unique UNIQUE (slug);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lead_events
    ADD CONSTRAINT lead_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.leads
    ADD CONSTRAINT leads_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.messages_history
    ADD CONSTRAINT messages_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.payment_attempts
    ADD CONSTRAINT payment_attempts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.product_files
    ADD CONSTRAINT product_files_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_token_unique UNIQUE (token);

ALTER TABLE ONLY public.stock_movements
    ADD CONSTRAINT stock_movements_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.store_payment_settings
    ADD CONSTRAINT store_payment_settings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.store_payment_settings
    ADD CONSTRAINT store_payment_settings_store_id_unique UNIQUE (store_id);

ALTER TABLE ONLY public.store_stock_sync_settings
    ADD CONSTRAINT store_stock_sync_settings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.store_stock_sync_settings
    ADD CONSTRAINT store_stock_sync_settings_store_id_unique UNIQUE (store_id);

ALTER TABLE ONLY public.stores
    ADD CONSTRAINT stores_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.token_usage
    ADD CONSTRAINT token_usage_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public."user"
    ADD CONSTRAINT user_email_unique UNIQUE (email);

ALTER TABLE ONLY public."user"
    ADD CONSTRAINT user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.verification
    ADD CONSTRAINT verification_pkey PRIMARY KEY (id);

CREATE INDEX IF NOT EXISTS "account_userId_idx" ON public.account USING btree (user_id);

CREATE INDEX IF NOT EXISTS "session_userId_idx" ON public.session USING btree (user_id);

CREATE INDEX IF NOT EXISTS verification_identifier_idx ON public.verification USING btree (identifier);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES public."user"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.agent_knowledge_base
    ADD CONSTRAINT agent_knowledge_base_agent_id_agents_id_fk FOREIGN KEY (agent_id) REFERENCES public.agents(id);

ALTER TABLE ONLY public.agent_knowledge_base
    ADD CONSTRAINT agent_knowledge_base_document_id_documents_id_fk FOREIGN KEY (document_id) REFERENCES public.documents(id);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_product_id_products_id_fk FOREIGN KEY (product_id) REFERENCES public.products(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.lead_events
    ADD CONSTRAINT lead_events_agent_id_agents_id_fk FOREIGN KEY (agent_id) REFERENCES public.agents(id);

ALTER TABLE ONLY public.lead_events
    ADD CONSTRAINT lead_events_lead_id_leads_id_fk FOREIGN KEY (lead_id) REFERENCES public.leads(id);

ALTER TABLE ONLY public.leads
    ADD CONSTRAINT leads_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.messages_history
    ADD CONSTRAINT messages_history_lead_id_leads_id_fk FOREIGN KEY (lead_id) REFERENCES public.leads(id);

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_order_id_orders_id_fk FOREIGN KEY (order_id) REFERENCES public.orders(id);

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_order_id_orders_id_fk FOREIGN KEY (order_id) REFERENCES public.orders(id);

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_product_id_products_id_fk FOREIGN KEY (product_id) REFERENCES public.products(id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_agent_id_agents_id_fk FOREIGN KEY (agent_id) REFERENCES public.agents(id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_lead_id_leads_id_fk FOREIGN KEY (lead_id) REFERENCES public.leads(id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.payment_attempts
    ADD CONSTRAINT payment_attempts_order_id_orders_id_fk FOREIGN KEY (order_id) REFERENCES public.orders(id);

ALTER TABLE ONLY public.product_files
    ADD CONSTRAINT product_files_company_id_company_profiles_id_fk FOREIGN KEY (company_id) REFERENCES public.company_profiles(id);

ALTER TABLE ONLY public.product_files
    ADD CONSTRAINT product_files_product_id_products_id_fk FOREIGN KEY (product_id) REFERENCES public.products(id);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES public."user"(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.stock_movements
    ADD CONSTRAINT stock_movements_product_id_products_id_fk FOREIGN KEY (product_id) REFERENCES public.products(id);

ALTER TABLE ONLY public.stock_movements
    ADD CONSTRAINT stock_movements_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.store_payment_settings
    ADD CONSTRAINT store_payment_settings_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.store_stock_sync_settings
    ADD CONSTRAINT store_stock_sync_settings_store_id_stores_id_fk FOREIGN KEY (store_id) REFERENCES public.stores(id);

ALTER TABLE ONLY public.stores
    ADD CONSTRAINT stores_company_id_company_profiles_id_fk FOREIGN KEY (company_id) REFERENCES public.company_profiles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.token_usage
    ADD CONSTRAINT token_usage_company_id_company_profiles_id_fk FOREIGN KEY (company_id) REFERENCES public.company_profiles(id);
