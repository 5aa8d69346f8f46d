"""Settling attempts and changing the settings lock the same rows in the same order."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID

from tests.fakes.erp_receiver import ErpReceiver
from tests.stock.outlets import listen
from tests.stock.shelves import Shop, sell
from vek1_api.core.resources import Resources

NOTICE = "SELECT movement_id, attempts FROM vek1_api.take_notices($1, 1, '1 minute')"
OUTLET = "SELECT FROM vek1_api.stock_outlets WHERE store_id = $1 FOR NO KEY UPDATE"
SETTLE = "SELECT vek1_api.settle_notices($1, $2, NULL)"
LOCK = (
    "SELECT status FROM vek1_api.stock_notices WHERE movement_id = $1"
    " FOR NO KEY UPDATE NOWAIT"
)
WAITERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE $1::int = ANY (pg_blocking_pids(pid))"
)


async def test_settling_waits_for_the_settings_before_it_holds_a_message(
    shop: Shop, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    database, store = resources.database, UUID(shop.store_id)
    async with (
        database.driver() as merchant,
        database.driver() as worker,
        database.driver() as db,
    ):
        await sell(db, shop, "CAF-A", 1)
        taken = await db.fetchrow(NOTICE, store)
        assert taken is not None
        failed = {
            "movement_id": str(taken["movement_id"]),
            "number": taken["attempts"],
            "at": datetime.now(UTC).isoformat(),
            "duration_ms": 1,
            "error": "timeout",
            "outcome": "retry",
        }
        saving = merchant.transaction()
        await saving.start()
        await merchant.execute(OUTLET, store)
        settling = asyncio.create_task(worker.execute(SETTLE, store, json.dumps([failed])))
        pid = await merchant.fetchval("SELECT pg_backend_pid()")
        while not await db.fetchval(WAITERS, pid):
            assert not settling.done()
            await asyncio.sleep(0.005)

        # Were it held by the worker already, each would wait for the other.
        assert await merchant.fetchval(LOCK, taken["movement_id"]) == "waiting"
        await saving.commit()
        await settling

        attempts = "SELECT error FROM vek1_api.stock_attempts WHERE movement_id = $1"
        assert await db.fetchval(attempts, taken["movement_id"]) == "timeout"
