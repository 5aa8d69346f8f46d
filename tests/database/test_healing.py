"""Finding and putting right what a push of the front end has dropped."""

import asyncio
import subprocess
import sys
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.database.catalog import whole_catalog
from tests.database.shop import Shop, all_rows
from vek1_api.core import schema
from vek1_api.core.schema import Finding, Problem, scripts
from vek1_api.core.schema.locks import HEALING

LEADS_IDENTITY = "public.leads_store_id_channel_external_id_unique"

OF_PUBLIC = [index for index in schema.REQUIRED_INDEXES if index.schema == "public"]
UNDRIZZLED = """
    SELECT format('DROP INDEX %I.%I', schemaname, indexname) FROM pg_indexes
    WHERE schemaname = 'public'
      AND indexname NOT IN ('account_userId_idx', 'session_userId_idx',
                            'verification_identifier_idx')
      AND NOT EXISTS (SELECT FROM pg_constraint
                      WHERE conindid = format('%I.%I', schemaname, indexname)::regclass)
"""


async def push(db: asyncpg.Connection) -> int:
    """Drop what `drizzle-kit push --force` drops; return how many indexes."""
    drops = [row[0] for row in await db.fetch(UNDRIZZLED)]
    for statement in drops:
        await db.execute(statement)
    return len(drops)


async def test_a_healthy_database_has_no_findings(db: asyncpg.Connection) -> None:
    assert await schema.missing(db) == []
    assert await schema.heal(db) == []


async def test_every_critical_index_is_found_missing_and_made_again(
    db: asyncpg.Connection, url: str
) -> None:
    before = await whole_catalog(url)
    for index in schema.REQUIRED_INDEXES:
        await db.execute(f"DROP INDEX {index.qualified_name}")
    expected = [
        Finding("index", index.qualified_name, Problem.MISSING)
        for index in schema.REQUIRED_INDEXES
    ]
    assert await schema.missing(db) == expected

    assert await schema.heal(db) == expected

    assert await schema.missing(db) == []
    assert await whole_catalog(url) == before


@pytest.mark.usefixtures("shop")
async def test_after_a_push_everything_is_there_again(
    db: asyncpg.Connection, url: str
) -> None:
    before, rows = await whole_catalog(url), await all_rows(db)
    await db.execute("CREATE INDEX stray ON leads (city)")
    assert await push(db) == len(OF_PUBLIC) + 1
    findings = await schema.missing(db)
    assert len(findings) == len(OF_PUBLIC)

    assert await schema.heal(db) == findings

    assert await whole_catalog(url) == before
    assert await all_rows(db) == rows


async def test_an_invalid_index_is_replaced(db: asyncpg.Connection) -> None:
    name = "public.order_items_order_id_idx"
    await db.execute(
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass"
    )
    expected = [Finding("index", name, Problem.INVALID, "a build of it was interrupted")]
    assert await schema.missing(db) == expected

    assert await schema.heal(db) == expected

    assert await schema.missing(db) == []


async def test_an_index_with_the_wrong_operator_class_is_replaced(
    db: asyncpg.Connection,
) -> None:
    await db.execute(
        "DROP INDEX documents_embedding_idx;"
        "CREATE INDEX documents_embedding_idx"
        " ON documents USING hnsw (embedding vector_l2_ops)"
    )
    (finding,) = await schema.missing(db)
    assert (finding.name, finding.problem) == (
        "public.documents_embedding_idx",
        Problem.DIFFERENT,
    )
    assert finding.detail.endswith("USING hnsw (embedding vector_l2_ops)")

    assert await schema.heal(db) == [finding]

    assert await schema.missing(db) == []


async def test_the_front_ends_own_index_counts_whatever_its_name_and_options(
    db: asyncpg.Connection,
) -> None:
    await db.execute(
        "DROP INDEX documents_embedding_idx, leads_store_id_channel_external_id_unique;"
        "CREATE INDEX theirs ON documents USING hnsw (embedding vector_cosine_ops)"
        " WITH (m = 24, ef_construction = 100);"
        "ALTER TABLE leads"
        " ADD CONSTRAINT theirs_too UNIQUE (store_id, channel, external_id)"
    )

    assert await schema.missing(db) == []


async def test_a_constraint_in_the_way_of_a_required_index_is_replaced(
    db: asyncpg.Connection,
) -> None:
    await db.execute(
        "DROP INDEX leads_store_id_channel_external_id_unique;"
        "ALTER TABLE leads ADD CONSTRAINT leads_store_id_channel_external_id_unique"
        " UNIQUE (store_id, external_id)"
    )

    healed = await schema.heal(db)

    assert [(finding.name, finding.problem) for finding in healed] == [
        (LEADS_IDENTITY, Problem.DIFFERENT)
    ]
    assert await schema.missing(db) == []


async def test_several_workers_heal_at_once(db: asyncpg.Connection, url: str) -> None:
    dropped = await push(db)
    workers = [await schema.connect(url) for _ in range(3)]

    healed = await asyncio.gather(*(schema.heal(worker) for worker in workers))

    assert sorted(len(findings) for findings in healed) == [0, 0, dropped]
    assert await schema.missing(db) == []
    for worker in workers:
        await worker.close()


async def test_the_lock_and_the_settings_of_the_session_are_given_back(
    db: asyncpg.Connection,
) -> None:
    settings = "SELECT name, setting FROM pg_settings WHERE source = 'session'"
    before = await db.fetch(settings)
    await db.execute("DROP INDEX documents_embedding_idx")

    await schema.heal(db)

    assert await db.fetch(settings) == before
    assert not await db.fetchval(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1)",
        HEALING % 2**32,
    )


async def test_writes_go_on_while_an_index_is_built(
    db: asyncpg.Connection, url: str, shop: Shop
) -> None:
    await db.execute("DROP INDEX products_store_id_created_at_id_idx")
    writer, healer = await schema.connect(url), await schema.connect(url)
    # The build waits for this transaction; other writers do not wait for the build.
    open_transaction = writer.transaction()
    await open_transaction.start()
    await writer.execute("UPDATE products SET name = 'Chá'")
    building = asyncio.create_task(schema.heal(healer))
    is_building = "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index)"
    while not await db.fetchval(is_building):  # noqa: ASYNC110 - Postgres tells nobody.
        await asyncio.sleep(0.005)

    await db.execute(
        "INSERT INTO products (store_id, name, price) VALUES ($1, 'Pão', 1)",
        shop.store,
        timeout=5,
    )
    (finding,) = await schema.missing(db)
    assert finding.detail == "it is being built"

    await open_transaction.commit()
    assert len(await building) == 1
    assert await schema.missing(db) == []
    await writer.close()
    await healer.close()


@pytest.mark.usefixtures("shop")
async def test_what_cannot_be_built_is_reported_and_the_rest_is_built(
    db: asyncpg.Connection,
) -> None:
    await push(db)
    await db.execute("ALTER TABLE documents ALTER embedding TYPE vector")
    lines: list[str] = []

    healed = await schema.heal(db, lines.append)

    assert len(healed) == len(OF_PUBLIC) - 1
    assert [line for line in lines if line.startswith("could not")] == [
        "could not build public.documents_embedding_idx: column does not have dimensions"
    ]
    assert [finding.name for finding in await schema.missing(db)] == [
        "public.documents_embedding_idx"
    ]


async def test_a_missing_table_is_named_and_left_to_the_migration(
    db: asyncpg.Connection,
) -> None:
    await db.execute("DROP TABLE token_usage")

    assert await schema.missing(db) == [
        Finding("table", "public.token_usage", Problem.MISSING, "run vek1-api migrate")
    ]
    assert await schema.heal(db) == []


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TRIGGER vek1_enqueue ON vek1_api.stock_notices",
        "ALTER TABLE vek1_api.stock_notices DISABLE TRIGGER vek1_enqueue",
        (
            "DROP TRIGGER vek1_enqueue ON vek1_api.stock_notices;"
            " CREATE TRIGGER vek1_enqueue AFTER INSERT ON vek1_api.stock_notices"
            " FOR EACH ROW EXECUTE FUNCTION vek1_api.enqueue_delivery()"
        ),
    ],
)
async def test_the_trigger_of_our_own_table_is_made_again(
    harm: str, db: asyncpg.Connection
) -> None:
    """Without it messages wait for the minute's job instead of leaving with the sale."""
    definition = (
        "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger"
        " WHERE tgname = 'vek1_enqueue'"
    )
    before = await db.fetch(definition)
    assert len(before) == 1
    await db.execute(harm)
    findings = await schema.missing(db)
    assert [(each.kind, each.name) for each in findings] == [
        ("trigger", "vek1_api.stock_notices.vek1_enqueue")
    ]

    assert await schema.heal(db) == findings

    assert await schema.missing(db) == []
    assert await db.fetch(definition) == before
