"""What is remembered of an ERP's batches, and for how long."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.fakes.erp import Erp
from tests.stock.shelves import START, Shop, stocks
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.stock import jobs, retention


async def _age(db: Driver, table: str, moment: str, shop: Shop, days: int) -> None:
    await db.execute(
        f"UPDATE vek1_api.{table} SET {moment} = $2 WHERE store_id = $1",
        UUID(shop.store_id),
        datetime.now(UTC) - timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("days", "verdict", "left"), [(399, "duplicate", 9), (401, "applied", 8)]
)
async def test_an_id_has_one_effect_for_four_hundred_days(
    days: int,
    verdict: str,
    left: int,
    erp: Erp,
    shop: Shop,
    db: Driver,
    resources: Resources,
) -> None:
    sale = {"product_integration_id": "CAF-A", "delta": -1, "external_id": "venda-1"}
    await erp.send([sale])
    await _age(db, "erp_keys", "received_at", shop, days)

    await jobs.forget_received(resources)

    assert await erp.verdicts([sale]) == [verdict]
    assert await stocks(db, shop) == START | {"CAF-A": left}


async def test_old_ids_are_forgotten_batch_by_batch(
    erp: Erp, shop: Shop, db: Driver, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await erp.send([erp.item("CAF-A", delta=1) for _ in range(5)])
    await _age(db, "erp_keys", "received_at", shop, 500)
    await erp.send([erp.item("CAF-A", delta=1)])

    await jobs.forget_received(resources)

    count = "SELECT count(*) FROM vek1_api.erp_keys WHERE store_id = $1"
    assert await db.fetchval(count, UUID(shop.store_id)) == 1


async def test_dry_runs_that_nobody_applied_are_forgotten(
    erp: Erp, shop: Shop, db: Driver, resources: Resources
) -> None:
    await erp.send([{"product_integration_id": "CAF-A", "stock": 3}], dry_run=True)
    await _age(db, "stock_plans", "created_at", shop, 2)
    kept = await erp.send([{"product_integration_id": "CAF-A", "stock": 4}], dry_run=True)

    await jobs.forget_received(resources)

    plans = "SELECT id FROM vek1_api.stock_plans WHERE store_id = $1"
    rows = await db.fetch(plans, UUID(shop.store_id))
    assert [str(row["id"]) for row in rows] == [kept["plan_id"]]
