"""Stores with products and an ERP, and what their ledgers say."""

from dataclasses import dataclass
from uuid import UUID

from tests.fakes.erp import new_secret
from tests.people import Person
from tests.products.shelf import add_product
from vek1_api.core.db import Driver

START = {"CAF-A": 10, "CAF-B": 20, "CAF-C": 0}


@dataclass(frozen=True)
class Shop:
    owner: Person
    store_id: str
    secret: str
    products: dict[str, str]
    """The id of each product by its ERP's id."""


async def open_shop(
    owner: Person, db: Driver, stocks: dict[str, int] | None = None
) -> Shop:
    store_id = (await owner.open_store())["id"]
    products = {}
    for key, stock in (START if stocks is None else stocks).items():
        made = await add_product(
            owner, store_id, name=f"Café {key}", stock=stock, product_integration_id=key
        )
        products[key] = made["id"]
    secret = new_secret()
    await connect_erp(db, store_id, secret)
    return Shop(owner, store_id, secret, products)


async def connect_erp(db: Driver, store_id: str, secret: str) -> None:
    await db.execute(
        "INSERT INTO store_stock_sync_settings (store_id, inbound_secret, inbound_enabled)"
        " VALUES ($1, $2, true)",
        store_id,
        secret,
    )


async def fill(db: Driver, shop: Shop, count: int, stock: int = 5) -> list[str]:
    """Add many products at once; return their ERP's ids."""
    await db.execute(
        "INSERT INTO products (store_id, name, price, stock, product_integration_id)"
        " SELECT $1, 'Café ' || n, 1, $3, 'N-' || n FROM generate_series(1, $2::int) AS n",
        shop.store_id,
        count,
        stock,
    )
    return [f"N-{number}" for number in range(1, count + 1)]


async def stocks(db: Driver, shop: Shop) -> dict[str, int]:
    """Return the stock of each product, having checked that its ledger says the same."""
    rows = await db.fetch(
        "SELECT product_integration_id AS key, stock, coalesce((SELECT sum(delta)"
        " FROM stock_movements WHERE product_id = products.id), 0) AS ledger"
        " FROM products WHERE store_id = $1",
        shop.store_id,
    )
    assert [row["stock"] for row in rows] == [row["ledger"] for row in rows]
    return {row["key"]: row["stock"] for row in rows}


async def sell(db: Driver, shop: Shop, key: str, units: int) -> None:
    """Take units off as an order does."""
    rows = await db.fetch(
        "SELECT is_moved FROM vek1_api.move_stock($1, $2, $3, 'order_created')",
        UUID(shop.store_id),
        [UUID(shop.products[key])],
        [-units],
    )
    assert [row["is_moved"] for row in rows] == [True]
