"""Creating and adopting databases."""

import asyncio
import difflib
from pathlib import Path

import asyncpg
import pytest
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from tests.database.catalog import catalog, whole_catalog
from tests.database.conftest import MakeDatabase
from tests.database.shop import all_rows, open_shop
from vek1_api.core import schema
from vek1_api.core.schema import scripts

DRIZZLE = (Path(__file__).parent / "drizzle_schema.sql").read_text("utf-8")


async def load_drizzle(url: str) -> None:
    conn = await schema.connect(url)
    await conn.execute(DRIZZLE)
    await conn.close()


def difference(wanted: list[str], found: list[str]) -> str:
    return "\n".join(
        difflib.unified_diff(wanted, found, "drizzle", "migrated", "", "", 0, "")
    )


async def test_public_is_what_drizzle_makes_object_by_object(
    url: str, make_empty: MakeDatabase
) -> None:
    drizzle_url = await make_empty()
    await load_drizzle(drizzle_url)

    wanted = await catalog(drizzle_url)

    assert len([line for line in wanted if line.startswith("r ")]) == 23
    assert difference(wanted, await catalog(url)) == ""


async def test_migrating_again_changes_nothing(url: str) -> None:
    before = await whole_catalog(url)
    lines: list[str] = []

    await schema.migrate(url, lines.append)

    assert await whole_catalog(url) == before
    assert lines == ["migrating the database", "the database is up to date"]


async def test_several_processes_migrate_one_empty_database(empty_url: str) -> None:
    await asyncio.gather(*(schema.migrate(empty_url) for _ in range(3)))

    conn = await schema.connect(empty_url)
    assert await schema.doctor_findings(conn) == []
    await conn.close()


async def test_init_script_runs_twice_on_an_empty_database_and_migrate_follows(
    empty_url: str,
) -> None:
    conn = await schema.connect(empty_url)
    await conn.execute(scripts.init_script())
    await conn.execute(scripts.init_script())
    assert await conn.fetch("SELECT * FROM vek1_api.required_triggers()") == []

    await schema.migrate(empty_url)

    assert await schema.doctor_findings(conn) == []
    await conn.close()


async def test_adopting_a_database_of_drizzle_keeps_its_rows(empty_url: str) -> None:
    await load_drizzle(empty_url)
    conn = await schema.connect(empty_url)
    shop = await open_shop(conn)
    deleted = await conn.fetchval(
        "INSERT INTO stores (company_id, name, slug, status)"
        " VALUES ('ana', 'Velha', 'velha', 'deleted') RETURNING id"
    )
    before = await whole_catalog(empty_url)
    rows = await all_rows(conn)

    await schema.migrate(empty_url)
    await schema.migrate(empty_url)

    assert await all_rows(conn) == rows
    assert set(before) <= set(await whole_catalog(empty_url))
    # What somebody said before us was never counted.
    (uncounted,) = await schema.doctor_findings(conn)
    assert (uncounted.kind, uncounted.name) == ("lead", "I4")
    assert await tuples(conn, "company_slugs") == [("loja-da-ana", "ana")]
    assert await tuples(conn, "store_slugs") == [("ana", "loja", shop.store)]
    assert sorted(await tuples(conn, "store_storage")) == sorted(
        [(shop.store, 700), (deleted, 0)]
    )
    assert await tuples(conn, "agent_knowledge") == []
    assert await conn.fetchval("SELECT count(*) FROM vek1_api.audit_trail") == 2
    assert (
        await conn.fetchval(
            "SELECT count(*) FROM vek1_api.audit_trail WHERE at = '2026-02-03 04:05:06Z'"
        )
        == 1
    )
    index = await conn.fetchrow("SELECT * FROM vek1_api.document_index")
    assert index is not None
    assert (
        index["document_id"],
        index["store_id"],
        index["status"],
        index["revision"],
    ) == (
        *(shop.document, shop.store),
        *("pending", 1),
    )
    await conn.close()


async def test_adoption_adds_what_an_older_push_lacked(
    empty_url: str, make_empty: MakeDatabase
) -> None:
    await load_drizzle(empty_url)
    conn = await schema.connect(empty_url)
    await conn.execute(
        "ALTER TABLE orders DROP COLUMN source, DROP COLUMN notes;"
        "DROP TABLE payment_attempts;"
        "ALTER TABLE stores DROP CONSTRAINT stores_company_id_company_profiles_id_fk;"
        'DROP INDEX "session_userId_idx"'
    )
    await conn.close()
    drizzle_url = await make_empty()
    await load_drizzle(drizzle_url)

    await schema.migrate(empty_url)

    # A column that is added comes last.
    assert sorted(await catalog(empty_url)) == sorted(await catalog(drizzle_url))


async def test_a_migration_that_fails_changes_nothing(empty_url: str) -> None:
    await load_drizzle(empty_url)
    conn = await schema.connect(empty_url)
    await conn.execute("INSERT INTO verification VALUES ('1', 'a', 'b', now())")
    await conn.execute("ALTER TABLE verification DROP COLUMN value")
    before = await whole_catalog(empty_url)

    with pytest.raises(
        Exception, match='column "value" of relation "verification" contains null values'
    ):
        await schema.migrate(empty_url)

    assert await whole_catalog(empty_url) == before
    await conn.close()


async def test_a_match_documents_test_of_older_times_is_replaced(empty_url: str) -> None:
    conn = await schema.connect(empty_url)
    await conn.execute(
        "CREATE EXTENSION vector; CREATE FUNCTION match_documents_test("
        "query_embedding vector(1024), match_threshold float, match_count int,"
        " p_agent_id uuid DEFAULT NULL) RETURNS TABLE (id uuid, content text)"
        " LANGUAGE sql AS 'SELECT gen_random_uuid(), ''old'''"
    )

    await schema.migrate(empty_url)

    assert await schema.missing(conn) == []
    await conn.close()


def test_the_frozen_queue_is_what_the_installed_pgqueuer_would_make() -> None:
    frozen = (scripts.folder("migrations") / "sql/0001_pgqueuer.sql").read_text("utf-8")
    rendered = QueryBuilderEnvironment(
        DBSettings(db_schema="vek1_api")
    ).build_install_query()

    statements = rendered.split("CREATE SCHEMA IF NOT EXISTS vek1_api;")[1].strip()

    assert statements in frozen, "a new revision must bring what this pgqueuer needs"


def test_a_missing_folder_says_what_to_do() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no elsewhere/ in .* runs from a checkout"
    ):
        scripts.folder("elsewhere")


async def tuples(conn: asyncpg.Connection, table: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await conn.fetch(f"SELECT * FROM vek1_api.{table}")]
