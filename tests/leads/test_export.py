"""Leads as CSV, and back."""

from typing import Any
from uuid import UUID

import pytest

from tests.leads.csv_of import cells_of, export, leads, run_import, statuses
from tests.leads.people_of import JOANA, MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver

NASTY: list[dict[str, Any]] = [
    {"external_id": "+55 31 98888-0001", "name": '=cmd|"/c calc"!A1', "notes": "-1\r\n=2"},
    {"external_id": "31 98888-0002", "name": "'=already", "city": "@home"},
    {"external_id": "84738274928374@lid", "name": 'a;b,c"d', "notes": "  antes e depois  "},
    {"external_id": "+49 911 234567", "phone_number": "+49 911 234567"},
    {"external_id": "+7 912 345-67-89", "interests": ["=x", "bolo; de\ncasamento"]},
    {"external_id": "+user-1", "channel": "website", "preferences": {"a": {"b": [1, 2.5]}}},
    {"external_id": MOBILE, "channel": "website", "custom_attributes": {"c": "ç\"'"}},
    {"external_id": "5,5E+12", "channel": "website"},
    {"external_id": "12345678.0", "channel": "website"},
    {"external_id": MOBILE} | JOANA,
]


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def test_exported_leads_import_back_unchanged(
    ana: Person, store_id: str, db: Driver
) -> None:
    for each in NASTY:
        await add_lead(ana, store_id, **each)
    # As the front end writes: masks, blanks, nulls in objects, a short mobile, odd JSON.
    await db.execute(
        "INSERT INTO leads (store_id, channel, external_id, name, city, postal_code, state,"
        " phone_number, status, interests, custom_attributes, preferences)"
        " VALUES ($1, 'whatsapp', '553198887777', ' Bia ', ' ', '30160-011', 'mg',"
        " '(31) 3333-4444', 'quente', '[\"a\"]', $2, $3)",
        UUID(store_id),
        '{"cpf": "529.982.247-25", "x": null}',
        '{"y": null}',
    )
    before = await leads(ana, store_id)
    assert len(before) == len(NASTY) + 1

    answer = await run_import(ana, store_id, await export(ana, store_id))

    assert statuses(answer) == ["unchanged"] * len(before)
    assert await leads(ana, store_id) == before


async def test_export_is_a_private_table_without_formulas(
    ana: Person, store_id: str
) -> None:
    for each in NASTY:
        await add_lead(ana, store_id, **each)

    response = await ana.request("GET", f"/v1/stores/{store_id}/leads/export")

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="leads-loja-da-savassi-20')
    rows = cells_of(response.content.decode())
    assert len(rows) == len(NASTY)
    assert rows[0]["name"] == '\'=cmd|"/c calc"!A1'
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]
    [entry] = await ana.audit(action="leads.exported")
    assert (entry["target_type"], entry["target_id"]) == ("store", store_id)
    assert (entry["actor_user_id"], entry["meta"]) == (ana.user_id, None)


async def test_export_of_many_leads_has_each_of_them_once_the_oldest_first(
    ana: Person, store_id: str, db: Driver
) -> None:
    await db.execute(
        "INSERT INTO leads (store_id, channel, external_id, created_at)"
        " SELECT $1, 'website', n, '2026-01-01'::timestamp + n / 7 * interval '1 s'"
        " FROM generate_series(0, 2000) AS n",
        UUID(store_id),
    )

    rows = cells_of(await export(ana, store_id))

    numbers = [int(row["external_id"]) for row in rows]
    assert sorted(numbers) == list(range(2001))
    assert [number // 7 for number in numbers] == sorted(number // 7 for number in numbers)
