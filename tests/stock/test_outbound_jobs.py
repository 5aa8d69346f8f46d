"""The job of a store's messages: one at a time, and never one too few."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import orjson
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.domain.models import Job
from pgqueuer.types import QueueExecutionMode

from tests.fakes.erp_receiver import ErpReceiver
from tests.jobs.running import count_jobs
from tests.stock.outlets import QUICK, deliver, deliveries, listen, states
from tests.stock.shelves import Shop, fill, sell
from vek1_api.core import jobs
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect
from vek1_api.stock import jobs as stock_jobs
from vek1_api.stock.deliveries import service as deliveries_service

REST = "SELECT vek1_api.rest_deliveries($1, false)"


async def waiting_jobs(resources: Resources, shop: Shop) -> int:
    return await count_jobs(resources, name="stock.deliver", about=shop.store_id)


async def work(resources: Resources, database_url: str) -> int:
    """Run the jobs of deliveries, and no others, until none is due; return how many."""
    connection = await connect(database_url)
    ran = 0
    try:
        driver = AsyncpgDriver(connection)
        queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))

        @queuer.entrypoint("stock.deliver")
        async def _run(job: Job) -> None:
            nonlocal ran
            ran += 1
            await stock_jobs.deliver(resources, orjson.loads(job.payload or b"{}"))

        await queuer.qm.run(
            dequeue_timeout=timedelta(seconds=0.05), mode=QueueExecutionMode.drain
        )
    finally:
        await connection.close()
    return ran


async def test_movements_share_a_job_until_it_has_run(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources, database_url: str
) -> None:
    await listen(shop, receiver)
    for _ in range(5):
        await sell(db, shop, "CAF-A", 1)
    assert await waiting_jobs(resources, shop) == 1

    assert await work(resources, database_url) == 1

    assert receiver.about(shop.products["CAF-A"]) == [1, 2, 3, 4, 5]
    assert await waiting_jobs(resources, shop) == 0
    await sell(db, shop, "CAF-A", 1)
    assert await work(resources, database_url) == 1
    assert receiver.about(shop.products["CAF-A"]) == [1, 2, 3, 4, 5, 6]


async def test_steady_sales_lose_no_message_to_a_job_that_is_just_ending(
    shop: Shop, receiver: ErpReceiver, resources: Resources, database_url: str
) -> None:
    await listen(shop, receiver)

    async def sell_all() -> None:
        for number in range(60):
            async with resources.database.driver() as driver:
                await sell(driver, shop, "CAF-B", 1 if number % 2 else -1)

    selling = asyncio.create_task(sell_all())
    while not selling.done():
        await work(resources, database_url)
    await selling
    await work(resources, database_url)

    assert receiver.about(shop.products["CAF-B"]) == list(range(1, 61))


async def test_job_does_not_end_while_a_movement_is_being_committed(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await deliver(resources, shop)
    store = UUID(shop.store_id)
    async with resources.database.driver() as other:
        committing = other.transaction()
        await committing.start()
        await other.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await sell(other, shop, "CAF-A", 1)

        assert await db.fetchval(REST, store) is False
        await committing.commit()

    assert await db.fetchval(REST, store) is False  # Now it is to be sent.
    await deliver(resources, shop)
    assert await db.fetchval(REST, store) is True


async def test_nobody_waits_for_a_job_while_holding_a_product(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await db.execute("DELETE FROM vek1_api.pgqueuer")
    async with resources.database.driver() as first, resources.database.driver() as second:
        longer, shorter = first.transaction(), second.transaction()
        await longer.start()
        await sell(first, shop, "CAF-A", 1)
        await shorter.start()
        await asyncio.wait_for(sell(second, shop, "CAF-B", 1), 2)
        last = asyncio.create_task(sell(first, shop, "CAF-B", 1))
        await shorter.commit()
        await asyncio.wait_for(last, 2)
        await longer.commit()

    assert len(await deliveries(shop)) == 3
    assert await waiting_jobs(resources, shop) == 1


async def test_buyer_does_not_wait_for_a_buyer_of_another_product(
    shop: Shop, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    async with resources.database.driver() as slow:
        deciding = slow.transaction()
        await deciding.start()
        await sell(slow, shop, "CAF-A", 1)

        order = await asyncio.wait_for(
            shop.owner.post(
                f"/v1/stores/{shop.store_id}/orders",
                {"items": [{"product_id": shop.products["CAF-B"], "quantity": 1}]},
            ),
            2,
        )

        await deciding.commit()
    assert order["number"] == 1
    await deliver(resources, shop)
    assert {each.data["product_integration_id"] for each in receiver.received} == {
        "CAF-A",
        "CAF-B",
    }


async def test_tired_job_hands_over_to_another(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await db.execute("DELETE FROM vek1_api.pgqueuer")

    await deliver(resources, shop, replace(QUICK, slice_seconds=-1))

    assert receiver.received == []
    assert await waiting_jobs(resources, shop) == 1


async def test_what_a_dead_worker_left_is_woken(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await db.execute("DELETE FROM vek1_api.pgqueuer")

    await stock_jobs.wake(resources)

    assert await waiting_jobs(resources, shop) == 1
    await deliver(resources, shop)
    await db.execute("DELETE FROM vek1_api.pgqueuer")
    await stock_jobs.wake(resources)
    assert await waiting_jobs(resources, shop) == 0


async def test_what_is_done_is_forgotten_after_thirty_days(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    for key in ("CAF-A", "CAF-B"):
        await sell(db, shop, key, 1)
    await deliver(resources, shop)
    await sell(db, shop, "CAF-A", 1)
    await db.execute(
        "UPDATE vek1_api.stock_notices SET created_at = created_at - interval '31 days'"
        " WHERE store_id = $1 AND product_integration_id = 'CAF-A'",
        UUID(shop.store_id),
    )

    await deliveries_service.forget(resources.database)

    assert await states(shop) == {("CAF-A", 2): "waiting", ("CAF-B", 1): "delivered"}
    orphans = (
        "SELECT count(*) FROM vek1_api.stock_attempts AS attempt WHERE NOT EXISTS"
        " (SELECT FROM vek1_api.stock_notices WHERE movement_id = attempt.movement_id)"
    )
    assert await db.fetchval(orphans) == 0


async def test_taking_the_next_messages_costs_the_same_however_many_wait(
    shop: Shop, db: Driver, receiver: ErpReceiver
) -> None:
    """After an import of the whole catalogue, a look at all of it for each would never end."""
    await listen(shop, receiver)
    await fill(db, shop, 3_000)
    explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"

    (row,) = await db.fetch(
        f"{explain} SELECT FROM vek1_api.take_notices($1, 8, '1 minute')",
        UUID(shop.store_id),
    )

    plan = row[0][0]["Plan"]
    assert plan["Actual Rows"] == 8
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 1_500
    page = await deliveries(shop, limit=200)
    assert {each["status"] for each in page} == {"waiting"}
