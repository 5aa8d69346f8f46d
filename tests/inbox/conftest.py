"""The database, and a store that AbacatePay's webhooks are for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.access.conftest import db
from tests.fakes.abacatepay_events import signature
from tests.people import Person
from vek1_api.core.db import Driver

SECRET = "um-segredo-que-o-lojista-escolheu-2026"


@dataclass
class Intake:
    """Where the webhooks of a store go; ``send`` sends one as AbacatePay does."""

    http: httpx.AsyncClient
    db: Driver
    store_id: str

    @property
    def path(self) -> str:
        return f"/webhooks/abacatepay/{self.store_id}"

    async def send(
        self,
        raw: bytes,
        *,
        header: str | None = SECRET,
        query: str | None = SECRET,
        signed: str | None = "",
        more: dict[str, str] | None = None,
    ) -> httpx.Response:
        """An empty ``signed`` is the right signature, none sends none."""
        headers = {"content-type": "application/json", **(more or {})}
        # Header values are bytes; httpx itself takes ASCII only.
        if header is not None:
            headers["x-webhook-secret"] = header
        if signed is not None:
            headers["x-webhook-signature"] = signed or signature(raw)
        params = {} if query is None else {"webhookSecret": query}
        sent = {name: value.encode() for name, value in headers.items()}
        return await self.http.post(
            self.path,
            content=raw,
            headers=sent,  # type: ignore[arg-type]  # Bytes.
            params=params,
        )

    async def rows(self) -> list[Any]:
        found = await self.db.fetch(
            "SELECT * FROM vek1_api.webhook_inbox WHERE store_id = $1 ORDER BY received_at",
            UUID(self.store_id),
        )
        return list(found)


@pytest.fixture
async def intake(ana: Person, db: Driver) -> Intake:  # noqa: F811 - a fixture.
    store_id = (await ana.open_store())["id"]
    response = await ana.request(
        "PUT",
        f"/v1/stores/{store_id}/payment-settings",
        json={"abacate_pay_webhook_secret": SECRET},
    )
    assert response.status_code == 200, response.text
    return Intake(ana.http, db, store_id)
