"""What the tests of proofs do again and again: make an order wait, send a proof, look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.documents.shelf import objects, used_bytes
from tests.people import Person
from tests.pix import receipts
from tests.proofs.rendered import pdf
from vek1_api.core.resources import Resources

PAID = 15990
ORDERED_AT = datetime.fromisoformat("2026-11-21T17:00:00")
"""UTC, half an hour before the payment of every receipt in ``tests.pix.receipts``."""
PAID_AT = "21/11/2026 14:32"
RECIPIENT = "Padaria do Zé Ltda"
KEY = "padaria@example.com"


@dataclass(frozen=True)
class Counter:
    """A merchant's store and its settings."""

    person: Person
    resources: Resources
    store_id: str

    async def order(
        self,
        status: str = "awaiting_proof",
        method: str | None = "pix_manual",
        total_cents: int = PAID,
        lead_id: str | None = None,
    ) -> str:
        """Return an order that stands so, made before the receipts were."""
        item = {"name": "Bolo de rolo", "price_cents": total_cents}
        body = {"items": [item], "source": "manual", "lead_id": lead_id}
        made = await self.person.post(f"/v1/stores/{self.store_id}/orders", body)
        await self.execute(
            "UPDATE orders SET status = $2, payment_method = $3, payment_provider = 'manual',"
            " created_at = $4 WHERE id = $1",
            UUID(made["id"]),
            status,
            method,
            ORDERED_AT,
        )
        return str(made["id"])

    async def send(
        self,
        order_id: str,
        content: bytes,
        name: str = "comprovante.pdf",
        person: Person | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a file as a proof, under a media type that says nothing."""
        sent = {"file": (name, content, "application/octet-stream")}
        who = person or self.person
        return await who.request("POST", self.path(order_id), files=sent, **options)

    async def prove(self, order_id: str, content: bytes | None = None) -> Any:
        """Send a proof that is taken; return the order."""
        response = await self.send(order_id, content or new_receipt())
        assert response.status_code == 201, response.text
        return response.json()

    async def review(
        self, order_id: str, verb: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Accept or reject."""
        path = f"{self.path(order_id)}/{verb}"
        return await self.person.request("POST", path, json=body, headers=headers)

    async def proofs(self, order_id: str) -> Any:
        """Return an order's proofs and the desk."""
        return await self.person.get(self.path(order_id))

    async def desk(self, order_id: str) -> Any:
        """Return what the proof desk says."""
        return (await self.proofs(order_id))["desk"]

    async def order_of(self, order_id: str) -> Any:
        """Return the order."""
        return await self.person.get(f"/v1/orders/{order_id}")

    async def steps(self, order_id: str) -> list[str]:
        """Return what happened to an order, a note by its step."""
        events = (await self.order_of(order_id))["events"]
        return [(each["data"] or {}).get("step", each["type"]) for each in events]

    async def objects(self) -> dict[str, str]:
        """Return the state of each stored object of the store, by its key."""
        return await objects(self.resources, self.store_id)

    async def used_bytes(self) -> int:
        """Return what the store's quota counts."""
        return await used_bytes(self.person, self.store_id)

    async def execute(self, statement: str, *values: Any) -> None:
        """Change what the API does not change."""
        async with self.resources.database.driver() as driver:
            await driver.execute(statement, *values)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """Look past the API."""
        async with self.resources.database.driver() as driver:
            return list(await driver.fetch(statement, *values))

    @staticmethod
    def path(order_id: str) -> str:
        """Where an order's proofs are."""
        return f"/v1/orders/{order_id}/proof"


def receipt(number: int = 0, **changed: str) -> str:
    """Return the text of a receipt whose payment has this number, with words changed."""
    text = receipts.NUBANK.replace("s14787e325d", f"s14787e{number:04d}")
    for old, new in changed.items():
        words = {
            "amount": "R$ 159,90",
            "name": "Padaria do Zé Ltda",
            "date": "21 NOV 2026 - 14:32:05",
            "end_to_end_id": f"E18236120202611211732s14787e{number:04d}",
        }[old]
        assert words in text
        text = text.replace(words, new)
    return text


def new_receipt() -> bytes:
    """Return a receipt unlike any other."""
    return pdf(receipts.NUBANK + f"\n{uuid4()}")


async def open_counter(person: Person, resources: Resources) -> Counter:
    """Return a store whose PIX key is that of the receipts."""
    store_id = (await person.open_store())["id"]
    settings = {
        "manual_pix_key": KEY,
        "manual_pix_key_type": "email",
        "manual_pix_recipient": RECIPIENT,
        "manual_pix_city": "São Paulo",
    }
    answer = await person.request(
        "PUT", f"/v1/stores/{store_id}/payment-settings", json=settings
    )
    assert answer.status_code == 200, answer.text
    return Counter(person, resources, store_id)
