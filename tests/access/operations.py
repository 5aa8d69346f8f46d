"""Every operation of the OpenAPI document, with a request that it would accept.

A new operation with a body needs a line in ``BODIES``, a new kind of id a field in ``Ids``.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from uuid import uuid4

import httpx

from tests.files.pictures import plain
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.main import create_app
from vek1_api.settings import Settings


PNG = plain("PNG")


@dataclass(frozen=True)
class Ids:
    """What a person has: one of each kind that a path can name."""

    store_id: str
    agent_id: str
    document_id: str
    product_id: str
    file_id: str
    import_id: str
    lead_id: str
    other_lead_id: str
    order_id: str
    delivery_id: str
    attention_id: str
    product_integration_id: str = "CAF-500G"


def unknown_ids() -> Ids:
    """Return ids that nobody has."""
    return Ids(*(str(uuid4()) for _ in range(11)))


async def make_one_of_each(person: Person, db: Driver) -> Ids:
    """Return the ids of a store and one of each kind below it."""
    store_id = (await person.open_store())["id"]
    agent_id = (await person.add_agent(store_id))["id"]
    document_id = (await person.add_document(store_id, "Abrimos às nove."))["id"]
    path = f"/v1/agents/{agent_id}/knowledge-base/{document_id}"
    await person.post(path, None, status=200)
    product = {
        "name": "Café",
        "price": 29.9,
        "stock": 9,
        "product_integration_id": "CAF-500G",
    }
    product_id = (await person.post(f"/v1/stores/{store_id}/products", product))["id"]
    sent = await person.request("POST", f"/v1/products/{product_id}/files", **CSV)
    assert sent.status_code == 201, sent.text
    import_id = await db.fetchval(
        "INSERT INTO vek1_api.imports (store_id, kind, dry_run, status, total_rows)"
        " VALUES ($1, 'products', false, 'done', 0) RETURNING id",
        store_id,
    )
    leads = [
        await person.post(
            f"/v1/stores/{store_id}/leads",
            {"channel": "whatsapp", "external_id": phone},
        )
        for phone in ("5531999998888", "5531977776666")
    ]
    order = {"items": [{"product_id": product_id}]}
    order_id = (await person.post(f"/v1/stores/{store_id}/orders", order))["id"]
    erp = {"outbound_url": "https://127.0.0.1:9999/", "outbound_enabled": True}
    path = f"/v1/stores/{store_id}/stock-sync"
    sent_to = await person.request("PUT", path, json=erp | {"inbound_enabled": True})
    assert sent_to.status_code == 200, sent_to.text
    await person.post(f"/v1/products/{product_id}/stock", {"delta": 7}, status=200)
    (delivery,) = (await person.get(f"{path}/deliveries"))["items"]
    attention_id = await db.fetchval(
        "INSERT INTO vek1_api.attention (store_id, kind, subject)"
        " VALUES ($1, 'unknown_charge', 'pix_char_1') RETURNING id",
        store_id,
    )
    return Ids(
        store_id,
        agent_id,
        document_id,
        product_id,
        sent.json()["id"],
        str(import_id),
        leads[0]["id"],
        leads[1]["id"],
        order_id,
        delivery["id"],
        str(attention_id),
    )


CSV: dict[str, Any] = {"files": {"file": ("tabela.csv", b"nome;preco\nCaneca;35,00\n")}}

Body = Callable[[Ids], dict[str, Any]]

BODIES: dict[str, Body] = {
    "ensure_company": lambda _: {"json": {"user_id": f"u-{uuid4().hex}", "name": "Café"}},
    "record_audit_event": lambda _: {
        "json": {"actor_user_id": "u-1", "action": "login", "target_type": "session"}
    },
    "update_company": lambda _: {"json": {"name": "Outro nome"}},
    "put_company_logo": lambda _: {"files": {"file": ("logo.png", PNG)}},
    "create_store": lambda _: {"json": {"name": "Loja"}},
    "update_store": lambda _: {"json": {"name": "Outro nome"}},
    "create_agent": lambda _: {"json": {"name": "Rui", "type": "sales"}},
    "update_agent": lambda _: {"json": {"name": "Outro nome"}},
    "create_document": lambda _: {"json": {"title": "Troca", "content": "Sete dias."}},
    "update_document": lambda _: {"json": {"content": "Fechamos às seis."}},
    "search_documents": lambda _: {"json": {"query": "quando abre?", "mode": "keyword"}},
    "create_product": lambda _: {"json": {"name": "Caneca", "price": 35}},
    "update_product": lambda _: {"json": {"price": 36}},
    "put_product_by_integration_id": lambda _: {"json": {"name": "Café", "price": 31}},
    "import_products": lambda _: CSV,
    "create_product_file": lambda _: CSV,
    "presign_product_file": lambda _: {
        "json": {"filename": "a.pdf", "size": 10, "mime_type": "application/pdf"}
    },
    "change_stock": lambda _: {"json": {"delta": 1, "reason": "Contagem"}},
    "receive_stock": lambda ids: {
        "json": {"items": [{"product_id": ids.product_id, "stock": 3}]}
    },
    "upsert_lead": lambda _: {"json": {"channel": "website", "external_id": "u-1"}},
    "update_lead": lambda _: {"json": {"name": "Joana"}},
    "merge_lead": lambda ids: {"json": {"lead_id": ids.other_lead_id}},
    "add_lead_event": lambda _: {"json": {"type": "visit"}},
    "put_lead_profile": lambda _: {"json": {"profile_summary": "Gosta de espresso."}},
    "search_leads": lambda _: {"json": {"query": "espresso"}},
    "import_leads": lambda _: {"files": {"file": ("l.csv", b"telefone\n5531988887777\n")}},
    "append_messages": lambda ids: {
        "json": {"lead_id": ids.lead_id, "role": "user", "content": "Oi"}
    },
    "create_order": lambda _: {"json": {"items": [{"name": "Laço", "price_cents": 500}]}},
    "start_payment": lambda _: {"json": {"method": "cash_on_delivery"}},
    "refund_order": lambda _: {"json": {"reason": "Desistiu"}},
    "cancel_order": lambda _: {"json": {"reason": "Desistiu"}},
    "update_order": lambda _: {"json": {"notes": "Sem pressa"}},
    "replace_payment_settings": lambda _: {"json": {"payment_instructions": "PIX."}},
    "rotate_webhook_secret": lambda _: {"json": {"overlap_hours": 1}},
    "add_order_proof": lambda _: {"files": {"file": ("p.png", PNG)}},
    "reject_order_proof": lambda _: {"json": {"reason": "O valor não confere"}},
    "add_order_note": lambda _: {"json": {"text": "Ligar antes"}},
    "replace_stock_sync": lambda _: {
        "json": {"outbound_url": None, "outbound_enabled": False, "inbound_enabled": True}
    },
    "rotate_stock_secret": lambda _: {"json": {"which": "inbound"}},
    "replace_privacy": lambda _: {"json": {"messages_days": 365, "leads_days": None}},
    "replace_knowledge_base": lambda ids: {"json": {"document_ids": [ids.document_id]}},
}


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    has_body: bool

    @property
    def parameters(self) -> list[str]:
        """The names of the ids in the path."""
        return re.findall(r"\{(\w+)\}", self.path)

    def url(self, ids: Ids) -> str:
        """Return the path with these ids in it."""
        return self.path.format(**asdict(ids))

    def body(self, ids: Ids) -> dict[str, Any]:
        """Return what the operation would accept, for httpx."""
        return BODIES[self.id](ids) if self.has_body else {}

    async def call(
        self, person: Person, path_ids: Ids, body_ids: Ids, **options: Any
    ) -> httpx.Response:
        """Call it as a person, with these ids in the path and those in the body."""
        return await person.request(
            self.method, self.url(path_ids), **self.body(body_ids), **options
        )


@lru_cache
def operations(prefix: str = "/") -> list[Operation]:
    """Return the operations whose path starts so."""
    document = create_app(Settings()).openapi()
    return [
        Operation(entry["operationId"], method.upper(), path, "requestBody" in entry)
        for path, entries in document["paths"].items()
        for method, entry in entries.items()
        if path.startswith(prefix)
    ]


def named(operation: object) -> str:
    """Return the name of a test's parameter."""
    assert isinstance(operation, Operation)
    return operation.id


async def make_ready(operation: "Operation", person: Person, ids: Ids, db: Driver) -> None:
    """Bring the order of ``ids`` to where it takes the operation's step."""
    statuses = {
        "confirm_order": "awaiting_proof",
        "add_order_proof": "awaiting_proof",
        "accept_order_proof": "awaiting_proof",
        "reject_order_proof": "awaiting_proof",
        "ship_order": "confirmed",
        "fulfill_order": "shipping",
        "refund_order": "confirmed",
    }
    if operation.id not in statuses:
        return
    await db.execute(
        "UPDATE orders SET status = $2 WHERE id = $1", ids.order_id, statuses[operation.id]
    )
    if operation.id in {"accept_order_proof", "reject_order_proof"}:
        path = f"/v1/orders/{ids.order_id}/proof"
        await person.request("POST", path, files={"file": ("p.png", PNG)})
    if operation.id == "refund_order":
        await db.execute(_PAID, ids.order_id, ids.store_id)


_PAID = """
    WITH attempt AS (
        INSERT INTO payment_attempts (order_id, provider, external_id, status, amount_cents)
        VALUES ($1, 'abacate_pay', 'pix_char_1', 'paid', 2990) RETURNING id
    ), ref AS (
        INSERT INTO vek1_api.attempt_ref
            (attempt_id, order_id, store_id, provider, external_id, state, amount_cents)
        SELECT id, $1, $2, 'abacate_pay', 'pix_char_1', 'paid', 2990 FROM attempt
    )
    UPDATE vek1_api.order_state SET paid_attempt_id = (SELECT id FROM attempt)
    WHERE order_id = $1
"""
"""An order that was paid through the gateway."""
