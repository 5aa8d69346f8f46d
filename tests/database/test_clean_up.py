"""What hangs on a deleted row of public goes with it."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.database.shop import Shop

COUNTS = """
    SELECT (SELECT count(*) FROM vek1_api.document_index),
           (SELECT count(*) FROM vek1_api.document_chunks),
           (SELECT count(*) FROM vek1_api.chunk_vectors)
"""


async def index_document(db: asyncpg.Connection, shop: Shop, document: UUID) -> None:
    await db.execute(
        "INSERT INTO vek1_api.document_index (document_id, store_id, status)"
        " VALUES ($1, $2, 'ready')",
        document,
        shop.store,
    )
    await db.execute(
        "INSERT INTO vek1_api.document_chunks VALUES"
        " ($1, 0, $2, 'Sete dias.', 0, 10, NULL, '\\x00', 'dia')",
        document,
        shop.store,
    )
    await db.execute(
        "INSERT INTO vek1_api.chunk_vectors"
        " VALUES ($1, 0, 1, $2, array_fill(1, ARRAY[1024])::vector)",
        document,
        shop.store,
    )


async def test_deleting_a_document_deletes_its_passages_and_no_others(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await index_document(db, shop, shop.document)
    await index_document(db, shop, uuid4())

    await db.execute("DELETE FROM agent_knowledge_base")
    await db.execute("DELETE FROM documents")

    assert tuple(await db.fetchrow(COUNTS)) == (1, 1, 1)
    assert not await db.fetchval(
        "SELECT EXISTS (SELECT FROM vek1_api.chunk_vectors WHERE document_id = $1)",
        shop.document,
    )


async def test_deleting_an_agent_deletes_its_knowledge_settings(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("INSERT INTO vek1_api.agent_knowledge VALUES ($1, true)", shop.agent)
    await db.execute(
        "INSERT INTO vek1_api.agent_knowledge VALUES (gen_random_uuid(), true)"
    )

    await db.execute("DELETE FROM agent_knowledge_base")
    await db.execute("DELETE FROM agents")

    assert await db.fetchval("SELECT count(*) FROM vek1_api.agent_knowledge") == 1


@pytest.fixture
async def bare_store(db: asyncpg.Connection) -> UUID:
    """Open a store without children, so that it and its company can be deleted."""
    await db.execute(
        "INSERT INTO company_profiles (id, name, slug) VALUES ('rui', 'Rui', 'r')"
    )
    store: UUID = await db.fetchval(
        "INSERT INTO stores (company_id, name, slug)"
        " VALUES ('rui', 'Loja', 'l') RETURNING id"
    )
    await db.execute("INSERT INTO vek1_api.company_slugs VALUES ('r', 'rui'), ('a', 'ana')")
    await db.execute("INSERT INTO vek1_api.store_slugs VALUES ('rui', 'l', $1)", store)
    await db.execute("INSERT INTO vek1_api.store_storage VALUES ($1, 5)", store)
    await db.execute(
        "INSERT INTO vek1_api.stored_objects (key, company_id, store_id, size_bytes, state)"
        " VALUES ('of-store', 'rui', $1, 5, 'kept'), ('logo', 'rui', NULL, 5, 'kept'),"
        " ('of-ana', 'ana', NULL, 5, 'kept')",
        store,
    )
    return store


async def states(db: asyncpg.Connection) -> dict[str, str]:
    return dict(await db.fetch("SELECT key, state FROM vek1_api.stored_objects"))


async def test_deleting_a_store_frees_its_slug_and_dooms_its_objects(
    db: asyncpg.Connection, bare_store: UUID
) -> None:
    await db.execute("DELETE FROM stores WHERE id = $1", bare_store)

    assert await db.fetch("SELECT * FROM vek1_api.store_slugs") == []
    assert await db.fetch("SELECT * FROM vek1_api.store_storage") == []
    assert await states(db) == {"of-store": "doomed", "logo": "kept", "of-ana": "kept"}


@pytest.mark.usefixtures("bare_store")
async def test_deleting_a_company_goes_through_its_stores(db: asyncpg.Connection) -> None:
    await db.execute("DELETE FROM company_profiles WHERE id = 'rui'")

    assert [
        tuple(row) for row in await db.fetch("SELECT * FROM vek1_api.company_slugs")
    ] == [("a", "ana")]
    assert await db.fetch("SELECT * FROM vek1_api.store_slugs") == []
    assert await states(db) == {"of-store": "doomed", "logo": "doomed", "of-ana": "kept"}


@pytest.mark.usefixtures("shop")
async def test_without_our_tables_the_front_end_deletes_all_the_same(
    db: asyncpg.Connection,
) -> None:
    for (table,) in await db.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'vek1_api'"
        " AND tablename <> 'alembic_version'"
    ):
        await db.execute(f"DROP TABLE vek1_api.{table} CASCADE")

    for table in (
        *("agent_knowledge_base", "documents", "agents", "order_items", "order_events"),
        *("payment_attempts", "orders", "lead_events", "messages_history", "leads"),
        *(
            "stock_movements",
            "product_files",
            "products",
            "token_usage",
            "company_profiles",
        ),
    ):
        await db.execute(f"DELETE FROM {table}")

    assert await db.fetchval("SELECT count(*) FROM stores") == 0
