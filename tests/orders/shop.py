"""A shop that sells, and what the database keeps of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.people import Person
from vek1_api.core.db import Driver

KEPT = {
    "orders": "SELECT row.* FROM orders AS row WHERE id = $1",
    "items": "SELECT row.* FROM order_items AS row WHERE order_id = $1 ORDER BY id",
    "events": "SELECT row.* FROM order_events AS row WHERE order_id = $1 ORDER BY id",
    "attempts": "SELECT row.* FROM payment_attempts AS row WHERE order_id = $1 ORDER BY id",
    "movements": "SELECT row.* FROM stock_movements AS row WHERE order_id = $1 ORDER BY id",
    "state": "SELECT row.* FROM vek1_api.order_state AS row WHERE order_id = $1",
    "products": "SELECT row.* FROM products AS row WHERE store_id ="
    " (SELECT store_id FROM orders WHERE id = $1) ORDER BY id",
    "leads": "SELECT row.* FROM leads AS row WHERE store_id ="
    " (SELECT store_id FROM orders WHERE id = $1) ORDER BY id",
    "audit": "SELECT row.* FROM audit_log AS row WHERE store_id ="
    " (SELECT store_id FROM orders WHERE id = $1) ORDER BY at, id",
}


@dataclass(frozen=True)
class Shop:
    """A store of Ana's."""

    owner: Person
    store_id: str

    @property
    def orders(self) -> str:
        return f"/v1/stores/{self.store_id}/orders"

    async def add_product(self, **more: Any) -> Any:
        body = {"name": "Café Serra Azul 500 g", "price": 29.9, "stock": 10, **more}
        return await self.owner.post(f"/v1/stores/{self.store_id}/products", body)

    async def add_lead(self, external_id: str = "5531999998888", **more: Any) -> Any:
        body = {"channel": "whatsapp", "external_id": external_id, **more}
        return await self.owner.post(f"/v1/stores/{self.store_id}/leads", body)

    async def order(self, *lines: tuple[Any, int], **more: Any) -> Any:
        """Order these products, or a ribbon if none is named."""
        items: list[Any] = [
            {"product_id": product["id"], "quantity": quantity}
            for product, quantity in lines
        ]
        return await self.owner.post(self.orders, {"items": items or [ribbon()], **more})

    async def try_order(self, *lines: tuple[Any, int], **more: Any) -> httpx.Response:
        items = [
            {"product_id": product["id"], "quantity": quantity}
            for product, quantity in lines
        ]
        return await self.owner.request("POST", self.orders, json={"items": items, **more})

    async def step(self, order: Any, verb: str, status: int = 200) -> Any:
        return await self.owner.post(f"/v1/orders/{order['id']}/{verb}", None, status)

    async def stock(self, product: Any) -> int:
        found = await self.owner.get(f"/v1/products/{product['id']}")
        return int(found["stock"])


async def open_shop(person: Person) -> Shop:
    return Shop(person, (await person.open_store())["id"])


def ribbon(price_cents: int = 500, **more: Any) -> dict[str, Any]:
    return {"name": "Laço", "price_cents": price_cents, **more}


async def set_status(db: Driver, order: Any, status: str, **more: Any) -> None:
    """Take an order to a status past the table, as the parts that do so are not at hand."""
    columns = "".join(f", {name} = ${place}" for place, name in enumerate(more, start=3))
    await db.execute(
        f"UPDATE orders SET status = $2{columns} WHERE id = $1",
        UUID(order["id"]),
        status,
        *more.values(),
    )


async def past_the_triggers(db: Driver, statement: str, *values: Any) -> None:
    """Write as a database did that no trigger of ours watched."""
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement, *values)


async def kept(db: Driver, order: Any) -> dict[str, list[str]]:
    """Return every row that an order could change."""
    return {
        name: [
            str(row["text"])
            for row in await db.fetch(
                f"SELECT found::text AS text FROM ({statement}) AS found",
                UUID(order["id"]),
            )
        ]
        for name, statement in KEPT.items()
    }


async def moved(db: Driver, product: Any) -> int:
    """Return the sum of a product's movements."""
    total = await db.fetchval(
        "SELECT coalesce(sum(delta), 0) FROM stock_movements WHERE product_id = $1",
        UUID(product["id"]),
    )
    return int(total)


def pointers(response: httpx.Response) -> list[str]:
    return [each["pointer"] for each in response.json()["errors"]]


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")
