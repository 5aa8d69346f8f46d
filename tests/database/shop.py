"""A shop with one row of every kind, written past the API."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg


@dataclass(frozen=True)
class Shop:
    """The ids of one row of every kind; the company's id is ``ana``."""

    store: UUID
    agent: UUID
    product: UUID
    document: UUID
    lead: UUID
    order: UUID


SHOP = """
    INSERT INTO "user" (id, name, email) VALUES ('ana', 'Ana', 'ana@loja.test');
    INSERT INTO company_profiles (id, name, slug)
    VALUES ('ana', 'Loja da Ana', 'loja-da-ana');
    INSERT INTO stores (id, company_id, name, slug)
    VALUES ('{store}', 'ana', 'Loja', 'loja');
    INSERT INTO agents (id, store_id, name, type)
    VALUES ('{agent}', '{store}', 'Bia', 'sales');
    INSERT INTO products (id, store_id, name, price, stock)
    VALUES ('{product}', '{store}', 'Café', 29.9, 4);
    INSERT INTO stock_movements (store_id, product_id, delta, reason)
    VALUES ('{store}', '{product}', 4, 'manual');
    INSERT INTO product_files (company_id, product_id, filename, original_filename,
                               file_size, file_type, file_url, bucket_name)
    VALUES ('ana', '{product}', 'companies/ana/products/1.png', 'c.png', 700, 'image/png',
            'http://127.0.0.1/c.png', 'vek1');
    INSERT INTO documents (id, store_id, title, content)
    VALUES ('{document}', '{store}', 'Trocas', 'Sete dias.');
    INSERT INTO agent_knowledge_base (agent_id, document_id)
    VALUES ('{agent}', '{document}');
    INSERT INTO leads (id, store_id, channel, external_id, created_at)
    VALUES ('{lead}', '{store}', 'whatsapp', '5511999990000', '2026-01-01');
    INSERT INTO lead_events (lead_id, type) VALUES ('{lead}', 'seen');
    INSERT INTO messages_history (user_id, lead_id, agent_type, role, content)
    VALUES ('ana', '{lead}', 'sales', 'user', 'Oi');
    INSERT INTO orders (id, store_id, lead_id, number, subtotal_cents, shipping_cents,
                        discount_cents, total_cents)
    VALUES ('{order}', '{store}', '{lead}', 1, 5980, 1000, 500, 6480);
    INSERT INTO order_items (order_id, product_id, name, price_cents, quantity,
                             subtotal_cents)
    VALUES ('{order}', '{product}', 'Café', 2990, 2, 5980);
    INSERT INTO order_events (order_id, type, actor)
    VALUES ('{order}', 'created', 'agent');
    INSERT INTO payment_attempts (order_id, provider, status, amount_cents)
    VALUES ('{order}', 'manual', 'initialized', 6480);
    INSERT INTO token_usage (company_id, model, operation_type)
    VALUES ('ana', 'm', 'chat');
    INSERT INTO audit_log (actor_user_id, store_id, action, target_type, at)
    VALUES ('ana', '{store}', 'store.created', 'store', '2026-02-03 04:05:06');
    INSERT INTO audit_log (actor_user_id, action, target_type) VALUES ('ana', 'login', 'user');
"""


async def open_shop(conn: asyncpg.Connection) -> Shop:
    shop = Shop(*(uuid4() for _ in range(6)))
    await conn.execute(SHOP.format(**vars(shop)))
    return shop


async def all_rows(conn: asyncpg.Connection) -> dict[str, list[str]]:
    tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {
        table: [
            row
            for (row,) in await conn.fetch(
                f'SELECT t::text FROM public."{table}" t ORDER BY 1'
            )
        ]
        for (table,) in tables
    }
