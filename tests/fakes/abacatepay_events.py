"""The fake AbacatePay's webhooks: events true or false, in every documented shape, signed."""

import asyncio
import base64
import copy
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import httpx

from tests.fakes.abacatepay_shapes import FEE_CENTS, Charge, new_id, wire_time

PUBLIC_KEY = (
    b"t9dXRhHHo3yDEj5pVDYz0frf7q6bMKyMRmxxCPIPp3RCplBfXRxqlC6ZpiWmOqj4L63qEaeUOtrCI8P0VMUg"
    b"o6iIga2ri9ogaHFs0WIIywSMg0q7RmBfybe1E5XJcfC4IW3alNqym0tXoAKkzvfEjZxV6bE0oG2zJrNNYmUC"
    b"KZyV0KZ3JS8Votf9EAWWYdiDkMkpbMdPggfh1EqHlVkMiTady6jOR3hyzGEHrIz2Ret0xHKMbiqkr9HS1JhN"
    b"HDX9"
)
_NOBODY = {"id": "", "name": None, "email": None, "taxId": None}


@dataclass(frozen=True)
class FakeEvent:
    """One event, as its body stands; the methods return variants."""

    body: dict[str, Any]
    store_id: str = ""

    @property
    def raw(self) -> bytes:
        """The exact bytes that are sent and signed."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()

    def resent(self) -> Self:
        """Return it as the panel resends it: the same with a new id."""
        return self._with(lambda body: body.update(id=new_id("log_")))

    def without_id(self) -> Self:
        """Return it as some pages of the docs show it."""
        return self._with(lambda body: body.pop("id", None))

    def with_char_id(self) -> Self:
        """Return it with the charge's id in the documented spelling, ``char_…``."""
        return self._with(
            lambda body: [
                thing.update(id=thing["id"].removeprefix("pix_"))
                for thing in body["data"].values()
                if isinstance(thing, dict) and str(thing.get("id")).startswith("pix_char_")
            ]
        )

    def without_external_id(self) -> Self:
        """Return it with a null ``externalId`` and no ``metadata``, as without a customer."""
        return self.with_thing(externalId=None, metadata=None)

    def without_customer(self, *, is_null: bool = False) -> Self:
        """Return it with an empty customer, in either documented form."""
        nobody = None if is_null else dict(_NOBODY)
        return self._with(lambda body: body["data"].update(customer=nobody))

    def with_thing(self, **fields: Any) -> Self:
        """Return it with other fields of the charge, for example another ``paidAmount``."""
        return self._with(lambda body: next(iter(body["data"].values())).update(fields))

    def with_body(self, **fields: Any) -> Self:
        """Return it with other fields of the envelope, for example ``devMode``."""
        return self._with(lambda body: body.update(fields))

    def _with(self, change: Any) -> Self:
        body = copy.deepcopy(self.body)
        change(body)
        return replace(self, body=body)


@dataclass(frozen=True)
class Delivery:
    """Where an event goes and what proves its origin; ``signature`` None sends the right one."""

    url: str
    secret: str
    in_header: bool = True
    in_query: bool = True
    is_signed: bool = True
    signature: str | None = None

    def request(self, raw: bytes) -> httpx.Request:
        """Return the request that carries these bytes."""
        headers = {"content-type": "application/json", "user-agent": "AbacatePay/1.0"}
        if self.in_header:
            headers["x-webhook-secret"] = self.secret
        if self.is_signed:
            headers["x-webhook-signature"] = self.signature or signature(raw)
        url = httpx.URL(self.url)
        if self.in_query:
            url = url.copy_merge_params({"webhookSecret": self.secret})
        return httpx.Request("POST", url, headers=headers, content=raw)


def signature(raw: bytes) -> str:
    """Return ``X-Webhook-Signature`` of these bytes."""
    return base64.b64encode(hmac.digest(PUBLIC_KEY, raw, "sha256")).decode()


async def send(
    http: httpx.AsyncClient, requests: Sequence[httpx.Request], *, concurrently: bool
) -> list[int]:
    """Return the status of each answer; 0 where there was none."""
    if concurrently:
        return list(await asyncio.gather(*(_send(http, request) for request in requests)))
    return [await _send(http, request) for request in requests]


async def _send(http: httpx.AsyncClient, request: httpx.Request) -> int:
    try:
        answer = await http.send(request, follow_redirects=False)
    except httpx.RequestError:
        return 0
    return answer.status_code


def event_of(charge: Charge, name: str = "transparent.completed") -> FakeEvent:
    """Return a v2 event about a charge; its status says PAID, whatever the event."""
    paid = charge.amount if charge.paid_amount is None else charge.paid_amount
    customer = charge.customer or _NOBODY
    payer = {
        "name": customer["name"] or "Fulano de Tal",
        "taxId": "123.***.789-**",
        "isSameAsCustomer": charge.customer is not None,
    }
    data: dict[str, Any] = {
        "transparent": {
            "id": charge.id,
            "externalId": charge.external_id,
            "amount": charge.amount,
            "paidAmount": paid,
            "platformFee": FEE_CENTS,
            "status": "PAID",
            "frequency": "ONE_TIME",
            "devMode": charge.is_dev,
            "methods": ["PIX"],
            "createdAt": wire_time(charge.created_at),
            "updatedAt": wire_time(charge.updated_at),
            "metadata": charge.metadata,
        },
        "customer": {name: customer[name] for name in ("id", "name", "email")}
        | {"taxId": customer["taxId"] and "123.***.789-**"},
        "payerInformation": {"method": "PIX", "PIX": payer},
    }
    if name != "transparent.completed":
        data["reason"] = "Pedido do cliente"
    body = {"id": new_id("log_"), "event": name, "apiVersion": 2}
    return FakeEvent(body | {"devMode": charge.is_dev, "data": data}, charge.store_id)


def v1_event_of(charge: Charge, *, is_billing: bool = False) -> FakeEvent:
    """Return ``billing.paid`` of v1, in either of its shapes."""
    paid = charge.amount if charge.paid_amount is None else charge.paid_amount
    data: dict[str, Any]
    if is_billing:
        data = {
            "billing": {
                "id": charge.id,
                "amount": charge.amount,
                "paidAmount": paid,
                "couponsUsed": [],
                "customer": {"id": "cust_1", "metadata": {"name": "Fulano de Tal"}},
                "frequency": "ONE_TIME",
                "kind": ["PIX"],
                "products": [],
                "status": "PAID",
            }
        }
    else:
        shown = {"id": charge.id, "amount": charge.amount, "kind": "PIX", "status": "PAID"}
        data = {"pixQrCode": shown}
    data["payment"] = {"amount": paid, "fee": FEE_CENTS, "method": "PIX"}
    body = {"id": new_id("log_"), "data": data, "devMode": charge.is_dev}
    return FakeEvent(body | {"event": "billing.paid"}, charge.store_id)
