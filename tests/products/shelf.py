"""What the tests of the catalogue put on the shelf, and how they look at the ledger."""

from typing import Any

from tests.people import Person
from vek1_api.core.db import Driver

COFFEE: dict[str, Any] = {
    "name": "Café Serra Azul 500 g",
    "description": "Notas de chocolate e caramelo.",
    "price": 29.9,
    "stock": 12,
    "product_integration_id": "CAF-500G",
    "custom_props": {"torra": "média", "moagens": ["coado", "espresso"]},
}


async def add_product(person: Person, store_id: str, **fields: Any) -> Any:
    """Put a product on the shelf; its name and price are given if not said."""
    body = {"name": "Café", "price": 29.9} | fields
    return await person.post(f"/v1/stores/{store_id}/products", body)


async def movements(db: Driver, product_id: str) -> list[tuple[int, str]]:
    """Return the deltas and reasons of a product's ledger, oldest first."""
    rows = await db.fetch(
        "SELECT delta, reason FROM stock_movements WHERE product_id = $1"
        " ORDER BY created_at, delta",
        product_id,
    )
    return [(row["delta"], row["reason"]) for row in rows]


async def names_found(person: Person, store_id: str, q: str, **filters: Any) -> list[str]:
    """Return the names of the products that a search finds, sorted."""
    page = await person.get(f"/v1/stores/{store_id}/products", q=q, **filters)
    return sorted(product["name"] for product in page["items"])
