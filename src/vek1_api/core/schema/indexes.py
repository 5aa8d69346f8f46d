"""The required indexes, one list for everybody who makes or checks one.

Spelled as ``pg_get_indexdef`` spells them, so that catalog and list can be compared. Those
on ``public`` are dropped by a push of the front end until its ``schema.ts`` declares them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequiredIndex:
    """An index by its table, its columns as Postgres prints them, and how it is built."""

    table: str
    name: str
    columns: str
    method: str = "btree"
    unique: bool = False

    @property
    def schema(self) -> str:
        """The schema of the table, and so of the index."""
        return self.table.partition(".")[0]

    @property
    def qualified_name(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}"

    def definition(self, *, concurrently: bool = False) -> str:
        """Return the statement that makes it; without options, as Postgres prints it."""
        unique = "UNIQUE " if self.unique else ""
        how = "CONCURRENTLY IF NOT EXISTS " if concurrently else ""
        return (
            f"CREATE {unique}INDEX {how}{self.name} ON {self.table} "
            f"USING {self.method} ({self.columns})"
        )


def _index(table: str, *columns: str) -> RequiredIndex:
    words = [column.partition(" ")[0].strip('"') for column in columns]
    name = "_".join([table.partition(".")[2], *words, "idx"])
    return RequiredIndex(table, name, ", ".join(columns))


def _hnsw(table: str, column: str) -> RequiredIndex:
    name = f"{table.partition('.')[2]}_{column}_idx"
    return RequiredIndex(table, name, f"{column} vector_cosine_ops", method="hnsw")


NEWEST_FIRST = ("created_at DESC", "id DESC")
LEADS_IDENTITY = "leads_store_id_channel_external_id_unique"

REQUIRED_INDEXES: tuple[RequiredIndex, ...] = (
    # The seed's "Indexes críticos".
    _hnsw("public.documents", "embedding"),
    _hnsw("public.leads", "profile_embedding"),
    RequiredIndex(
        "public.leads", LEADS_IDENTITY, "store_id, channel, external_id", unique=True
    ),
    _index("public.orders", "store_id", "status", "created_at DESC"),
    _index("public.messages_history", "lead_id", '"timestamp" DESC'),
    _index("public.messages_history", "agent_id", '"timestamp" DESC'),
    _index("public.audit_log", "actor_user_id", "at DESC"),
    _index("public.audit_log", "target_type", "target_id", "at DESC"),
    # Pages, newest first; with store_id in front they serve its foreign key too.
    _index("public.stores", "company_id", *NEWEST_FIRST),
    _index("public.agents", "store_id", *NEWEST_FIRST),
    _index("public.documents", "store_id", *NEWEST_FIRST),
    _index("public.products", "store_id", *NEWEST_FIRST),
    _index("public.leads", "store_id", *NEWEST_FIRST),
    _index("public.orders", "store_id", *NEWEST_FIRST),
    # The other foreign keys: deleting a parent looks its children up.
    _index("public.agent_knowledge_base", "document_id"),
    _index("public.documents", "product_id"),
    _index("public.lead_events", "lead_id"),
    _index("public.lead_events", "agent_id"),
    _index("public.order_events", "order_id"),
    _index("public.order_items", "order_id"),
    _index("public.order_items", "product_id"),
    _index("public.orders", "lead_id"),
    _index("public.orders", "agent_id"),
    _index("public.payment_attempts", "order_id"),
    _index("public.product_files", "company_id"),
    _index("public.product_files", "product_id"),
    _index("public.stock_movements", "product_id", *NEWEST_FIRST),
    _index("public.stock_movements", "store_id", *NEWEST_FIRST),
    _index("public.token_usage", "company_id"),
    # Ours.
    _index("vek1_api.idempotency_keys", "created_at"),
    RequiredIndex(
        "vek1_api.idempotency_keys",
        "idempotency_keys_ids_idx",
        "vek1_api.ids_named(body)",
        method="gin",
    ),
    _index("vek1_api.stored_objects", "state", "created_at"),
    _index("vek1_api.stored_objects", "store_id"),
    _index("vek1_api.document_index", "store_id", "status"),
    _index("vek1_api.document_chunks", "store_id"),
    RequiredIndex(
        "vek1_api.document_chunks", "document_chunks_terms_idx", "terms", method="gin"
    ),
    _index("vek1_api.chunk_vectors", "store_id", "model_id"),
    _hnsw("vek1_api.chunk_vectors", "embedding"),
    _index("vek1_api.product_index", "store_id"),
    _index("vek1_api.product_index", "document_id"),
    RequiredIndex(
        "vek1_api.product_index", "product_index_terms_idx", "terms", method="gin"
    ),
    _index("vek1_api.product_keys", "product_id"),
    _index("vek1_api.erp_levels", "store_id"),
    _index("vek1_api.erp_keys", "received_at"),
    _index("vek1_api.stock_plans", "store_id", "created_at"),
    _index("vek1_api.file_uploads", "expires_at"),
    _index("vek1_api.file_uploads", "product_id"),
    _index("vek1_api.imports", "created_at"),
    _index("vek1_api.imports", "store_id"),
    _index("public.messages_history", "store_id", '"timestamp" DESC'),
    _index("vek1_api.lead_identity", "lead_id"),
    _index("vek1_api.lead_merges", "into_id"),
    _index("vek1_api.lead_vectors", "store_id", "model_id"),
    _hnsw("vek1_api.lead_vectors", "embedding"),
    _index("vek1_api.message_key", "message_id"),
    _index("vek1_api.message_terms", "store_id"),
    RequiredIndex(
        "vek1_api.message_terms", "message_terms_terms_idx", "terms", method="gin"
    ),
    _index("public.stock_movements", "order_id"),
    _index("vek1_api.order_state", "drafted_at"),
    _index("vek1_api.attempt_ref", "order_id"),
    _index("vek1_api.attempt_ref", "check_at"),
    _index("vek1_api.attempt_alias", "attempt_id"),
    _index("vek1_api.order_proofs", "store_id", "sha256"),
    _index("vek1_api.proof_payments", "store_id", "payment_key"),
    _index("vek1_api.proof_payments", "order_id"),
    _index("vek1_api.attention", "store_id", *NEWEST_FIRST),
    _index("vek1_api.attention", "order_id"),
    _index("vek1_api.webhook_inbox", "store_id", "received_at DESC", "id DESC"),
    _index("vek1_api.webhook_inbox", "received_at"),
    _index("vek1_api.stock_notices", "store_id", "status", "product_id", "sequence"),
    _index("vek1_api.stock_notices", "store_id", "created_at DESC", "movement_id DESC"),
)
