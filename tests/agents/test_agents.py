"""Agents: all their fields, their limits, and what stays when one goes."""

from typing import Any
from uuid import uuid4

import pytest

from tests.access.operations import make_one_of_each
from tests.people import Person
from vek1_api.core.db import Driver

ALL = {
    "name": "Lia",
    "type": "sales",
    "description": "Atende de dia",
    "active": True,
    "spending_limit": 150.5,
    "stripe_product_id": "prod_123",
    "system_prompt": "Você é a Lia.\nResponda só o que sabe. 🙂",
    "voice_tone": "caloroso e direto",
    "website_enabled": False,
    "whatsapp_enabled": True,
    "whatsapp_phone_number": "+5531900000000",
    "rate_limit_per_hour": 60,
}
DEFAULTS = {
    "description": None,
    "active": False,
    "spending_limit": None,
    "stripe_product_id": None,
    "evolution_instance_id": None,
    "system_prompt": None,
    "voice_tone": "balanced",
    "website_enabled": True,
    "whatsapp_enabled": False,
    "whatsapp_phone_number": None,
    "rate_limit_per_hour": None,
}


async def test_new_agent_has_the_seeds_defaults(ana: Person) -> None:
    store = await ana.open_store()

    agent = await ana.add_agent(store["id"], "Rui")

    assert agent.items() >= (DEFAULTS | {"name": "Rui", "type": "sales"}).items()
    assert agent["store_id"] == store["id"]
    assert await ana.get(f"/v1/agents/{agent['id']}") == agent


async def test_agent_keeps_every_field(ana: Person) -> None:
    store = await ana.open_store()

    agent = await ana.post(f"/v1/stores/{store['id']}/agents", ALL)

    assert agent.items() >= ALL.items()


async def test_every_field_can_be_changed_and_the_audit_log_has_both_values(
    ana: Person,
) -> None:
    store = await ana.open_store()
    agent = await ana.post(f"/v1/stores/{store['id']}/agents", {"name": "A", "type": "b"})

    changed = await ana.patch(f"/v1/agents/{agent['id']}", ALL)

    assert changed.items() >= ALL.items()
    assert changed["updated_at"] > agent["updated_at"]
    entry = (await ana.audit(action="agent.updated"))[0]
    assert entry["meta"]["changes"] == {name: [agent[name], ALL[name]] for name in ALL}
    assert (entry["target_type"], entry["target_id"]) == ("agent", agent["id"])
    assert entry["store_id"] == store["id"]


async def test_null_clears_what_may_be_empty(ana: Person) -> None:
    store = await ana.open_store()
    agent = await ana.post(f"/v1/stores/{store['id']}/agents", ALL)
    nullable = [name for name, value in DEFAULTS.items() if value is None and name in ALL]

    changed = await ana.patch(f"/v1/agents/{agent['id']}", dict.fromkeys(nullable))

    assert [changed[name] for name in nullable] == [None] * len(nullable)
    assert changed["name"] == "Lia"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\t "),
        ("name", "x" * 201),
        ("type", ""),
        ("type", "x" * 81),
        ("description", "x" * 2_001),
        ("active", "yes"),
        ("active", 1),
        ("spending_limit", -0.01),
        ("spending_limit", 10_000_001),
        ("spending_limit", "100"),
        ("spending_limit", True),
        ("stripe_product_id", "prod 1"),
        ("system_prompt", "x" * 50_001),
        ("voice_tone", ""),
        ("voice_tone", "x" * 81),
        ("whatsapp_phone_number", "31 9000-0000"),
        ("whatsapp_phone_number", "+1"),
        ("whatsapp_phone_number", "+5531900000000\n"),
        ("rate_limit_per_hour", -1),
        ("rate_limit_per_hour", 1.5),
        ("rate_limit_per_hour", 2**31),
        ("evolution_instance_id", "vek1-x"),
        ("store_id", "6f9619ff-8b86-4d01-b42d-00c04fc964ff"),
        ("id", "6f9619ff-8b86-4d01-b42d-00c04fc964ff"),
    ],
)
async def test_value_out_of_bounds_changes_nothing(
    field: str, value: Any, ana: Person
) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    path = f"/v1/agents/{agent['id']}"

    response = await ana.request("PATCH", path, json={field: value})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{field}"]
    assert await ana.get(path) == agent


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_limit_is_a_number_of_reais(number: str, ana: Person) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    path = f"/v1/agents/{agent['id']}"

    response = await ana.request(
        "PATCH",
        path,
        content=f'{{"spending_limit":{number}}}',
        headers={"Content-Type": "application/json"},
    )

    assert response.status_code in {400, 422}
    assert await ana.get(path) == agent


async def test_list_can_be_narrowed(ana: Person) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/agents"
    for agent in (
        {"name": "A", "type": "sales", "active": True},
        {"name": "B", "type": "support", "active": True},
        {"name": "C", "type": "sales", "active": False},
    ):
        await ana.post(path, agent)

    async def names(**params: str) -> list[str]:
        return [item["name"] for item in (await ana.get(path, **params))["items"]]

    assert await names() == ["C", "B", "A"]
    assert await names(type="sales") == ["C", "A"]
    assert await names(active="true") == ["B", "A"]
    assert await names(active="false", type="support") == []


async def test_deleted_agent_leaves_its_orders_conversations_and_documents(
    ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, agent_id, number) VALUES ($1, $2, 2) RETURNING id",
        ids.store_id,
        ids.agent_id,
    )
    message_id = await db.fetchval(
        "INSERT INTO messages_history (user_id, store_id, agent_id, agent_type, role, content)"
        " VALUES ($1, $2, $3, 'sales', 'user', 'Oi') RETURNING id",
        ana.user_id,
        ids.store_id,
        ids.agent_id,
    )

    await ana.delete(f"/v1/agents/{ids.agent_id}")

    order = await db.fetchrow("SELECT * FROM orders WHERE id = $1", order_id)
    assert order is not None
    assert order["agent_id"] is None
    assert await db.fetchval(
        "SELECT agent_id::text FROM messages_history WHERE id = $1", message_id
    ) == (ids.agent_id)
    assert await ana.get(f"/v1/documents/{ids.document_id}")
    assert (await ana.request("GET", f"/v1/agents/{ids.agent_id}")).status_code == 404
    assert (await ana.request("DELETE", f"/v1/agents/{ids.agent_id}")).status_code == 404
    entry = (await ana.audit(action="agent.deleted"))[0]
    assert (entry["target_id"], entry["store_id"]) == (ids.agent_id, ids.store_id)
