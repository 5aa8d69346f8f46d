"""What the tests of leads by CSV do again and again."""

import csv
import io
from typing import Any
from uuid import UUID

import httpx

from tests.people import Person
from vek1_api.core.db import Driver

NOTHING = {"created": 0, "updated": 0, "unchanged": 0, "error": 0}


async def send(
    person: Person, store_id: str, content: str, **options: Any
) -> httpx.Response:
    """Send a CSV for import."""
    return await person.request(
        "POST",
        f"/v1/stores/{store_id}/leads/import",
        files={"file": ("clientes.csv", content.encode(), "text/csv")},
        **options,
    )


async def run_import(
    person: Person, store_id: str, content: str, *, dry_run: bool = False
) -> Any:
    """Import a CSV that is answered at once."""
    params = {"dry_run": "true"} if dry_run else None
    response = await send(person, store_id, content, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def export(person: Person, store_id: str) -> str:
    """Return a store's leads as CSV."""
    response = await person.request("GET", f"/v1/stores/{store_id}/leads/export")
    assert response.status_code == 200, response.text
    return response.content.decode()


def cells_of(text: str) -> list[dict[str, str]]:
    """Return the rows of an export by their columns."""
    plain = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return list(csv.DictReader(plain, delimiter=";"))


async def leads(person: Person, store_id: str) -> list[Any]:
    """Return all of a store's leads, by their ids on their channel."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await person.get(f"/v1/stores/{store_id}/leads", limit=200, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return sorted(found, key=lambda lead: str(lead["external_id"]))
        cursor = {"cursor": page["next_cursor"]}


def statuses(answer: Any) -> list[str]:
    """Return the verdicts in the order of the file."""
    return [row["status"] for row in answer["rows"]]


def errors(answer: Any) -> dict[int, list[tuple[str, str]]]:
    """Return what is wrong with which row."""
    return {
        row["row"]: [(error["pointer"], error["code"]) for error in row["errors"]]
        for row in answer["rows"]
        if row["status"] == "error"
    }


async def traces(db: Driver, store_id: str) -> list[int]:
    """Return how much there is of everything that an import writes."""
    statement = """
        SELECT (SELECT count(*) FROM leads WHERE store_id = $1),
               (SELECT count(*) FROM vek1_api.lead_identity WHERE store_id = $1),
               (SELECT count(*) FROM lead_events JOIN leads ON leads.id = lead_id
                WHERE store_id = $1),
               (SELECT count(*) FROM vek1_api.imports WHERE store_id = $1),
               (SELECT count(*) FROM audit_log WHERE action LIKE 'lead%' AND store_id = $1)
    """
    row = await db.fetchrow(statement, UUID(store_id))
    assert row is not None
    return [*row]
