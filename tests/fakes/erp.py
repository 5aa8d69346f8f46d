"""An ERP that sends stock: its own clock, its own numbers, and the bad habits of real ones.

It signs as the reference library does, tells levels as its clock sees them, sends messages
again under the same ``webhook-id``, out of order, and full of nonsense.
"""

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

Item = dict[str, Any]


def new_secret() -> str:
    """Return a secret as Standard Webhooks shows it."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


@dataclass(frozen=True)
class Message:
    """A signed request that can be sent any number of times."""

    body: bytes
    headers: dict[str, str]
    params: dict[str, Any]


@dataclass
class Erp:
    """One ERP of one store."""

    http: httpx.AsyncClient
    store_id: str
    secret: str
    name: str = "bling"
    clock_is_ahead: timedelta = timedelta(0)
    _counter: int = 0

    @property
    def path(self) -> str:
        return f"/erp/v1/stores/{self.store_id}/stock"

    def now(self) -> datetime:
        """Return what its clock shows."""
        return datetime.now(UTC) + self.clock_is_ahead

    def item(self, key: str, **more: Any) -> Item:
        """Return an item with an id of its own and its present time."""
        self._counter += 1
        return {
            "product_integration_id": key,
            "external_id": f"{self.name}-{self._counter}",
            "occurred_at": self.now().isoformat(),
        } | more

    def message(self, items: Sequence[Item], **params: Any) -> Message:
        """Return a batch, signed at the real time: its host's clock is right."""
        return self.signed(json.dumps({"items": items}).encode(), **params)

    def signed(self, body: bytes, **params: Any) -> Message:
        """Return any bytes, signed."""
        message_id, at = f"msg_{uuid4().hex}", datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, at, body.decode()),
        }
        return Message(body, headers, params)

    async def post(self, message: Message) -> httpx.Response:
        """Send a message, once more or for the first time."""
        return await self.http.post(
            self.path,
            content=message.body,
            headers=message.headers,
            params=message.params,
        )

    async def send(self, items: Sequence[Item], **params: Any) -> Any:
        """Send a batch that will be taken; return the answer."""
        response = await self.post(self.message(items, **params))
        assert response.status_code == 200, response.text
        return response.json()

    async def verdicts(self, items: Sequence[Item], **params: Any) -> list[str]:
        """Send a batch; return the status of each item."""
        answer = await self.send(items, **params)
        return [item["status"] for item in answer["items"]]

    async def poll(self, **params: Any) -> Any:
        """Ask for a page of levels with the secret itself."""
        response = await self.http.get(
            self.path, params=params, headers={"Authorization": f"Bearer {self.secret}"}
        )
        assert response.status_code == 200, response.text
        return response.json()


def hostile_items() -> list[Item]:
    """Return items that are well-formed and wrong, each for a reason of its own."""
    some = "HOSTILE"
    return [
        {"product_integration_id": some, "stock": -1},
        {"product_integration_id": some, "stock": 12.5},
        {"product_integration_id": some, "stock": 1_000_000_001},
        {"product_integration_id": some, "stock": 1e15},
        {"product_integration_id": some, "delta": -1_000_000},
        {"product_integration_id": some, "delta": 1_000_000_000},
        {"product_integration_id": some, "stock": 1, "occurred_at": "9999-12-31T23:59:59Z"},
        {"product_integration_id": "'; DROP TABLE products; --", "stock": 1},
        {"product_integration_id": "\u202eÇÃO😀", "stock": 1},
        {"product_integration_id": "x" * 255, "stock": 1},
        {"product_id": str(uuid4()), "stock": 1},
        {"product_id": str(uuid4()), "product_integration_id": some, "stock": 1},
    ]
