"""A lead's fields: checked, merged, counted; what changes is an event, its values a secret."""

from typing import Any
from uuid import uuid4

import pytest

from tests.leads.people_of import JOANA, MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def test_lead_keeps_every_field(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id, **JOANA)

    assert lead.items() >= JOANA.items()
    assert (lead["channel"], lead["external_id"]) == ("whatsapp", MOBILE)
    assert await ana.get(f"/v1/leads/{lead['id']}") == lead
    assert (await ana.get(f"/v1/stores/{store_id}/leads"))["items"] == [lead]


async def test_new_lead_has_the_seeds_defaults(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id)

    assert (lead["status"], lead["phone_confirmed"]) == ("new", False)
    assert (lead["custom_attributes"], lead["interests"], lead["preferences"]) == (
        {},
        [],
        {},
    )
    counters = ("total_messages", "total_purchases", "total_spent_cents")
    assert [lead[name] for name in counters] == [0, 0, 0]


async def test_second_upsert_writes_what_is_sent_and_leaves_the_rest(
    ana: Person, store_id: str
) -> None:
    first = await add_lead(ana, store_id, **JOANA)
    body = {"channel": "whatsapp", "external_id": "553199998888", "city": "Contagem"}

    again = await ana.post(f"/v1/stores/{store_id}/leads", body, status=200)

    assert again["id"] == first["id"]
    assert (again["city"], again["name"]) == ("Contagem", "Joana Ribeiro")
    unchanged = await ana.post(f"/v1/stores/{store_id}/leads", body, status=200)
    assert unchanged == again


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"postal_code": "30130-010"}, {"postal_code": "30130010"}),
        ({"state": "mg"}, {"state": "MG"}),
        ({"phone_number": "(31) 9999-8888"}, {"phone_number": "+5531999998888"}),
        ({"phone_number": "31 3333-4444"}, {"phone_number": "+553133334444"}),
        ({"phone_number": "+351 912 345 678"}, {"phone_number": "+351912345678"}),
        (
            {"custom_attributes": {"cpf": "111.444.777-35"}},
            {"custom_attributes": {"cpf": "11144477735"}},
        ),
        (
            {"custom_attributes": {"cnpj": "12.abc.345/01de-35"}},
            {"custom_attributes": {"cnpj": "12ABC34501DE35"}},
        ),
    ],
)
async def test_brazilian_numbers_are_kept_without_masks(
    ana: Person, store_id: str, sent: dict[str, Any], kept: dict[str, Any]
) -> None:
    lead = await add_lead(ana, store_id, **sent)

    assert lead.items() >= kept.items()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("postal_code", "3013-010"),
        ("state", "XX"),
        ("phone_number", "12345"),
        ("phone_number", "abc"),
        ("email", "joana"),
        ("name", ""),
        ("name", "x" * 201),
        ("status", "vip"),
        ("notes", "a\x00b"),
        ("phone_confirmed", "yes"),
        ("custom_attributes", {"cpf": "11111111111"}),
        ("custom_attributes", {"cnpj": "12ABC34501DE36"}),
        ("custom_attributes", {"a": "x" * 70_000}),
        ("preferences", []),
        ("interests", ["x"] * 101),
        ("total_messages", 9),
        ("profile_summary", "x"),
    ],
)
async def test_refused_field_is_named_and_nothing_changes(
    ana: Person, store_id: str, field: str, value: Any
) -> None:
    lead = await add_lead(ana, store_id, **JOANA)

    answers = [
        await ana.request("PATCH", f"/v1/leads/{lead['id']}", json={field: value}),
        await ana.request(
            "POST",
            f"/v1/stores/{store_id}/leads",
            json={"channel": "whatsapp", "external_id": "5531911112222", field: value},
        ),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert (await ana.get(f"/v1/stores/{store_id}/leads"))["items"] == [lead]


async def test_attributes_and_preferences_are_merge_patches(
    ana: Person, store_id: str
) -> None:
    lead = await add_lead(ana, store_id, custom_attributes={"a": {"b": 1, "c": 2}, "d": 3})
    path = f"/v1/leads/{lead['id']}"

    changed = await ana.patch(
        path,
        {
            "custom_attributes": {"a": {"b": None, "e": 4}, "d": None},
            "preferences": {"entrega": "retirada"},
            "interests": ["coado"],
        },
    )
    cleared = await ana.patch(path, {"custom_attributes": None, "interests": None})

    assert changed["custom_attributes"] == {"a": {"c": 2, "e": 4}}
    assert changed["preferences"] == {"entrega": "retirada"}
    assert (cleared["custom_attributes"], cleared["interests"]) == ({}, [])


async def test_patches_do_not_add_up_without_end(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id, custom_attributes={"a": "x" * 60_000})
    path = f"/v1/leads/{lead['id']}"

    answer = await ana.request(
        "PATCH", path, json={"custom_attributes": {"b": "x" * 60_000}, "city": "Betim"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/custom_attributes"
    assert await ana.get(path) == lead


async def test_change_of_status_is_an_event(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id)
    path = f"/v1/leads/{lead['id']}"

    await ana.patch(path, {"status": "qualified"})
    await ana.patch(path, {"status": "qualified", "city": "Betim"})

    (event,) = (await ana.get(f"{path}/events"))["items"]
    assert (event["type"], event["data"]) == (
        "status_changed",
        {"from": "new", "to": "qualified"},
    )


async def test_company_adds_statuses_of_its_own(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id)
    await ana.patch("/v1/company", {"settings": {"lead_statuses": ["vip"]}})

    changed = await ana.patch(f"/v1/leads/{lead['id']}", {"status": "vip"})

    assert changed["status"] == "vip"


async def test_audit_log_names_fields_and_no_person(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id)

    await ana.patch(f"/v1/leads/{lead['id']}", {"name": "Joana", "email": "j@x.br"})

    updated, created = await ana.audit(target_id=lead["id"])
    assert (created["action"], updated["action"]) == ("lead.created", "lead.updated")
    assert updated["meta"] == {"fields": ["email", "name"]}


async def test_lists_filter(ana: Person, store_id: str) -> None:
    joana = await add_lead(ana, store_id, **JOANA)
    caio = await add_lead(
        ana, store_id, "user-1", channel="website", name="Caio", city="São Paulo"
    )
    path = f"/v1/stores/{store_id}/leads"

    for filters, found in (
        ({"status": "qualified"}, [joana]),
        ({"channel": "website"}, [caio]),
        ({"city": "sao paulo"}, [caio]),
        ({"q": "RIBEIRO"}, [joana]),
        ({"q": "joana@"}, [joana]),
        ({"q": "99999"}, [joana]),
        ({"last_contact_from": caio["last_contact_at"]}, [caio]),
        ({"last_contact_to": caio["last_contact_at"]}, [joana]),
        ({"q": "%"}, []),
        ({}, [caio, joana]),
    ):
        assert (await ana.get(path, **filters))["items"] == found, filters


async def test_events_are_written_and_listed(
    ana: Person, bruno: Person, store_id: str, db: Driver
) -> None:
    lead = await add_lead(ana, store_id)
    agent_id = (await ana.add_agent(store_id))["id"]
    foreign = (await bruno.add_agent((await bruno.open_store())["id"]))["id"]
    path = f"/v1/leads/{lead['id']}/events"

    event = await ana.post(
        path, {"type": "visit", "agent_id": agent_id, "data": {"pagina": "/"}}
    )
    refused = await ana.request("POST", path, json={"type": "visit", "agent_id": foreign})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/agent_id"
    assert (await ana.get(path))["items"] == [event]
    assert (await ana.get(path, type="note"))["items"] == []
    count = "SELECT count(*) FROM lead_events WHERE lead_id = $1"
    assert await db.fetchval(count, lead["id"]) == 1


async def test_stale_version_is_refused(ana: Person, store_id: str) -> None:
    lead = await add_lead(ana, store_id)
    path = f"/v1/leads/{lead['id']}"
    tag = (await ana.request("GET", path)).headers["ETag"]
    changed = await ana.patch(path, {"city": "Betim"})

    answer = await ana.request(
        "PATCH", path, json={"city": "Contagem"}, headers={"If-Match": tag}
    )

    assert answer.status_code == 412
    assert await ana.get(path) == changed


async def test_unknown_lead_is_404(ana: Person) -> None:
    for path in ("", "/events", "/messages", "/profile", "/profile/versions"):
        answer = await ana.request("GET", f"/v1/leads/{uuid4()}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
