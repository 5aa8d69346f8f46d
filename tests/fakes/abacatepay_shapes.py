"""The shapes of the fake AbacatePay: what it keeps, how it shows it, what it refuses."""

import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FEE_CENTS = 80
_LETTERS = string.ascii_letters + string.digits
_CUSTOMER_KEYS = ("name", "email", "taxId", "cellphone")


class RefusedError(Exception):
    """An error answer. A bare one has neither ``data`` nor ``success``, as their 401."""

    def __init__(self, status: int, error: object, *, is_bare: bool = False) -> None:
        super().__init__(str(error))
        self.status = status
        bare = {"error": error}
        self.body = bare if is_bare else {"data": None, "success": False} | bare


@dataclass
class Store:
    """A merchant there, with a key for each environment; money in cents."""

    id: str
    name: str
    dev_key: str
    prod_key: str
    available_cents: int = 1_000_000
    permissions: set[str] = field(
        default_factory=lambda: {"TRANSPARENT", "REFUND", "STORE", "WEBHOOK"}
    )


@dataclass(frozen=True)
class Account:
    """Who calls: a key's store and environment."""

    store: Store
    is_dev: bool


@dataclass
class Charge:
    """A PIX charge as they hold it."""

    id: str
    store_id: str
    is_dev: bool
    amount: int
    created_at: datetime
    expires_at: datetime
    updated_at: datetime
    external_id: str | None = None
    customer: dict[str, str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    status: str = "PENDING"
    paid_amount: int | None = None
    refund_id: str | None = None

    def wire(self) -> dict[str, Any]:
        """Return the charge as ``create`` and ``list`` show it. The BR code's CRC is wrong."""
        return {
            "id": self.id,
            "amount": self.amount,
            "status": self.status,
            "devMode": self.is_dev,
            "brCode": f"00020101021226580014br.gov.bcb.pix{self.id}6304ABCD",
            "brCodeBase64": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA",
            "platformFee": FEE_CENTS,
            "receiptUrl": self.paid_amount and f"https://app.abacatepay.test/{self.id}",
            "externalId": self.external_id,
            "createdAt": wire_time(self.created_at),
            "updatedAt": wire_time(self.updated_at),
            "expiresAt": wire_time(self.expires_at),
            "metadata": self.metadata,
        }


@dataclass
class Webhook:
    """A registered address."""

    id: str
    store_id: str
    is_dev: bool
    name: str
    endpoint: str
    secret: str
    events: list[str]
    is_enabled: bool = True

    def wire(self) -> dict[str, Any]:
        """Return the webhook as ``list`` shows it."""
        shown = {"id": self.id, "name": self.name, "endpoint": self.endpoint}
        return shown | {"events": self.events, "devMode": self.is_dev, "v2": True}


@dataclass(frozen=True)
class Page:
    """A list answer, whose cursor stands beside ``data``."""

    data: list[Any]
    pagination: dict[str, Any]


def new_id(prefix: str) -> str:
    """Return an id in their form."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(24))


def wire_time(at: datetime) -> str:
    """Return a time as they write it, with milliseconds and Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def closed(body: Any, keys: set[str], where: str = "") -> dict[str, Any]:
    """Return an object that has no other keys, or refuse it."""
    if not isinstance(body, dict):
        raise RefusedError(422, expected(where or "body", "object", body))
    for name in body.keys() - keys:
        raise RefusedError(422, f"Unexpected property '{where}{name}'")
    return body


def whole(data: dict[str, Any], name: str, default: int | None = None) -> int:
    """Return a whole number, or refuse it."""
    value = data.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError(422, expected(f"data.{name}", "integer", value))
    return value


def customer(customer: Any) -> dict[str, str] | None:
    """Return a customer with an id, or refuse one who is not whole."""
    if customer is None:
        return None
    for name in _CUSTOMER_KEYS:
        if not isinstance(customer.get(name), str):
            field_name = f"data.customer.{name}"
            raise RefusedError(422, expected(field_name, "string", customer.get(name)))
    if not _is_tax_id(customer["taxId"]):
        raise RefusedError(400, f"Invalid taxId: {customer['taxId']}")
    return {"id": new_id("cust_"), **customer}


def _is_tax_id(text: str) -> bool:
    digits = [int(character) for character in re.sub(r"[.\-/\s]", "", text)]
    if len(digits) == 14:
        return True  # A CNPJ's check digits are not what any test is about.
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    for length in (9, 10):
        weighted = zip(digits[:length], range(length + 1, 1, -1), strict=True)
        if sum(d * w for d, w in weighted) * 10 % 11 % 10 != digits[length]:
            return False
    return True


def expected(name: str, kind: str, found: object) -> str:
    """Return their words for a wrong value, which repeat the value."""
    shown = "undefined" if found is None else str(found)
    return f"Expected property '{name}' to be {kind} but found: {shown}"
