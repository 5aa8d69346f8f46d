"""Orders lock products in the order of their ids, all of them at once."""

import asyncio
from uuid import UUID

from tests.orders.test_orders import add_product
from tests.people import Person
from vek1_api.core.resources import Resources

LOCK = "SELECT FROM products WHERE id = $1 FOR NO KEY UPDATE"
WAITERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE $1::int = ANY (pg_blocking_pids(pid))"
)


async def test_an_edit_locks_what_the_order_holds_with_what_it_will_hold(
    ana: Person, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    first, last = sorted(
        [(await add_product(ana, store_id, name=name))["id"] for name in ("Moka", "Filtro")]
    )
    order = await ana.post(
        f"/v1/stores/{store_id}/orders", {"items": [{"product_id": first, "quantity": 2}]}
    )
    async with resources.database.driver() as buyer, resources.database.driver() as db:
        other = buyer.transaction()
        await other.start()
        await buyer.execute(LOCK, UUID(first))
        edit = asyncio.create_task(
            ana.patch(f"/v1/orders/{order['id']}", {"items": [{"product_id": last}]})
        )
        pid = await buyer.fetchval("SELECT pg_backend_pid()")
        while not await db.fetchval(WAITERS, pid):  # noqa: ASYNC110 - no event tells it.
            await asyncio.sleep(0.005)

        # Were it locked by the edit already, each would wait for the other.
        await buyer.execute(f"{LOCK} NOWAIT", UUID(last))
        await other.rollback()
        await edit

    stocks = [(await ana.get(f"/v1/products/{each}"))["stock"] for each in (first, last)]
    assert stocks == [10, 9]
