"""The rules that triggers keep on rows of public: refusals change nothing."""

import asyncpg
import pytest

from tests.database.shop import Shop, all_rows
from vek1_api.core import schema

REFUSED_UPDATES = [
    ("stores", "status = 'closed'", "stores_status"),
    ("stores", "allocated_size_gb = 0", "stores_allocated_size_gb"),
    ("stores", "allocated_size_gb = 1001", "stores_allocated_size_gb"),
    ("stores", "used_size_bytes = -1", "stores_used_size_bytes"),
    ("stores", "embedding_dimension = 1536", "stores_embedding_dimension"),
    ("stores", "embedding_dimension = 0", "stores_embedding_dimension"),
    ("leads", "channel = 'telegram'", "leads_channel"),
    ("leads", "total_spent_cents = -1", "leads_totals"),
    ("messages_history", "role = 'system'", "messages_history_role"),
    ("products", "stock = -1", "products_stock"),
    ("products", "price = -0.01", "products_price"),
    ("products", "price = 'NaN'", "products_price"),
    ("products", "price = 'Infinity'", "products_price"),
    ("product_files", "status = 'done'", "product_files_status"),
    ("product_files", "file_size = -1", "product_files_file_size"),
    ("orders", "status = 'paid'", "orders_status"),
    ("orders", "payment_method = 'card'", "orders_payment_method"),
    ("orders", "payment_provider = 'stripe'", "orders_payment_provider"),
    ("orders", "source = 'web'", "orders_source"),
    ("orders", "currency = 'USD'", "orders_currency"),
    ("orders", "number = 0", "orders_number"),
    ("orders", "total_cents = 6481", "orders_total_cents"),
    ("orders", "subtotal_cents = 2147483647", "orders_total_cents"),
    ("orders", "discount_cents = 7000, total_cents = -20", "orders_amounts"),
    ("orders", "shipping_cents = -1, total_cents = 5479", "orders_amounts"),
    ("order_items", "quantity = 0, subtotal_cents = 0", "order_items_quantity"),
    ("order_items", "price_cents = -1, subtotal_cents = -2", "order_items_price_cents"),
    ("order_items", "subtotal_cents = 5981", "order_items_subtotal_cents"),
    ("order_items", "price_cents = 2147483647", "order_items_subtotal_cents"),
    ("order_events", "type = 'shipped'", "order_events_type"),
    ("order_events", "actor = 'robot'", "order_events_actor"),
    ("payment_attempts", "status = 'open'", "payment_attempts_status"),
    ("payment_attempts", "amount_cents = -1", "payment_attempts_amount_cents"),
    ("stock_movements", "reason = 'theft'", "stock_movements_reason"),
    ("token_usage", "cost_cents = -1", "token_usage_amounts"),
    ("audit_log", "action = 'other'", "audit_log_append_only"),
]

ALLOWED_VALUES: dict[str, list[str | None]] = {
    "stores.status": ["active", "inactive", "deleted"],
    "leads.channel": ["whatsapp", "website"],
    "leads.status": ["new", "whatever-a-company-adds"],
    "messages_history.role": ["user", "assistant", "tool", "debug"],
    "product_files.status": ["pending", "ready", "failed"],
    "orders.status": [
        *("draft", "awaiting_proof", "proof_received", "confirmed", "shipping"),
        *("fulfilled", "cancelled"),
    ],
    "orders.payment_method": ["pix_manual", "pix_gateway", "cash_on_delivery", None],
    "orders.payment_provider": ["abacate_pay", "manual", None],
    "orders.source": ["agent", "manual"],
    "order_events.type": [
        *("created", "confirmed", "payment_initialized", "payment_paid", "payment_failed"),
        *("fulfilled", "cancelled", "note"),
    ],
    "order_events.actor": ["agent", "user", "system", "webhook"],
    "payment_attempts.status": ["initialized", "paid", "failed", "expired"],
    "stock_movements.reason": [
        *("order_created", "order_cancelled", "inbound_sync", "manual"),
    ],
}

WITH_UPDATED_AT = [
    *("account", "agents", "company_profiles", "documents", "leads", "orders"),
    *("payment_attempts", "products", "session", "store_payment_settings"),
    *("store_stock_sync_settings", "stores", "user", "verification"),
]


@pytest.mark.parametrize(("table", "change", "rule"), REFUSED_UPDATES)
@pytest.mark.usefixtures("shop")
async def test_update_that_breaks_a_rule_is_refused_and_changes_nothing(
    db: asyncpg.Connection, table: str, change: str, rule: str
) -> None:
    before = await all_rows(db)

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await db.execute(f"UPDATE {table} SET {change}")

    assert (refusal.value.table_name, refusal.value.constraint_name) == (table, rule)
    assert await all_rows(db) == before


async def test_insert_that_breaks_a_rule_is_refused_and_adds_nothing(
    db: asyncpg.Connection, shop: Shop
) -> None:
    before = await all_rows(db)

    with pytest.raises(asyncpg.CheckViolationError, match="stock is never negative"):
        await db.execute(
            "INSERT INTO products (store_id, name, price, stock) VALUES ($1, 'Chá', 5, -1)",
            shop.store,
        )

    assert await all_rows(db) == before


@pytest.mark.parametrize("column", ALLOWED_VALUES)
@pytest.mark.usefixtures("shop")
async def test_every_value_of_the_seed_is_allowed(
    db: asyncpg.Connection, column: str
) -> None:
    table, name = column.split(".")
    for value in ALLOWED_VALUES[column]:
        await db.execute(f"UPDATE {table} SET {name} = $1", value)
        assert await db.fetchval(f"SELECT {name} FROM {table}") == value


@pytest.mark.usefixtures("shop")
async def test_audit_log_rows_cannot_be_deleted(db: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="only ever added, so no DELETE"):
        await db.execute("DELETE FROM audit_log")

    assert await db.fetchval("SELECT count(*) FROM audit_log") == 2


@pytest.mark.usefixtures("shop")
async def test_a_table_with_rows_is_not_truncated_however_it_is_tried(
    db: asyncpg.Connection,
) -> None:
    before = await all_rows(db)
    filled = [table for table, rows in before.items() if rows]

    for table in filled:
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await db.execute(f'TRUNCATE "{table}" CASCADE')
        assert "default" in refusal.value.hint
    # An empty table does not take a full one along.
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute("BEGIN; TRUNCATE verification, stores CASCADE; COMMIT")
    await db.execute("ROLLBACK")

    assert len(filled) == 18
    assert await all_rows(db) == before


async def test_all_23_tables_may_be_truncated_when_empty(db: asyncpg.Connection) -> None:
    guarded = await db.fetch(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'vek1_keep_rows'"
    )
    assert len(guarded) == 23
    for (table,) in guarded:
        await db.execute(f"TRUNCATE {table} CASCADE")


async def test_updated_at_is_kept_on_every_table_that_has_it(
    db: asyncpg.Connection,
) -> None:
    rows = await db.fetch(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'auto_updated_at'"
    )
    assert sorted(row[0].strip('"') for row in rows) == WITH_UPDATED_AT


@pytest.mark.usefixtures("shop")
async def test_updated_at_grows_with_each_change_and_is_utc_in_any_zone(
    db: asyncpg.Connection,
) -> None:
    await db.execute("SET timezone TO 'America/Sao_Paulo'")
    seen = [await db.fetchval("SELECT updated_at FROM stores")]
    async with db.transaction():
        change = "UPDATE stores SET name = $1 RETURNING updated_at"
        seen += [await db.fetchval(change, name) for name in ("A", "B")]
    utc_now = await db.fetchval("SELECT clock_timestamp() AT TIME ZONE 'UTC'")

    assert sorted(set(seen)) == seen
    assert 0 <= (utc_now - seen[-1]).total_seconds() < 60


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ALTER COLUMN status TYPE varchar(40)",
        "ALTER TABLE orders ALTER COLUMN total_cents TYPE bigint",
        "ALTER TABLE orders DROP COLUMN notes",
        "ALTER TABLE orders ADD COLUMN gift boolean DEFAULT false NOT NULL",
        "ALTER TABLE products RENAME COLUMN description TO summary",
        "ALTER TABLE documents DROP COLUMN embedding",
        "ALTER TABLE stores ALTER COLUMN status SET DEFAULT 'inactive'",
        "ALTER TABLE verification DROP COLUMN updated_at",
        "DROP TABLE token_usage",
    ],
)
@pytest.mark.usefixtures("shop")
async def test_the_front_end_may_change_its_own_tables(
    db: asyncpg.Connection, url: str, change: str
) -> None:
    await db.execute(change)

    # PL/pgSQL remembers a column's type for as long as a session lasts.
    next_session = await schema.connect(url)
    await next_session.execute("UPDATE orders SET customer_name = 'Rui'")
    assert await next_session.fetchval("SELECT customer_name FROM orders") == "Rui"
    await next_session.close()
