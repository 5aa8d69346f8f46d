"""A person's copy and erasure touch nobody whose data only looks alike."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.leads.people_of import add_lead
from tests.people import Person
from vek1_api.core.db import Driver

PHONE = "5531987654321"


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def order_of(db: Driver, store_id: str, **customer: str) -> UUID:
    """Add an order that is tied to no lead."""
    number = await db.fetchval(
        "SELECT count(*) + 1 FROM orders WHERE store_id = $1", store_id
    )
    order_id: UUID = await db.fetchval(
        "INSERT INTO orders (store_id, number, status, subtotal_cents, total_cents,"
        " customer_name, customer_phone, customer_email, customer_tax_id, notes)"
        " VALUES ($1, $2, 'draft', 0, 0, 'Mariana', $3, $4, $5, 'Sem cebola') RETURNING id",
        store_id,
        number,
        customer.get("phone"),
        customer.get("email"),
        customer.get("tax_id"),
    )
    return order_id


async def order_row(db: Driver, order_id: UUID) -> Any:
    return await db.fetchrow("SELECT * FROM orders WHERE id = $1", order_id)


async def add_person(ana: Person, store_id: str) -> Any:
    return await add_lead(
        ana,
        store_id,
        PHONE,
        email="ana@gmail.com",
        custom_attributes={"cpf": "31998765440"},
    )


@pytest.mark.parametrize(
    "customer",
    [
        {"email": "mariana@gmail.com"},
        {"email": "ana@gmail.com.br"},
        {"email": "x.ana@gmail.com"},
        {"phone": "+1 31 98765-4321"},
        {"phone": "+47 31987654321"},
        {"phone": "31 98765-43210"},
        {"phone": "31998765440"},
        {"tax_id": "31987654321"},
        {"phone": "3198", "email": "7654321"},
    ],
)
async def test_order_of_somebody_with_like_data_is_not_theirs(
    customer: dict[str, str], ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_person(ana, store_id)
    order_id = await order_of(db, store_id, **customer)
    before = await order_row(db, order_id)

    copy = await ana.get(f"/v1/leads/{lead['id']}/export")
    await ana.delete(f"/v1/leads/{lead['id']}")

    assert copy["orders"] == []
    assert await order_row(db, order_id) == before


@pytest.mark.parametrize(
    "customer",
    [
        {"email": " ANA@gmail.com "},
        {"phone": "+55 (31) 98765-4321"},
        {"phone": "31 8765-4321"},
        {"tax_id": "319.987.654-40"},
    ],
)
async def test_order_that_was_written_down_by_hand_is_theirs_in_any_spelling(
    customer: dict[str, str], ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_person(ana, store_id)
    order_id = await order_of(db, store_id, **customer)

    copy = await ana.get(f"/v1/leads/{lead['id']}/export")
    await ana.delete(f"/v1/leads/{lead['id']}")

    assert [order["id"] for order in copy["orders"]] == [str(order_id)]
    assert (await order_row(db, order_id))["customer_name"] is None


MARKS = ["31987654321", "3187654321", "ana@gmail.com"]


@pytest.mark.parametrize(
    "text",
    [
        "5531987654321",
        "+55 (31) 98765-4321",
        "0055 31 98765 4321",
        "(031) 98765-4321",
        "0 15 31 8765-4321",
        "+55 31\u00a098765\u20114321.",
        '{"to":"5531987654321:12@s.whatsapp.net"}',
        "Fale com ANA@gmail.com.",
        '{"said":"meu e-mail:\\nana@gmail.com"}',
    ],
)
async def test_whole_number_or_address_is_found_in_a_text(text: str, db: Driver) -> None:
    assert await db.fetchval("SELECT vek1_api.is_marked($1, $2)", text, MARKS)


@pytest.mark.parametrize(
    "text",
    [
        "231987654321",
        "319876543210",
        "+47 31987654321",
        "31 98765 e 4321",
        '["31 98765", "4321"]',
        "mariana@gmail.com",
        "ana@gmail.com.br",
        "j-ana@gmail.com",
    ],
)
async def test_part_of_another_number_or_address_is_not_found(
    text: str, db: Driver
) -> None:
    assert not await db.fetchval("SELECT vek1_api.is_marked($1, $2)", text, MARKS)


async def test_answers_and_waiting_rows_about_somebody_alike_stay(
    ana: Person, store_id: str, db: Driver
) -> None:
    lead = await add_person(ana, store_id)
    path, key = f"/v1/stores/{store_id}/leads", {"Idempotency-Key": uuid4().hex}
    body = {
        "channel": "whatsapp",
        "external_id": "5531900000001",
        "name": "Mariana",
        "email": "mariana@gmail.com",
    }
    mariana = await ana.request("POST", path, json=body, headers=key)
    waiting = await _wait(db, store_id, {"external_id": "1", "email": "mariana@gmail.com"})

    await ana.delete(f"/v1/leads/{lead['id']}")

    again = await ana.request("POST", path, json=body, headers=key)
    assert (again.status_code, again.content) == (201, mariana.content)
    assert await _is_waiting(db, waiting)


async def test_id_that_is_a_word_names_nobody_else(
    ana: Person, store_id: str, db: Driver
) -> None:
    path, sent = f"/v1/stores/{store_id}/leads", []
    for external_id in ("whatsapp", "5531900000001"):
        body = {
            "channel": "website" if external_id == "whatsapp" else "whatsapp",
            "external_id": external_id,
        }
        key = {"Idempotency-Key": uuid4().hex}
        sent.append((body, key, await ana.request("POST", path, json=body, headers=key)))
    stranger = await _wait(db, store_id, {"channel": "whatsapp", "external_id": "1"})
    visitor = await _wait(db, store_id, {"channel": "website", "external_id": "whatsapp"})

    await ana.delete(f"/v1/leads/{sent[0][2].json()['id']}")

    again = [await ana.request("POST", path, json=b, headers=key) for b, key, _ in sent]
    assert [answer.status_code for answer in again] == [409, 201]
    assert await _is_waiting(db, stranger)
    assert not await _is_waiting(db, visitor)


async def _wait(db: Driver, store_id: str, values: dict[str, str]) -> UUID:
    """Add an import of one row that waits."""
    import_id: UUID = await db.fetchval(
        "INSERT INTO vek1_api.imports (store_id, kind, dry_run, status, total_rows)"
        " VALUES ($1, 'leads', false, 'pending', 1) RETURNING id",
        store_id,
    )
    await db.execute(
        "INSERT INTO vek1_api.import_rows (import_id, row, values) VALUES ($1, 1, $2)",
        import_id,
        json.dumps(values),
    )
    return import_id


async def _is_waiting(db: Driver, import_id: UUID) -> bool:
    found = await db.fetchval(
        "SELECT values IS NOT NULL AND status IS NULL FROM vek1_api.import_rows"
        " WHERE import_id = $1",
        import_id,
    )
    return bool(found)
