"""A person with a whole life in a store: everything that can be known about somebody."""

import io
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from tests.people import Person
from tests.proofs.rendered import pdf
from vek1_api.access.access import system
from vek1_api.core.db import Driver
from vek1_api.core.object_keys import private_key
from vek1_api.core.resources import Resources
from vek1_api.files import service as files
from vek1_api.files.service import Upload


def new_tax_id() -> str:
    """Return a CPF that nobody else in the tests has."""
    digits = [1 + secrets.randbelow(9) for _ in range(9)]
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        rest = sum(v * w for v, w in zip(digits, weights, strict=True)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    return "".join(map(str, digits))


@dataclass(frozen=True)
class Someone:
    """Somebody whom no other test knows."""

    mark: str = field(default_factory=lambda: secrets.token_hex(5))
    number: str = field(default_factory=lambda: f"9{secrets.randbelow(10**7):07d}")
    tax_id: str = field(default_factory=new_tax_id)

    @property
    def phone(self) -> str:
        return f"55319{self.number}"

    @property
    def old_phone(self) -> str:
        """Without the ninth digit."""
        return f"5531{self.number}"

    @property
    def typed_phone(self) -> str:
        return f"(31) 9{self.number[:4]}-{self.number[4:]}"

    @property
    def name(self) -> str:
        return f"Joana Ribeiro {self.mark}"

    @property
    def email(self) -> str:
        return f"joana.{self.mark}@exemplo.com.br"

    @property
    def street(self) -> str:
        return f"Rua das Acácias {self.mark}"

    @property
    def secret(self) -> str:
        return f"O aniversário surpresa do Otávio{self.mark} é no sábado"

    @property
    def summary(self) -> str:
        return f"Perguntou de bolo de casamento; lembrete {self.mark}."

    @property
    def lid(self) -> str:
        return f"8473{self.number}28@lid"

    @property
    def words(self) -> list[str]:
        """All that would tell of them."""
        return [
            self.mark,
            self.number,
            self.phone,
            self.old_phone,
            self.typed_phone,
            f"{self.number[:4]}-{self.number[4:]}",
            self.tax_id,
            self.name,
            self.email,
            self.street,
            self.secret,
            self.summary,
            self.lid,
        ]

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "email": self.email,
            "phone_number": self.typed_phone,
            "street_address": self.street,
            "address_number": "1148",
            "postal_code": "30160-011",
            "city": "Belo Horizonte",
            "state": "MG",
            "custom_attributes": {"cpf": self.tax_id, "apelido": self.mark},
            "notes": f"Prefere falar à tarde, {self.mark}.",
        }


async def store_object(
    resources: Resources, person: Person, store_id: str, content: bytes, kind: str
) -> str:
    """Put a private object into the bucket, as a proof or a picture of a chat is."""
    access = system(person.user_id, person.user_id)
    key = private_key(person.user_id, kind, "jpg")
    upload = Upload(key, UUID(store_id), len(content), "image/jpeg")
    async with (
        files.uploaded(resources, access, upload, io.BytesIO(content)),
        resources.database.transaction() as tx,
    ):
        await files.keep(tx, key)
    return key


@dataclass
class Life:
    """What was written about somebody."""

    person: Person
    store_id: str
    who: Someone
    lead: dict[str, Any]
    agent_id: str
    merged_id: str
    order_ids: list[UUID]
    keys: list[str]
    sent: list[tuple[str, dict[str, Any], dict[str, str]]]
    """Requests with an ``Idempotency-Key``, to be repeated."""

    @property
    def path(self) -> str:
        return f"/v1/leads/{self.lead['id']}"


async def live(
    person: Person, resources: Resources, db: Driver, who: Someone | None = None
) -> Life:
    """Write down all that can be known about somebody."""
    who = who or Someone()
    store_id = str((await person.open_store())["id"])
    agent_id = (await person.add_agent(store_id))["id"]
    leads, sent = f"/v1/stores/{store_id}/leads", []

    async def post(path: str, body: dict[str, Any]) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        sent.append((path, body, headers))
        answer = await person.request("POST", path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    contact = {"channel": "whatsapp", "external_id": f"{who.old_phone}@s.whatsapp.net"}
    lead = await post(leads, contact | who.fields)
    twin = await post(leads, {"channel": "whatsapp", "external_id": who.lid})
    path = f"/v1/leads/{lead['id']}"
    await person.post(f"{path}/merge", {"lead_id": twin["id"]}, status=200)
    for summary in ("Gosta de café.", who.summary):
        body = {"profile_summary": summary, "interests": [who.mark]}
        answer = await person.request("PUT", f"{path}/profile", json=body)
        assert answer.status_code == 200, answer.text
    await post(f"{path}/events", {"type": "visit", "data": {"quem": who.name}})
    picture = await store_object(resources, person, store_id, who.name.encode(), "media")
    messages = f"/v1/stores/{store_id}/messages"
    for role in ("user", "assistant", "debug"):
        said = {
            "channel": "whatsapp",
            "external_id": who.phone,
            "agent_id": agent_id,
            "role": role,
            "content": who.secret,
            "provider_message_id": f"{role}-{who.mark}",
            "metadata": {"media": {"key": picture}, "pushName": who.name},
        }
        await post(messages, said)
    proof = await store_object(resources, person, store_id, who.email.encode(), "proofs")
    order_ids = await _buy(db, who, store_id, lead["id"], agent_id, proof)
    sent_proof = await _prove(db, who, person, order_ids[1])
    await _leave_traces(db, who, person, store_id, lead["id"], agent_id, order_ids[0])
    lead = await person.get(path)
    keys = [picture, proof, sent_proof]
    return Life(person, store_id, who, lead, agent_id, twin["id"], order_ids, keys, sent)


async def _prove(db: Driver, who: Someone, person: Person, order_id: UUID) -> str:
    """Send a receipt that names them for an order, which a person rejects; return its key."""
    text = f"Comprovante Pix\nValor R$ 1,00\nDe\n{who.name}\nContato {who.typed_phone}"
    end_to_end_id = f"\nE18236120202611211732{who.mark}x"
    # A PDF squeezes its text; what follows its end is as it was sent.
    content = pdf(text + end_to_end_id) + f"\n% {who.name}".encode()
    sent = {"file": (f"Pix de {who.name}.pdf", content)}
    path = f"/v1/orders/{order_id}/proof"
    for url, options in ((path, {"files": sent}), (f"{path}/reject", _reason(who))):
        answer = await person.request("POST", url, **options)
        assert answer.status_code in {200, 201}, answer.text
    key: str = await db.fetchval(
        "SELECT object_key FROM vek1_api.order_proofs WHERE order_id = $1", order_id
    )
    return key


def _reason(who: Someone) -> dict[str, Any]:
    return {"json": {"reason": f"O nome é {who.name}"}}


async def _buy(
    db: Driver, who: Someone, store_id: str, lead_id: str, agent_id: str, proof: str
) -> list[UUID]:
    """Add an order of the lead, and one that only their phone ties to them."""
    linked: UUID = await db.fetchval(
        "INSERT INTO orders (store_id, lead_id, agent_id, number, status, payment_method,"
        " payment_br_code, proof_file_url, proof_mime_type, proof_external_id,"
        " subtotal_cents, total_cents, customer_name, customer_phone, customer_email,"
        " customer_tax_id, shipping_address, notes)"
        " VALUES ($1, $2, $3, 1, 'fulfilled', 'pix_manual', '000201', $4, 'image/jpeg',"
        " $5, 5980, 5980, $6, $7, $8, $9, $10, $11) RETURNING id",
        store_id,
        lead_id,
        agent_id,
        proof,
        who.mark,
        who.name,
        who.typed_phone,
        who.email,
        who.tax_id,
        json.dumps({"street": who.street}),
        f"Entregar a {who.name}",
    )
    by_hand: UUID = await db.fetchval(
        "INSERT INTO orders (store_id, number, status, subtotal_cents, total_cents,"
        " customer_name, customer_phone, source)"
        " VALUES ($1, 2, 'awaiting_proof', 0, 0, $2, $3, 'manual') RETURNING id",
        store_id,
        who.name,
        who.typed_phone,
    )
    await db.execute(
        "INSERT INTO order_items (order_id, name, price_cents, quantity, subtotal_cents,"
        " custom_props) VALUES ($1, 'Café Serra Azul 500 g', 2990, 2, 5980, $2)",
        linked,
        json.dumps({"gravar": who.name}),
    )
    await db.execute(
        "INSERT INTO order_events (order_id, type, actor, data)"
        " VALUES ($1, 'created', 'agent', $2), ($1, 'note', 'user', $3)",
        linked,
        json.dumps({"customer": who.name}),
        json.dumps({"step": "proof_received", "from": who.phone}),
    )
    await db.execute(
        "INSERT INTO payment_attempts (order_id, provider, status, amount_cents, payload)"
        " VALUES ($1, 'manual', 'paid', 5980, $2)",
        linked,
        json.dumps({"payer": {"taxId": who.tax_id}}),
    )
    return [linked, by_hand]


async def _leave_traces(
    db: Driver,
    who: Someone,
    person: Person,
    store_id: str,
    lead_id: str,
    agent_id: str,
    order_id: UUID,
) -> None:
    """Write what is about somebody without being tied to their lead."""
    await db.execute(
        "INSERT INTO messages_history (user_id, store_id, agent_type, role, content)"
        " VALUES ($1, $2, 'sales', 'user', $3)",
        who.old_phone,
        store_id,
        who.secret,
    )
    await db.execute(
        "INSERT INTO messages_history (user_id, agent_id, agent_type, role, content)"
        " VALUES ($1, $2, 'sales', 'user', $3)",
        f"+{who.phone}",
        agent_id,
        who.secret,
    )
    done = await db.fetchval(
        "INSERT INTO vek1_api.imports (store_id, kind, dry_run, status, total_rows,"
        " done_rows, finished_at) VALUES ($1, 'leads', false, 'done', 2, 2, now())"
        " RETURNING id",
        store_id,
    )
    errors = [{"pointer": "/email", "code": "invalid", "message": f"{who.email} is not"}]
    await db.execute(
        "INSERT INTO vek1_api.import_rows (import_id, row, status, target_id, errors)"
        " VALUES ($1, 1, 'created', $2, NULL), ($1, 2, 'error', NULL, $3)",
        done,
        lead_id,
        json.dumps(errors),
    )
    payload = json.dumps({"lead_id": lead_id}).encode()
    await db.execute(
        "INSERT INTO vek1_api.pgqueuer (priority, status, entrypoint, payload, dedupe_key)"
        " VALUES (0, 'failed', 'leads.embed_profile', $1, $2)",
        payload,
        uuid4().hex,
    )
    await db.execute(
        "INSERT INTO vek1_api.pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " VALUES (1, 'exception', 0, 'leads.embed_profile', $1)",
        json.dumps({"exception_message": f"Key (identity)=({who.phone}) already exists"}),
    )
    # Answers of orders, one of which only the id of the order gives away.
    for answer in (
        {"id": str(order_id), "customer_phone": who.typed_phone},
        {"id": str(order_id), "customer_name": who.name},
    ):
        await db.execute(
            "INSERT INTO vek1_api.idempotency_keys VALUES ($1, $2, '\\x00', 201, '{}', $3)",
            person.user_id,
            uuid4().hex,
            json.dumps(answer, ensure_ascii=False).encode(),
        )
