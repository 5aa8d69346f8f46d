"""After any mixture of everything at once the rules over all rows hold; and doctor sees a lie."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from tests.orders.shop import Shop, ribbon
from vek1_api.access import access as accesses
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.core.schema import doctor
from vek1_api.core.schema.orders import STEPS as KNOWN
from vek1_api.orders import held, moving, steps, transitions
from vek1_api.orders.errors import InvalidTransitionError
from vek1_api.orders.status import Actor
from vek1_api.orders.transitions import Step

NAMES = ("I1", "I2", "I4", "I5", "I6")
KEYS = """
    SELECT id::text FROM products WHERE store_id = $1
    UNION SELECT id::text FROM orders WHERE store_id = $1
    UNION SELECT id::text FROM leads WHERE store_id = $1
    UNION SELECT 'store ' || $1
"""


async def broken(db: Driver, shop: Shop) -> set[str]:
    """Return the names of the rules that this shop breaks."""
    store_id = UUID(shop.store_id)
    mine = {row[0] for row in await db.fetch(KEYS, store_id)}
    rules = [each for each in doctor.INVARIANTS if each.name in NAMES]
    assert {each.name for each in rules} == set(NAMES)
    return {
        each.name
        for each in rules
        for row in await db.fetch(each.query)
        if row["key"] in mine
    }


class Bustle:
    """People who do anything to any order at any time."""

    def __init__(self, shop: Shop, resources: Resources, seed: int) -> None:
        self.shop = shop
        self.products: list[Any] = []
        self.leads: list[Any] = []
        self.orders: list[str] = []
        self.codes: set[int] = set()
        self._chance = random.Random(seed)  # noqa: S311 - Nothing is secret.
        self._database = resources.database

    async def open(self) -> None:
        for number in range(4):
            price = self._chance.randint(0, 10_000) / 100
            self.products.append(
                await self.shop.add_product(name=f"P{number}", price=price, stock=12)
            )
        for number in range(3):
            self.leads.append(await self.shop.add_lead(f"55319999988{number:02}"))
        for _ in range(4):
            await self.create()

    def basket(self) -> list[Any]:
        chosen = self._chance.choices(self.products, k=self._chance.randint(1, 3))
        lines: list[Any] = [
            {"product_id": each["id"], "quantity": self._chance.randint(1, 4)}
            for each in chosen
        ]
        return [*lines, ribbon(self._chance.randint(0, 500))]

    async def create(self) -> None:
        body = {
            "items": self.basket(),
            "lead_id": self._chance.choice(self.leads)["id"],
            "discount_cents": self._chance.choice((0, 0, 100)),
        }
        answer = await self.call("POST", self.shop.orders, body)
        if "id" in answer:
            self.orders.append(answer["id"])

    async def change(self) -> None:
        body = self._chance.choice(
            (
                {"items": self.basket()},
                {"shipping_cents": self._chance.randint(0, 900)},
                {"lead_id": self._chance.choice(self.leads)["id"]},
            )
        )
        await self.call("PATCH", f"/v1/orders/{self._any()}", body)

    async def step(self) -> None:
        verb = self._chance.choice(("confirm", "ship", "fulfill", "cancel", "cancel"))
        await self.call("POST", f"/v1/orders/{self._any()}/{verb}")

    async def pay(self) -> None:
        step: Step = self._chance.choice(
            (
                transitions.AWAIT_PROOF,
                transitions.AWAIT_PROOF,
                transitions.RECEIVE_PROOF,
                transitions.REJECT_PROOF,
                transitions.DELIVER_FOR_CASH,
            )
        )
        access = accesses.system(self.shop.owner.user_id)
        try:
            async with self._database.transaction() as tx:
                order = await held.hold(tx, access, UUID(self._any()))
                await moving.take(tx, access, order, step, Actor.WEBHOOK)
        except InvalidTransitionError:
            self.codes.add(409)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.shop.owner.request(method, path, json=body)
        self.codes.add(answer.status_code)
        return answer.json()

    def _any(self) -> str:
        return self._chance.choice(self.orders)

    async def go_on(self, rounds: int) -> None:
        for _ in range(rounds):
            await self._chance.choice(
                (self.create, self.change, self.step, self.step, self.pay, self.pay)
            )()


@pytest.mark.slow  # Some hundreds of requests.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_mixture_keeps_the_rules(
    shop: Shop, db: Driver, resources: Resources, seed: int
) -> None:
    bustle = Bustle(shop, resources, seed)
    await bustle.open()

    await asyncio.gather(*(bustle.go_on(25) for _ in range(8)))
    await steps.expire_drafts(resources.database)

    assert await broken(db, shop) == set()
    assert bustle.codes <= {200, 201, 409, 422}
    happened = await db.fetch(
        "SELECT DISTINCT type FROM order_events JOIN orders ON orders.id = order_id"
        " WHERE store_id = $1",
        UUID(shop.store_id),
    )
    # It did go somewhere.
    assert {row["type"] for row in happened} >= {
        "created",
        "note",
        "confirmed",
        "cancelled",
    }


def test_doctor_knows_the_steps() -> None:
    shown = {
        (
            each.data.get("step"),
            each.event.value,
            each.action,
            each.target.value,
        )
        for each in transitions.STEPS
    }

    assert set(KNOWN) == shown


@pytest.mark.parametrize(
    ("damage", "rules"),
    [
        ("SELECT 1 FROM orders WHERE id = $1", set()),
        ("UPDATE orders SET number = 2, updated_at = now() WHERE id = $1", {"I5"}),
        ("UPDATE orders SET status = 'shipping' WHERE id = $1", {"I6"}),
        ("UPDATE orders SET status = 'draft' WHERE id = $1", {"I6"}),
        ("DELETE FROM order_events WHERE order_id = $1", {"I6"}),
        ("DELETE FROM order_events WHERE order_id = $1 AND type = 'confirmed'", {"I6"}),
        ("UPDATE order_events SET type = 'note' WHERE order_id = $1", {"I6"}),
        ("DELETE FROM vek1_api.order_state WHERE order_id = $1", {"I5"}),
        (
            (
                "UPDATE vek1_api.order_counters SET last = 9 WHERE store_id ="
                " (SELECT store_id FROM orders WHERE id = $1)"
            ),
            {"I5"},
        ),
        (
            "INSERT INTO order_events (order_id, type, actor) VALUES ($1, 'cancelled', 'user')",
            {"I6"},
        ),
    ],
)
async def test_doctor_sees_a_number_or_a_status_that_nobody_gave(
    shop: Shop, db: Driver, resources: Resources, damage: str, rules: set[str]
) -> None:
    order = await shop.order()
    access = accesses.system(shop.owner.user_id)
    async with resources.database.transaction() as tx:
        order_in_hand = await held.hold(tx, access, UUID(order["id"]))
        await moving.take(tx, access, order_in_hand, transitions.AWAIT_PROOF, Actor.SYSTEM)
    await shop.step(order, "confirm")
    assert await broken(db, shop) == set()

    await db.execute(damage, UUID(order["id"]))

    assert await broken(db, shop) == rules


async def test_orders_of_before_have_no_history_to_be_held_against(
    shop: Shop, db: Driver
) -> None:
    await db.execute(
        "INSERT INTO orders (store_id, number, status) VALUES ($1, 3, 'fulfilled')",
        UUID(shop.store_id),
    )
    order = await shop.order()

    assert order["number"] == 4
    assert await broken(db, shop) == set()
