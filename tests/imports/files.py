"""What the tests of imports do again and again: send a CSV, look at what became of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

from tests.people import Person
from vek1_api.core.resources import Resources


async def send(
    person: Person, store_id: str, content: str | bytes, **options: Any
) -> httpx.Response:
    """Send a CSV for import."""
    data = content.encode() if isinstance(content, str) else content
    return await person.request(
        "POST",
        f"/v1/stores/{store_id}/products/import",
        files={"file": ("produtos.csv", data, "text/csv")},
        **options,
    )


async def run_import(
    person: Person, store_id: str, content: str | bytes, *, dry_run: bool = False
) -> Any:
    """Import a CSV that is answered at once."""
    params = {"dry_run": "true"} if dry_run else None
    response = await send(person, store_id, content, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(person: Person, store_id: str, content: str | bytes, status: int) -> Any:
    """Send a CSV that is refused as a whole, and return the problem."""
    response = await send(person, store_id, content)
    assert response.status_code == status, response.text
    return response.json()


async def products(person: Person, store_id: str) -> list[Any]:
    """Return all of a store's products, by their names."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await person.get(f"/v1/stores/{store_id}/products", limit=200, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return sorted(found, key=lambda product: str(product["name"]))
        cursor = {"cursor": page["next_cursor"]}


async def export(person: Person, store_id: str) -> str:
    """Return a store's catalogue as CSV."""
    response = await person.request("GET", f"/v1/stores/{store_id}/products/export")
    assert response.status_code == 200, response.text
    return response.content.decode()


def statuses(answer: Any) -> list[str]:
    """Return the verdicts in the order of the file."""
    return [row["status"] for row in answer["rows"]]


def table(*rows: Sequence[str], delimiter: str = ";") -> str:
    """Return rows as lines of a CSV, without quotes."""
    return "".join(delimiter.join(row) + "\n" for row in rows)


async def traces(resources: Resources, store_id: str) -> list[int]:
    """Return how much there is of everything that an import writes."""
    statement = """
        SELECT (SELECT count(*) FROM products WHERE store_id = $1),
               (SELECT count(*) FROM documents WHERE store_id = $1),
               (SELECT count(*) FROM stock_movements WHERE store_id = $1),
               (SELECT count(*) FROM vek1_api.product_keys WHERE store_id = $1),
               (SELECT count(*) FROM vek1_api.imports WHERE store_id = $1),
               (SELECT count(*) FROM audit_log WHERE action LIKE 'product%' AND store_id = $1)
    """
    async with resources.database.driver() as driver:
        return [*await driver.fetchrow(statement, UUID(store_id))]
