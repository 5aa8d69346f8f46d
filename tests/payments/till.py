"""A store that is paid, the fake gateway it is paid through, and what became of it all."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.fakes.abacatepay import AbacatePayServer, Delivery, FakeEvent
from tests.fakes.abacatepay_shapes import Store
from tests.orders.shop import Shop, kept
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.payments import sweeping, understanding

SECRET = "um-segredo-que-o-lojista-escolheu-2026"
MANUAL = {
    "manual_pix_key": "111.444.777-35",
    "manual_pix_key_type": "cpf",
    "manual_pix_recipient": "Torrefação Serra Azul",
    "manual_pix_city": "Belo Horizonte",
}
TOTAL = 7480
PAID_ONCE = (1, 1)
UNPAID = (0, 0)


@dataclass
class Till:
    """A store of a person's, with its account at the fake AbacatePay."""

    owner: Person
    store_id: str
    gateway: AbacatePayServer
    account: Store
    resources: Resources
    db: Driver

    @property
    def settings_path(self) -> str:
        return f"/v1/stores/{self.store_id}/payment-settings"

    async def set_up(self, **settings: Any) -> None:
        """Set how the store is paid; by default in every way, with a live key."""
        wanted = {
            "abacate_pay_api_key": self.account.prod_key,
            "abacate_pay_webhook_secret": SECRET,
            "pix_enabled": True,
            **MANUAL,
            **settings,
        }
        response = await self.owner.request("PUT", self.settings_path, json=wanted)
        assert response.status_code == 200, response.text

    async def order(self, total_cents: int = TOTAL, **more: Any) -> Any:
        items = [{"name": "Café", "price_cents": total_cents}]
        path = f"/v1/stores/{self.store_id}/orders"
        return await self.owner.post(path, {"items": items, **more})

    async def try_to_pay(
        self, order: Any, method: str = "pix_gateway", **options: Any
    ) -> httpx.Response:
        path = f"/v1/orders/{order['id']}/payment"
        return await self.owner.request("POST", path, json={"method": method}, **options)

    async def start(self, order: Any, method: str = "pix_gateway") -> Any:
        response = await self.try_to_pay(order, method)
        assert response.status_code == 200, response.text
        return response.json()

    async def charged(self, **more: Any) -> tuple[Any, str]:
        """Return an order that waits for its charge to be paid, and the charge's id."""
        order = await self.start(await self.order(**more))
        return order, order["payment_external_id"]

    async def paid(self, **more: Any) -> tuple[Any, str]:
        """Return an order that was paid, found out by a sweep."""
        order, charge_id = await self.charged(**more)
        self.gateway.pay(charge_id)
        await self.sweep()
        order = await self.seen(order)
        assert order["status"] == "confirmed"
        return order, charge_id

    async def seen(self, order: Any) -> Any:
        return await self.owner.get(f"/v1/orders/{order['id']}")

    async def step(self, order: Any, verb: str) -> Any:
        return await self.owner.post(f"/v1/orders/{order['id']}/{verb}", None, 200)

    async def kept(self, order: Any) -> dict[str, list[str]]:
        return await kept(self.db, order)

    async def refund(self, order: Any, **body: Any) -> httpx.Response:
        path = f"/v1/orders/{order['id']}/refund"
        return await self.owner.request("POST", path, json=body)

    async def deliver(
        self, event: FakeEvent | bytes, *, times: int = 1, store_id: str = ""
    ) -> None:
        """Send a webhook as AbacatePay does, all copies at once; each is taken."""
        url = f"http://vek1.test/webhooks/abacatepay/{store_id or self.store_id}"
        statuses = await self.gateway.deliver(
            event, to=[Delivery(url, SECRET)], times=times, http=self.owner.http
        )
        assert statuses == [200] * times

    async def understand(self) -> None:
        """Try once to understand the newest webhook, as its job does."""
        inbox_id = await self.db.fetchval(
            "SELECT id FROM vek1_api.webhook_inbox WHERE store_id = $1"
            " ORDER BY received_at DESC LIMIT 1",
            UUID(self.store_id),
        )
        await understanding.understand(self.resources, inbox_id)

    async def sweep(self) -> int:
        """Ask for every charge of this store that is still watched, due or not."""
        await self.make_due()
        return await sweeping.sweep(self.resources)

    async def make_due(self) -> None:
        await self.db.execute(
            "UPDATE vek1_api.attempt_ref SET check_at = now()"
            " WHERE store_id = $1 AND check_at IS NOT NULL",
            UUID(self.store_id),
        )

    async def age(self, order: Any, by: timedelta) -> None:
        """Let time pass for an order's attempts, here and at the gateway."""
        await self.db.execute(
            "UPDATE vek1_api.attempt_ref SET created_at = created_at - $2::interval,"
            " expires_at = expires_at - $2, check_at = check_at - $2 WHERE order_id = $1",
            UUID(order["id"]),
            by,
        )
        self.gateway.advance(by.total_seconds())

    async def check_at(self, order: Any) -> Any:
        return await self.db.fetchval(
            "SELECT check_at FROM vek1_api.attempt_ref WHERE order_id = $1"
            " ORDER BY created_at DESC LIMIT 1",
            UUID(order["id"]),
        )

    async def verdicts(self) -> list[str | None]:
        rows = await self.db.fetch(
            "SELECT verdict FROM vek1_api.webhook_inbox WHERE store_id = $1"
            " ORDER BY received_at",
            UUID(self.store_id),
        )
        return [row["verdict"] for row in rows]

    async def attention(self, **filters: Any) -> list[Any]:
        path = f"/v1/stores/{self.store_id}/attention"
        return list((await self.owner.get(path, **filters))["items"])

    async def kinds(self) -> list[str]:
        return sorted(item["kind"] for item in await self.attention())


def payments(order: Any) -> tuple[int, int]:
    """Return how many payments an order shows: events, and attempts (I3)."""
    events = [event for event in order["events"] if event["type"] == "payment_paid"]
    paid = [one for one in order["payment_attempts"] if one["status"] == "paid"]
    return len(events), len(paid)


def steps(order: Any) -> list[str]:
    """Return what happened to an order, in order; a note by the step that it names."""
    return [
        (event["data"] or {}).get("step", event["type"])
        if event["type"] == "note"
        else event["type"]
        for event in order["events"]
    ]


def states(order: Any) -> list[str]:
    return [attempt["state"] for attempt in order["payment_attempts"]]


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]
