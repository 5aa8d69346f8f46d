"""Triggers and functions that are missing or changed are found and restored."""

import asyncpg
import pytest

from vek1_api.core import schema
from vek1_api.core.schema import Finding, Problem, scripts


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            "DROP TRIGGER vek1_check ON orders",
            [Finding("trigger", "public.orders.vek1_check", Problem.MISSING)],
        ),
        (
            "ALTER TABLE orders DISABLE TRIGGER vek1_check",
            [Finding("trigger", "public.orders.vek1_check", Problem.INVALID)],
        ),
        (
            (
                'CREATE OR REPLACE TRIGGER vek1_keep_rows BEFORE TRUNCATE ON "user"'
                " EXECUTE FUNCTION vek1_api.refuse_change()"
            ),
            [Finding("trigger", "public.user.vek1_keep_rows", Problem.DIFFERENT)],
        ),
        (
            (
                "CREATE OR REPLACE FUNCTION vek1_api.check_orders() RETURNS trigger"
                " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
            ),
            [Finding("function", "vek1_api.check_orders", Problem.DIFFERENT)],
        ),
        (
            "DROP FUNCTION match_documents_test",
            [Finding("function", "public.match_documents_test", Problem.MISSING)],
        ),
        (
            "CREATE TABLE coupons (id int PRIMARY KEY, updated_at timestamp)",
            [Finding("trigger", "public.coupons.auto_updated_at", Problem.MISSING)],
        ),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_damaged_triggers_and_functions_are_found_and_restored(
    db: asyncpg.Connection, damage: str, expected: list[Finding]
) -> None:
    await db.execute(damage)
    assert await schema.missing(db) == expected

    assert await schema.heal(db) == expected

    assert await schema.missing(db) == []
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute("UPDATE orders SET status = 'lost'")


async def test_without_any_of_our_functions_all_come_back(db: asyncpg.Connection) -> None:
    await db.execute("DROP FUNCTION public.auto_updated_at CASCADE")
    for function in scripts.functions():
        await db.execute(f"DROP FUNCTION IF EXISTS {function.name} CASCADE")

    await schema.heal(db)

    assert await schema.missing(db) == []


def test_the_init_script_is_read_whole() -> None:
    text = scripts.init_script()
    assert len(scripts.functions()) == text.count("CREATE OR REPLACE FUNCTION ") > 0
