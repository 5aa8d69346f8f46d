"""AbacatePay's v2 API, as far as we use it: PIX charges, refunds, webhooks.

https://docs.abacatepay.com. Answers are read leniently; whatever is not a good answer is an
``AbacatePayError``. Reads are tried again when that may help. What has an effect is sent
again only if it was not sent at all: the caller knows whether a repeat is safe.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from pydantic import SecretStr

from vek1_api.abacatepay.answers import (
    Charge,
    ChargeCheck,
    GatewayStore,
    Refund,
    Webhook,
    rows,
)
from vek1_api.abacatepay.charge_ids import spellings
from vek1_api.abacatepay.errors import AbacatePayError, unreadable
from vek1_api.abacatepay.events import CHARGE_EVENTS
from vek1_api.abacatepay.reading import identifier, instant, mapping
from vek1_api.abacatepay.status import ChargeStatus
from vek1_api.abacatepay.transport import (
    PATIENCE,
    Call,
    Patience,
    Transport,
    is_worth_another_try,
    was_not_sent,
)

MINIMUM_CENTS = 100
"""The smallest charge, in cents."""

_LONGEST_DESCRIPTION = 37
_LONGEST_REASON = 500
_PAGE = 50  # Each may hold a picture, and an answer of theirs is at most 1 MiB.
_ANSWERED = 200


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is to pay. AbacatePay takes all four or none."""

    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    tax_id: str | None = field(default=None, repr=False)
    cellphone: str | None = field(default=None, repr=False)

    def wire(self) -> dict[str, str] | None:
        """Return the object that is sent, or none if anything is missing."""
        said = {
            "name": (self.name or "").strip(),
            "email": (self.email or "").strip(),
            "taxId": (self.tax_id or "").strip(),
            "cellphone": (self.cellphone or "").strip(),
        }
        return said if all(said.values()) else None


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge to be made. ``payment_id`` is ours: it goes along as ``externalId`` too.

    There is no way to cancel a charge: it can be paid until ``expires_in_seconds`` are over.
    """

    payment_id: str
    order_id: str
    amount_cents: int
    expires_in_seconds: int
    description: str = ""
    customer: Customer = Customer()

    def wire(self) -> dict[str, Any]:
        """Return the body that is sent: it is closed, so nothing is in it without need."""
        optional = {
            "description": self.description.strip()[:_LONGEST_DESCRIPTION].strip(),
            "customer": self.customer.wire(),
        }
        data = {
            "amount": self.amount_cents,
            "expiresIn": self.expires_in_seconds,
            "externalId": self.payment_id,
            "metadata": {"payment_id": self.payment_id, "order_id": self.order_id},
        }
        return {
            "method": "PIX",
            "data": data | {name: value for name, value in optional.items() if value},
        }


class AbacatePay:
    """The client; it owns nothing. ``http`` belongs to the process, a key to one merchant."""

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        *,
        patience: Patience = PATIENCE,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._transport = Transport(base_url, http, patience, sleep)

    async def create_charge(self, key: SecretStr, new: NewCharge) -> Charge:
        """Make a charge. After ``is_uncertain``, look for it with ``find_charge`` first.

        A repeat of a ``payment_id`` may give the charge that is there already, with its own
        amount: compare it.
        """
        if new.amount_cents < MINIMUM_CENTS:
            message = f"a charge has at least {MINIMUM_CENTS} cents"
            raise AbacatePayError(None, "amount_too_small", message)
        private = tuple((new.customer.wire() or {}).values())
        data = await self._post(key, "transparents/create", new.wire(), private=private)
        charge = Charge.read(data)
        if charge is None:
            raise unreadable(_ANSWERED, "a charge was made, but its id is not told")
        return charge

    async def check_charge(self, key: SecretStr, charge_id: str) -> ChargeCheck:
        """Return how a charge is: the only proof that money has come."""
        data = mapping(await self._get(key, "transparents/check", {"id": charge_id}))
        told = identifier(data.get("id"))
        if told is not None and told not in spellings(charge_id):
            raise unreadable(_ANSWERED, "the answer is about another charge")
        return ChargeCheck(
            charge_id, ChargeStatus.read(data.get("status")), instant(data.get("expiresAt"))
        )

    async def get_charge(self, key: SecretStr, charge_id: str) -> Charge | None:
        """Return a charge with its amount, which ``check_charge`` does not tell."""
        data = await self._get(key, "transparents/list", {"id": charge_id, "limit": "1"})
        charges = map(Charge.read, rows(data))
        return next((c for c in charges if c and c.charge_id in spellings(charge_id)), None)

    async def find_charge(
        self, key: SecretStr, payment_id: str, *, pages: int = 4
    ) -> Charge | None:
        """Return the charge of a payment of ours, among the latest few hundred.

        They cannot be asked by ``externalId``, so this reads page after page.
        """
        query = {"limit": str(_PAGE)}
        for _ in range(pages):
            envelope = await self._read(key, "transparents/list", query)
            for charge in map(Charge.read, rows(envelope.get("data"))):
                if charge and payment_id in {charge.external_id, charge.payment_id}:
                    return charge
            page = mapping(envelope.get("pagination")) or envelope
            after = identifier(page.get("next"))
            if not page.get("hasMore") or after is None:
                break
            query["after"] = after
        return None

    async def refund_charge(
        self, key: SecretStr, charge_id: str, reason: str = ""
    ) -> Refund:
        """Give the whole amount back; one that is already given back is a success."""
        body = {"id": charge_id, "reason": reason.strip()[:_LONGEST_REASON]}
        wanted = {name: value for name, value in body.items() if value}
        try:
            return Refund.read(await self._post(key, "transparents/refund", wanted))
        except AbacatePayError as error:
            if error.code == "already_refunded":
                return Refund(None, None, ChargeStatus.REFUNDED, was_done_before=True)
            raise

    async def simulate_payment(self, key: SecretStr, charge_id: str) -> Charge | None:
        """Pay a charge of the test mode; its webhook follows."""
        path, query = "transparents/simulate-payment", {"id": charge_id}
        return Charge.read(await self._post(key, path, {"metadata": {}}, query))

    async def get_store(self, key: SecretStr) -> GatewayStore:
        """Return the shop of a key: the test of a connection."""
        return GatewayStore.read(await self._get(key, "store/get"))

    async def create_webhook(
        self,
        key: SecretStr,
        *,
        name: str,
        endpoint: str,
        secret: SecretStr,
        events: Sequence[str] = CHARGE_EVENTS,
    ) -> Webhook:
        """Register where events go; ``secret`` has 32 characters or more."""
        plain = secret.get_secret_value()
        body = {
            "name": name,
            "endpoint": endpoint,
            "secret": plain,
            "events": list(events),
        }
        data = await self._post(key, "webhooks/create", body, private=(plain,))
        webhook = Webhook.read(data)
        if webhook is None:
            raise unreadable(_ANSWERED, "a webhook was made, but its id is not told")
        return webhook

    async def list_webhooks(self, key: SecretStr) -> list[Webhook]:
        """Return the webhooks of a key's environment."""
        data = await self._get(key, "webhooks/list")
        return [webhook for webhook in map(Webhook.read, rows(data)) if webhook]

    async def delete_webhook(self, key: SecretStr, webhook_id: str) -> None:
        """Remove a webhook. Their documented body ``{id}`` is ignored: the query counts."""
        await self._post(key, "webhooks/delete", None, {"id": webhook_id})

    async def _get(
        self, key: SecretStr, path: str, query: Mapping[str, str] | None = None
    ) -> object:
        return (await self._read(key, path, query or {})).get("data")

    async def _read(
        self, key: SecretStr, path: str, query: Mapping[str, str]
    ) -> Mapping[str, Any]:
        return await self._transport.ask(
            Call(key, "GET", path, query), is_worth_another_try
        )

    async def _post(
        self,
        key: SecretStr,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None = None,
        private: tuple[str, ...] = (),
    ) -> object:
        call = Call(key, "POST", path, query or {}, body, private)
        return (await self._transport.ask(call, was_not_sent)).get("data")
