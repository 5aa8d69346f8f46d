"""The list of required indexes, and the script that brings them back."""

import asyncio
import subprocess
import sys

import asyncpg
import pytest

FOREIGN_KEYS_WITHOUT_INDEX = """
    SELECT conrelid::regclass || '.' || attname FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = attnum AND indisvalid
    )
"""

PLAN_OF_A_LIST = """
    EXPLAIN SELECT id FROM products
    WHERE store_id = '00000000-0000-0000-0000-000000000001'
    AND (created_at, id) < ('2026-01-01', '00000000-0000-0000-0000-000000000002')
    ORDER BY created_at DESC, id DESC LIMIT 51
"""


async def test_every_foreign_key_has_an_index(db: asyncpg.Connection) -> None:
    assert await db.fetch(FOREIGN_KEYS_WITHOUT_INDEX) == []


async def test_lists_are_served_by_their_index_without_sorting(
    db: asyncpg.Connection,
) -> None:
    await db.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")

    plan = "\n".join(row[0] for row in await db.fetch(PLAN_OF_A_LIST))

    assert "products_store_id_created_at_id_idx" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("arguments", "status", "last_line"),
    [
        (["--check"], 1, "index public.documents_product_id_idx is missing"),
        ([], 0, "all indexes, triggers and functions are there"),
    ],
)
async def test_the_script_says_and_does_it(
    db: asyncpg.Connection, url: str, arguments: list[str], status: int, last_line: str
) -> None:
    await db.execute("DROP INDEX documents_product_id_idx")
    command = [sys.executable, "scripts/recreate_indexes.py", "--database-url", url]

    done = await asyncio.to_thread(
        subprocess.run, [*command, *arguments], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.splitlines()[-1] == last_line
