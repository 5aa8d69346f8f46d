"""Many buyers at once: nothing is sold twice, no number is given twice, nobody waits for ever."""

import asyncio
import random
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson

from tests.orders.shop import Shop, moved, outcome, ribbon
from tests.people import SERVICE_TOKEN
from vek1_api.access import access as accesses
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.orders import service
from vek1_api.orders.schemas import OrderCreate


async def numbers(db: Driver, shop: Shop) -> list[int]:
    rows = await db.fetch(
        "SELECT number FROM orders WHERE store_id = $1 ORDER BY number", UUID(shop.store_id)
    )
    return [row["number"] for row in rows]


async def test_fifty_buyers_for_seven_units(shop: Shop, db: Driver) -> None:
    coffee = await shop.add_product(stock=7)

    answers = await asyncio.gather(*(shop.try_order((coffee, 1)) for _ in range(50)))

    outcomes = [outcome(each) for each in answers]
    assert outcomes.count((201, "")) == 7
    assert outcomes.count((409, "insufficient_stock")) == 43
    assert await shop.stock(coffee) == 0
    sold = await db.fetch(
        "SELECT delta, reason FROM stock_movements WHERE product_id = $1 AND delta < 0",
        UUID(coffee["id"]),
    )
    assert [tuple(row) for row in sold] == [(-1, "order_created")] * 7
    assert await numbers(db, shop) == list(range(1, 8))


async def test_baskets_in_every_order_never_wait_crosswise(shop: Shop, db: Driver) -> None:
    products = [
        await shop.add_product(name=f"Café {n}", stock=1_000, price=n + 1) for n in range(3)
    ]
    chosen = random.Random(7)  # noqa: S311 - Nothing is secret.

    async def buy() -> None:
        basket = [(each, 1) for each in chosen.sample(products, k=3)]
        order = await shop.order(*basket)
        other = {
            "items": [
                {"product_id": each["id"], "quantity": chosen.randint(1, 3)}
                for each in chosen.sample(products, k=2)
            ]
        }
        await shop.owner.patch(f"/v1/orders/{order['id']}", other)
        if chosen.random() < 0.5:
            await shop.step(order, "cancel")

    for _ in range(6):
        await asyncio.gather(*(buy() for _ in range(12)))

    for product in products:
        assert await shop.stock(product) == await moved(db, product)


async def test_a_hundred_orders_at_once_are_numbered_without_gaps(
    shop: Shop, db: Driver, resources: Resources
) -> None:
    gone = await shop.add_product(stock=0)
    access = accesses.system(shop.owner.user_id)
    wanted = OrderCreate.model_validate({"items": [ribbon()]})

    async def fail_with_its_number_in_hand() -> None:
        with suppress(ZeroDivisionError):
            async with resources.database.transaction() as tx:
                store_id = UUID(shop.store_id)
                answer = await service.create_within(tx, access, store_id, wanted, "")
                assert orjson.loads(str(answer.body))["number"] >= 1
                raise ZeroDivisionError

    made = [shop.order() for _ in range(100)]
    short = [shop.try_order((gone, 1)) for _ in range(20)]
    broken = [fail_with_its_number_in_hand() for _ in range(20)]
    everything: list[Any] = [*made, *short, *broken]
    random.Random(3).shuffle(everything)  # noqa: S311 - Nothing is secret.
    answers = await asyncio.gather(*everything)

    given = sorted(each["number"] for each in answers if isinstance(each, dict))
    assert given == list(range(1, 101))
    assert await numbers(db, shop) == given
    refused = [each for each in answers if isinstance(each, httpx.Response)]
    assert {outcome(each) for each in refused} == {(409, "insufficient_stock")}


async def test_one_key_makes_one_order(shop: Shop) -> None:
    coffee = await shop.add_product()
    body = {"items": [{"product_id": coffee["id"]}]}
    headers = {"Idempotency-Key": uuid4().hex}

    answers = await asyncio.gather(
        *(
            shop.owner.request("POST", shop.orders, json=body, headers=headers)
            for _ in range(8)
        )
    )

    assert {outcome(each) for each in answers} <= {
        (201, ""),
        (409, "idempotency_in_progress"),
    }
    again = await shop.owner.request("POST", shop.orders, json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    made = {each.content for each in answers if each.status_code == 201}
    assert made == {again.content}
    assert await shop.stock(coffee) == 9


async def test_a_client_that_hangs_up_and_asks_again_has_one_order(
    shop: Shop, db: Driver, port: int
) -> None:
    coffee = await shop.add_product(stock=100)
    body = {"items": [{"product_id": coffee["id"], "quantity": 2}]}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for patience in range(12):
            headers = shop.owner.headers | {"Idempotency-Key": f"key-{patience}"}
            await hang_up(port, shop, body, f"key-{patience}", patience / 1000)
            answer = await http.post(shop.orders, json=body, headers=headers)
            while answer.status_code == 409:
                await asyncio.sleep(0.005)  # The first one is still running.
                answer = await http.post(shop.orders, json=body, headers=headers)
            assert answer.status_code == 201, answer.text

    assert await numbers(db, shop) == list(range(1, 13))
    assert await shop.stock(coffee) == await moved(db, coffee) == 100 - 24


async def hang_up(port: int, shop: Shop, body: Any, key: str, patience: float) -> None:
    sent = orjson.dumps(body)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST {shop.orders} HTTP/1.1\r\nHost: vek1.test\r\n"
        f"Authorization: Bearer {SERVICE_TOKEN}\r\nX-Actor-User-Id: {shop.owner.user_id}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n".encode()
        + sent
    )
    await writer.drain()
    await asyncio.sleep(patience)
    writer.transport.abort()
