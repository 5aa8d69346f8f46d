"""Which movements are told, and what is said of them."""

import asyncio
from uuid import UUID

from tests.fakes.erp import Erp
from tests.fakes.erp_receiver import ErpReceiver
from tests.jobs.running import count_jobs
from tests.products.shelf import add_product
from tests.stock.outlets import deliver, deliveries, listen, move, put, untold
from tests.stock.shelves import Shop, fill, sell
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources


async def test_sale_is_told_with_level_delta_and_sequence(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    secret = await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 3)
    movement = await db.fetchrow(
        "SELECT * FROM stock_movements WHERE store_id = $1 AND reason = 'order_created'",
        UUID(shop.store_id),
    )
    assert movement is not None

    await deliver(resources, shop)

    (message,) = receiver.received
    assert message.is_signed_with(secret)
    assert message.id == f"msg_{movement['id'].hex}"
    assert message.json == {
        "type": "stock.decremented",
        "timestamp": message.data["occurred_at"],
        "data": {
            "store_id": shop.store_id,
            "product_id": shop.products["CAF-A"],
            "product_integration_id": "CAF-A",
            "stock": 7,
            "delta": -3,
            "sequence": 1,
            "reason": "order_created",
            "reference": None,
            "origin": {"kind": "manual"},
            "occurred_at": message.data["occurred_at"],
        },
    }
    assert message.data["occurred_at"].endswith("Z")


async def test_order_is_named_with_who_took_it(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, number, status, source, subtotal_cents, total_cents)"
        " VALUES ($1, 1, 'draft', 'agent', 0, 0) RETURNING id",
        UUID(shop.store_id),
    )
    for reason, delta in (("order_created", -2), ("order_cancelled", 2)):
        await db.fetch(
            "SELECT * FROM vek1_api.move_stock($1, $2, $3, $4, $5)",
            UUID(shop.store_id),
            [UUID(shop.products["CAF-A"])],
            [delta],
            reason,
            order_id,
        )

    await deliver(resources, shop)

    taken, restored = receiver.received
    assert taken.json["type"] == "stock.decremented"
    assert taken.data["reference"] == {"type": "order", "id": str(order_id)}
    assert taken.data["origin"] == {"kind": "agent"}
    assert restored.json["type"] == "stock.restored"
    assert (restored.data["stock"], restored.data["sequence"]) == (10, 2)


async def test_every_way_to_change_stock_is_told(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await move(shop, "CAF-A", 5)
    await shop.owner.patch(f"/v1/products/{shop.products['CAF-B']}", {"stock": 1})
    await add_product(shop.owner, shop.store_id, name="Caneca", stock=4)
    csv = b"codigo;nome;preco;estoque\nCAF-C;Moka;30,00;9\nNOVO;Filtro;5,00;30\n"
    sent = await shop.owner.request(
        "POST",
        f"/v1/stores/{shop.store_id}/products/import",
        files={"file": ("p.csv", csv)},
    )
    assert sent.status_code == 200, sent.text
    await db.execute(  # As the front end would.
        "INSERT INTO products (store_id, name, price, stock) VALUES ($1, 'Bule', 80, 2)",
        UUID(shop.store_id),
    )

    await deliver(resources, shop)

    told = sorted(
        (each.data["delta"], each.data["stock"], each.data["origin"]["kind"])
        for each in receiver.received
    )
    assert told == [
        (-19, 1, "manual"),
        (2, 2, "opening"),
        (4, 4, "opening"),
        (5, 15, "manual"),
        (9, 9, "import"),
        (30, 30, "opening"),
    ]
    assert {each.json["type"] for each in receiver.received} == {"stock.adjusted"}


async def test_what_the_erp_said_is_not_told_back(
    shop: Shop, db: Driver, erp: Erp, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await put(shop, outbound_url=receiver.url, outbound_enabled=True, inbound_enabled=True)
    answer = await erp.send([erp.item("CAF-A", stock=4)])
    assert answer["items"][0]["status"] == "applied"
    await sell(db, shop, "CAF-A", 1)

    await deliver(resources, shop)

    (message,) = receiver.received
    assert (message.data["stock"], message.data["sequence"]) == (3, 1)
    assert await untold(db, shop) == []


async def test_nothing_is_written_while_nobody_is_to_be_told(
    shop: Shop, db: Driver, resources: Resources
) -> None:
    await put(shop, outbound_url="https://erp.example.com/", outbound_enabled=False)
    await sell(db, shop, "CAF-A", 1)

    assert await deliveries(shop) == []
    counted = "SELECT count(*) FROM vek1_api.stock_sequences WHERE product_id = $1"
    assert await db.fetchval(counted, UUID(shop.products["CAF-A"])) == 0
    assert await count_jobs(resources, name="stock.deliver", about=shop.store_id) == 0


async def test_message_is_there_exactly_when_its_movement_is(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    undone = db.transaction()
    await undone.start()
    await sell(db, shop, "CAF-A", 1)
    await undone.rollback()

    assert await deliveries(shop) == []
    await db.execute("DELETE FROM vek1_api.pgqueuer")
    async with db.transaction():
        await sell(db, shop, "CAF-A", 1)
        await sell(db, shop, "CAF-A", 1)
        await sell(db, shop, "CAF-B", 1)
    assert len(await deliveries(shop)) == 3
    assert await count_jobs(resources, name="stock.deliver", about=shop.store_id) == 1


async def test_product_that_moves_twice_in_a_statement_has_a_level_for_each(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    product = UUID(shop.products["CAF-A"])
    await db.fetch(
        "SELECT * FROM vek1_api.move_stock($1, $2, $3, 'manual')",
        UUID(shop.store_id),
        [product, UUID(shop.products["CAF-B"]), product, product],
        [-4, 1, 3, -2],
    )

    await deliver(resources, shop)

    told = [each.data for each in receiver.received if each.data["stock"] != 21]
    assert [(each["sequence"], each["delta"], each["stock"]) for each in told] == [
        (1, -4, 6),
        (2, 3, 9),
        (3, -2, 7),
    ]


async def test_sequences_have_no_gaps_however_many_sell_at_once(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)

    async def one(key: str) -> None:
        async with resources.database.driver() as driver:
            await sell(driver, shop, key, 1)

    await asyncio.gather(*(one(key) for key in ["CAF-A"] * 8 + ["CAF-B"] * 12))
    await deliver(resources, shop)

    for key, count, start in (("CAF-A", 8, 10), ("CAF-B", 12, 20)):
        product_id = shop.products[key]
        assert receiver.about(product_id) == list(range(1, count + 1))
        levels = [
            each.data["stock"]
            for each in receiver.received
            if each.data["product_id"] == product_id
        ]
        assert levels == [start - number for number in range(1, count + 1)]
    assert await untold(db, shop) == []


async def test_movement_of_the_front_ends_own_takes_the_place_of_the_opening_one(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    product_id = await db.fetchval(
        "INSERT INTO products (store_id, name, price, stock) VALUES ($1, 'Bule', 80, 6)"
        " RETURNING id",
        UUID(shop.store_id),
    )
    movement_id = await db.fetchval(
        "INSERT INTO stock_movements (store_id, product_id, delta, reason)"
        " VALUES ($1, $2, 6, 'manual') RETURNING id",
        UUID(shop.store_id),
        product_id,
    )

    await deliver(resources, shop)

    (message,) = receiver.received
    assert message.id == f"msg_{movement_id.hex}"
    assert (message.data["stock"], message.data["sequence"]) == (6, 1)
    assert await untold(db, shop) == []


async def test_doctor_finds_what_was_not_told_and_what_should_not_have_been(
    shop: Shop, db: Driver, receiver: ErpReceiver
) -> None:
    await listen(shop, receiver)
    for units in (1, 2, 3):
        await sell(db, shop, "CAF-B", units)
    ids = await db.fetch(
        "SELECT id FROM stock_movements WHERE store_id = $1 AND reason = 'order_created'"
        " ORDER BY delta DESC",
        UUID(shop.store_id),
    )
    lost, echoed, _ = [row["id"] for row in ids]
    assert await untold(db, shop) == []

    await db.execute("DELETE FROM vek1_api.stock_notices WHERE movement_id = $1", lost)
    await db.execute(
        "UPDATE stock_movements SET reason = 'inbound_sync' WHERE id = $1", echoed
    )

    assert sorted(await untold(db, shop)) == sorted([str(lost), str(echoed)])
    await db.execute("DELETE FROM stock_movements WHERE id = ANY ($1)", [lost, echoed])


async def test_deleted_products_last_message_is_still_sent(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await shop.owner.delete(f"/v1/products/{shop.products['CAF-A']}")

    await deliver(resources, shop)

    assert receiver.about(shop.products["CAF-A"]) == [1]
    sequences = "SELECT count(*) FROM vek1_api.stock_sequences WHERE product_id = $1"
    assert await db.fetchval(sequences, UUID(shop.products["CAF-A"])) == 0


async def test_thousand_movements_at_once_make_one_job(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await db.execute("DELETE FROM vek1_api.pgqueuer")

    await fill(db, shop, 1_000)

    told = "SELECT count(*) FROM vek1_api.stock_notices WHERE store_id = $1"
    assert await db.fetchval(told, UUID(shop.store_id)) == 1_000
    assert await count_jobs(resources, name="stock.deliver", about=shop.store_id) == 1


async def test_an_order_is_told_with_who_took_it_from_its_first_message(
    shop: Shop, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    line = {"product_id": shop.products["CAF-A"], "quantity": 2}
    for source in ("agent", "manual"):
        order = await shop.owner.post(
            f"/v1/stores/{shop.store_id}/orders", {"items": [line], "source": source}
        )
        await shop.owner.patch(
            f"/v1/orders/{order['id']}", {"items": [line | {"quantity": 1}]}
        )
        await shop.owner.post(f"/v1/orders/{order['id']}/cancel", {}, status=200)

    await deliver(resources, shop)

    assert [
        (each.json["type"], each.data["delta"], each.data["origin"]["kind"])
        for each in receiver.received
    ] == [
        (kind, delta, source)
        for source in ("agent", "manual")
        for kind, delta in (
            ("stock.decremented", -2),
            ("stock.restored", 1),
            ("stock.restored", 1),
        )
    ]
