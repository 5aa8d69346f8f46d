"""Keyset pages: nothing repeated, nothing hidden, whatever happens meanwhile."""

import base64
from typing import Any

import pytest

from tests.access.operations import make_one_of_each, named, operations, Operation
from tests.people import Person
from vek1_api.core.db import Driver

SAME_MOMENT = "2026-03-01 12:00:00.123456"


async def _walk(person: Person, path: str, limit: int, **params: Any) -> list[str]:
    """Return the ids of all items, page by page."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        page = await person.get(path, limit=limit, **params, **cursor)
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}
    message = "the pages never end"
    raise AssertionError(message)


async def _add_agents_of_one_moment(db: Driver, store_id: str, count: int) -> set[str]:
    rows = await db.fetch(
        "INSERT INTO agents (store_id, name, type, created_at)"
        " SELECT $1, 'Lia', 'sales', $3::text::timestamp FROM generate_series(1, $2)"
        " RETURNING id",
        store_id,
        count,
        SAME_MOMENT,
    )
    return {str(row["id"]) for row in rows}


@pytest.mark.parametrize("limit", [1, 2, 7, 11, 12])
async def test_rows_of_one_moment_are_all_shown_once(
    limit: int, ana: Person, db: Driver
) -> None:
    store = await ana.open_store()
    made = await _add_agents_of_one_moment(db, store["id"], 11)

    seen = await _walk(ana, f"/v1/stores/{store['id']}/agents", limit)

    assert len(seen) == 11
    assert set(seen) == made


async def test_row_that_goes_while_paging_hides_no_other(ana: Person, db: Driver) -> None:
    store = await ana.open_store()
    made = await _add_agents_of_one_moment(db, store["id"], 6)
    path = f"/v1/stores/{store['id']}/agents"
    first = await ana.get(path, limit=3)
    shown = [item["id"] for item in first["items"]]

    await ana.delete(f"/v1/agents/{shown[-1]}")  # The very row that the cursor names.
    second = await ana.get(path, limit=3, cursor=first["next_cursor"])

    assert {*shown, *(item["id"] for item in second["items"])} == made
    assert second["next_cursor"] is None


async def test_newest_is_first(ana: Person) -> None:
    made = [(await ana.open_store(f"Loja {number}"))["id"] for number in range(4)]

    assert await _walk(ana, "/v1/stores", 2) == made[::-1]


async def test_filter_holds_on_every_page(ana: Person) -> None:
    store = await ana.open_store()
    for number in range(6):
        await ana.add_agent(store["id"], active=bool(number % 2))
    path = f"/v1/stores/{store['id']}/agents"

    seen = await _walk(ana, path, 2, active="true")

    assert len(seen) == len(set(seen)) == 3
    page = await ana.get(path, active="true")
    assert all(item["active"] for item in page["items"])


async def test_page_has_fifty_unless_asked(ana: Person, db: Driver) -> None:
    store = await ana.open_store()
    await _add_agents_of_one_moment(db, store["id"], 201)
    path = f"/v1/stores/{store['id']}/agents"

    assert len((await ana.get(path))["items"]) == 50
    assert len((await ana.get(path, limit=200))["items"]) == 200


LISTS = [
    operation
    for operation in operations("/v1")
    if operation.method == "GET" and operation.id.startswith("list_")
]


@pytest.mark.parametrize("operation", LISTS, ids=named)
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "-1",
        "é",
        "\x00",
        "1e5",
        "9" * 30,
        "x" * 513,
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"[1,2]").decode(),
        base64.urlsafe_b64encode(
            b'["0001-01-01T00:00:00+14:00","' + b"0" * 32 + b'"]'
        ).decode(),
        base64.urlsafe_b64encode(b'["2026-01-01",null]').decode(),
        base64.urlsafe_b64encode(b'{"a":1}').decode(),
        base64.urlsafe_b64encode(b'["\xff"]').decode(),
    ],
)
async def test_cursor_that_is_not_ours_is_refused(
    operation: Operation, cursor: str, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)

    response = await ana.request("GET", operation.url(ids), params={"cursor": cursor})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/query/cursor"]


async def test_cursor_of_another_kind_of_list_is_refused(ana: Person) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Texto")
    await ana.open_store()
    cursor = (await ana.get("/v1/stores", limit=1))["next_cursor"]

    response = await ana.request(
        "GET", f"/v1/documents/{document['id']}/chunks", params={"cursor": cursor}
    )

    assert response.status_code == 422


async def test_cursor_of_anothers_list_shows_ones_own_only(
    ana: Person, bruno: Person
) -> None:
    await bruno.open_store("Dele")
    for _ in range(2):
        await ana.open_store("Dela")
    cursor = (await ana.get("/v1/stores", limit=1))["next_cursor"]

    page = await bruno.get("/v1/stores", cursor=cursor)

    assert {item["name"] for item in page["items"]} <= {"Dele"}


async def test_partial_update_tells_null_from_absent(ana: Person) -> None:
    store = await ana.open_store("Loja", description="some")
    path = f"/v1/stores/{store['id']}"

    assert await ana.patch(path, {}) == store
    assert (await ana.patch(path, {"name": "Nova"}))["description"] == "some"
    assert (await ana.patch(path, {"description": None}))["description"] is None
    assert (await ana.patch(path, {"description": ""}))["description"] == ""


@pytest.mark.parametrize(
    ("operation_id", "field"),
    [
        ("update_store", "name"),
        ("update_store", "slug"),
        ("update_store", "status"),
        ("update_store", "allocated_size_gb"),
        ("update_agent", "name"),
        ("update_agent", "type"),
        ("update_agent", "active"),
        ("update_agent", "voice_tone"),
        ("update_agent", "website_enabled"),
        ("update_agent", "whatsapp_enabled"),
        ("update_document", "title"),
        ("update_document", "content"),
        ("update_company", "name"),
        ("update_company", "slug"),
    ],
)
async def test_null_in_a_field_that_may_not_be_empty_changes_nothing(
    operation_id: str, field: str, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    operation = next(each for each in operations() if each.id == operation_id)
    before = await ana.get(operation.url(ids))

    response = await ana.request("PATCH", operation.url(ids), json={field: None})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"/{field}"
    assert await ana.get(operation.url(ids)) == before
