"""The examination of a whole database."""

import asyncpg
import pytest

from tests.database.shop import Shop
from vek1_api.core import schema
from vek1_api.core.schema.migration import newest_revision
from vek1_api.core.schema import Finding, Problem


@pytest.mark.usefixtures("shop")
async def test_a_migrated_shop_is_healthy(db: asyncpg.Connection) -> None:
    assert await schema.doctor_findings(db) == []


NEWEST = str(newest_revision())


async def test_a_stock_without_its_movements_is_found(
    db: asyncpg.Connection, shop: Shop
) -> None:
    await db.execute("SET vek1_api.moves_stock = 'on'; UPDATE products SET stock = 5")

    assert await schema.doctor_findings(db) == [
        Finding(
            "stock",
            "I1",
            Problem.BROKEN,
            "1 times stock differs from the sum of its movements "
            f"(doctor --fix --balance writes them), e.g. {shop.product}",
        )
    ]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE orders SET subtotal_cents = 5000, total_cents = 5500",
        "DELETE FROM order_items",
        "SET session_replication_role = replica; UPDATE orders SET total_cents = 1",
        (
            "SET session_replication_role = replica;"
            "UPDATE order_items SET price_cents = 1, quantity = 3"
        ),
    ],
)
async def test_an_order_that_does_not_add_up_is_found(
    db: asyncpg.Connection, shop: Shop, damage: str
) -> None:
    await db.execute(damage)

    assert await schema.doctor_findings(db) == [
        Finding(
            "order",
            "I2",
            Problem.BROKEN,
            f"1 times totals do not add up, e.g. {shop.order}",
        )
    ]


@pytest.mark.parametrize(
    ("object_bytes", "used_bytes", "is_healthy"),
    [(5, 10, True), (5, 11, False), (5, 5, False), (5, None, False)],
)
async def test_storage_that_is_counted_wrong_is_found(
    db: asyncpg.Connection,
    shop: Shop,
    object_bytes: int,
    used_bytes: int | None,
    is_healthy: bool,  # noqa: FBT001 - A parameter of the table above.
) -> None:
    # Room is taken from the moment an upload begins, until its object is doomed.
    for key, state in (("a", "kept"), ("b", "pending"), ("c", "doomed")):
        await db.execute(
            "INSERT INTO vek1_api.stored_objects"
            " (key, company_id, store_id, size_bytes, state) VALUES ($1, 'ana', $2, $3, $4)",
            key,
            shop.store,
            object_bytes,
            state,
        )
    if used_bytes is not None:
        await db.execute(
            "INSERT INTO vek1_api.store_storage VALUES ($1, $2)", shop.store, used_bytes
        )

    findings = await schema.doctor_findings(db)

    assert [(finding.kind, finding.name) for finding in findings] == (
        [] if is_healthy else [("storage", "used_bytes")]
    )


async def test_a_database_that_was_never_migrated_is_told_so(empty_url: str) -> None:
    conn = await schema.connect(empty_url)

    findings = await schema.doctor_findings(conn)

    assert findings[:2] == [
        Finding("extension", "vector", Problem.MISSING, "run vek1-api migrate"),
        Finding("migration", NEWEST, Problem.MISSING, "run vek1-api migrate"),
    ]
    assert (
        Finding("table", "public.orders", Problem.MISSING, "run vek1-api migrate")
        in findings
    )
    await conn.close()


async def test_a_revision_of_another_version_is_found(db: asyncpg.Connection) -> None:
    await db.execute("UPDATE vek1_api.alembic_version SET version_num = '0000'")

    (finding,) = await schema.doctor_findings(db)

    assert finding.sentence == (
        f"migration {NEWEST} is missing: the database is at 0000;"
        " run vek1-api migrate, or a newer vek1-api"
    )


async def test_a_zone_other_than_utc_is_found(db: asyncpg.Connection) -> None:
    await db.execute("SET timezone TO 'America/Sao_Paulo'")

    (finding,) = await schema.doctor_findings(db)

    assert (finding.kind, finding.name) == ("setting", "TimeZone")
