"""What the fake AbacatePay knows: shops, charges, webhooks, and what each operation does.

After the contract of v2: closed bodies, R$ 1.00 at least, four customer fields or none, no
amount in ``check``. Where the documents disagree, a switch chooses between their words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.abacatepay_shapes import (
    FEE_CENTS,
    Account,
    Charge,
    Page,
    RefusedError,
    Store,
    Webhook,
    closed,
    customer,
    expected,
    new_id,
    whole,
    wire_time,
)

_CREATE_KEYS = {"method", "data"}
_CHARGE_KEYS = {
    "amount",
    "description",
    "expiresIn",
    "externalId",
    "customer",
    "metadata",
    "utm",
    "ensureSameTaxId",
}
_WEBHOOK_KEYS = {"name", "endpoint", "secret", "events"}


@dataclass
class State:
    """Everything there is, and the switches between documented behaviours."""

    stores: dict[str, Store] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    moved: timedelta = timedelta()
    on_repeated_external_id: str = "same"  # Or "error", or "new".
    on_repeated_refund: str = "error"  # Or "same".
    refund_form: str = "full"  # Or "short": only ``refundPublicId``.
    is_expiry_shown: bool = True  # Whether ``check`` turns to EXPIRED by itself.
    missing_permission_status: int = 401  # Or 403.

    def now(self) -> datetime:
        """Return the time there, which a test may have moved."""
        return datetime.now(UTC) + self.moved

    def new_store(
        self, name: str = "Loja", *, dev_key: str = "", prod_key: str = ""
    ) -> Store:
        """Open a shop; its keys choose the environment."""
        store = Store(
            new_id("store_"),
            name,
            dev_key or new_id("abc_dev_"),
            prod_key or new_id("abc_prod_"),
        )
        self.stores[store.id] = store
        return store

    def account(self, authorization: str, permission: str) -> Account:
        """Return whose key it is, or refuse as they do."""
        key = authorization.removeprefix("Bearer ")
        for store in self.stores.values():
            if key in {store.dev_key, store.prod_key}:
                if permission not in store.permissions:
                    message = "Insufficient permissions"
                    raise RefusedError(
                        self.missing_permission_status, message, is_bare=True
                    )
                return Account(store, is_dev=key == store.dev_key)
        raise RefusedError(401, "Token de autenticação inválido ou ausente.", is_bare=True)

    def charge(self, account: Account, charge_id: object) -> Charge:
        """Return a charge of this shop and environment, expired if it is time."""
        if not isinstance(charge_id, str):
            raise RefusedError(422, expected("id", "string", charge_id))
        charge = self.charges.get(charge_id)
        if charge is None or (charge.store_id, charge.is_dev) != (
            account.store.id,
            account.is_dev,
        ):
            raise RefusedError(404, "TRANSACTION_NOT_FOUND")
        return self.expired(charge)

    def expired(self, charge: Charge) -> Charge:
        """Turn a pending charge to EXPIRED when its time is over."""
        is_over = self.now() >= charge.expires_at and charge.status == "PENDING"
        if is_over and self.is_expiry_shown:
            charge.status, charge.updated_at = "EXPIRED", self.now()
        return charge

    def pay(self, charge: Charge, amount: int | None = None) -> None:
        """Take the money, whatever the state: a late or wrong payment comes in too."""
        charge.status = "PAID"
        charge.paid_amount = charge.amount if amount is None else amount
        charge.updated_at = self.now()
        self.stores[charge.store_id].available_cents += charge.paid_amount - FEE_CENTS

    def create(self, account: Account, _query: dict[str, str], body: Any) -> Any:
        data = closed(body, _CREATE_KEYS).get("data")
        if body.get("method") != "PIX":
            raise RefusedError(422, expected("method", "'PIX'", body.get("method")))
        data = closed(data, _CHARGE_KEYS, "data.")
        amount = whole(data, "amount")
        if amount < 100:
            raise RefusedError(400, "Amount must be at least 100")
        if len(data.get("description", "")) > 500:
            raise RefusedError(422, expected("data.description", "<= 500", "longer"))
        external_id, now = data.get("externalId"), self.now()
        for charge in self.charges.values() if external_id else ():
            owner = (charge.external_id, charge.store_id, charge.is_dev)
            is_same = owner == (external_id, account.store.id, account.is_dev)
            if is_same and self.on_repeated_external_id == "same":
                return self.expired(charge).wire()
            if is_same and self.on_repeated_external_id == "error":
                raise RefusedError(400, "externalId already in use")
        charge = Charge(
            id=new_id("pix_char_"),
            store_id=account.store.id,
            is_dev=account.is_dev,
            amount=amount,
            created_at=now,
            updated_at=now,
            expires_at=now + timedelta(seconds=whole(data, "expiresIn", 86_400)),
            external_id=external_id,
            customer=customer(data.get("customer")),
            metadata=data.get("metadata") or {},
        )
        self.charges[charge.id] = charge
        return charge.wire()

    def check(self, account: Account, query: dict[str, str], _body: Any) -> Any:
        charge = self.charge(account, query.get("id"))
        expires_at = wire_time(charge.expires_at)
        return {"id": charge.id, "status": charge.status, "expiresAt": expires_at}

    def list_charges(self, account: Account, query: dict[str, str], _body: Any) -> Any:
        limit = int(query.get("limit", "20"))
        if not 1 <= limit <= 100:
            raise RefusedError(422, expected("limit", "1..100", limit))
        mine = [
            self.expired(charge).wire()
            for charge in reversed(self.charges.values())
            if (charge.store_id, charge.is_dev) == (account.store.id, account.is_dev)
            and query.get("id") in {None, charge.id}
            and query.get("status") in {None, charge.status}
        ]
        ids = [charge["id"] for charge in mine]
        start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        page = mine[start : start + limit]
        has_more = len(mine) > start + limit
        cursor = page[-1]["id"] if has_more else None
        return Page(page, {"hasMore": has_more, "next": cursor, "before": None})

    def simulate(self, account: Account, query: dict[str, str], _body: Any) -> Any:
        charge = self.charge(account, query.get("id"))
        if not account.is_dev:
            raise RefusedError(400, "Only available in dev mode")
        if charge.status != "PENDING":
            raise RefusedError(400, f"Charge is {charge.status}")
        self.pay(charge)
        return charge.wire()

    def refund(self, account: Account, _query: dict[str, str], body: Any) -> Any:
        body = closed(body, {"id", "reason"})
        charge = self.charge(account, body.get("id"))
        if charge.status == "REFUNDED" and self.on_repeated_refund == "error":
            raise RefusedError(400, "Esta cobrança já foi reembolsada.")
        if charge.status == "UNDER_DISPUTE":
            raise RefusedError(400, "TRANSACTION_UNDER_DISPUTE")
        if charge.status not in {"PAID", "REFUNDED"}:
            raise RefusedError(400, "TRANSACTION_NOT_REFUNDABLE")
        amount = charge.paid_amount or charge.amount
        if charge.status == "PAID":
            if account.store.available_cents < amount:
                raise RefusedError(400, "INSUFFICIENT_FUNDS")
            account.store.available_cents -= amount
            charge.status, charge.updated_at = "REFUNDED", self.now()
            charge.refund_id = new_id("refund_")
        if self.refund_form == "short":
            return {"refundPublicId": charge.refund_id}
        return {
            "id": charge.refund_id,
            "status": "REFUNDED",
            "amount": amount,
            "reason": body.get("reason"),
            "originalId": charge.id,
            "createdAt": wire_time(charge.updated_at),
        }

    def get_store(self, account: Account, _query: dict[str, str], _body: Any) -> Any:
        balance = {"available": account.store.available_cents, "pending": 0, "blocked": 0}
        return {"id": account.store.id, "name": account.store.name, "balance": balance}

    def create_webhook(self, account: Account, _query: dict[str, str], body: Any) -> Any:
        body = closed(body, _WEBHOOK_KEYS)
        endpoint, secret = str(body.get("endpoint")), str(body.get("secret", ""))
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", endpoint):
            raise RefusedError(422, expected("endpoint", "public HTTPS", endpoint))
        if len(secret) < 32:
            raise RefusedError(422, expected("secret", "32+ characters", secret))
        webhook = Webhook(
            new_id("webh_"),
            account.store.id,
            account.is_dev,
            str(body.get("name")),
            endpoint,
            secret,
            body.get("events") or [],
        )
        self.webhooks[webhook.id] = webhook
        return webhook.wire()

    def list_webhooks(self, account: Account, _query: dict[str, str], _body: Any) -> Any:
        return [webhook.wire() for webhook in self.webhooks_of(account)]

    def delete_webhook(self, account: Account, query: dict[str, str], _body: Any) -> Any:
        ids = {webhook.id for webhook in self.webhooks_of(account)}
        if "id" not in query:
            raise RefusedError(422, expected("id", "string", None))
        if query["id"] not in ids:
            raise RefusedError(404, "Webhook not found")
        return self.webhooks.pop(query["id"]).wire()

    def webhooks_of(self, account: Account) -> list[Webhook]:
        """Return the webhooks of a shop in one environment."""
        wanted = (account.store.id, account.is_dev)
        return [w for w in self.webhooks.values() if (w.store_id, w.is_dev) == wanted]


Operation = Callable[[State, Account, dict[str, str], Any], Any]

OPERATIONS: dict[tuple[str, str], tuple[str, str, Operation]] = {
    ("POST", "transparents/create"): ("create", "TRANSPARENT", State.create),
    ("GET", "transparents/check"): ("check", "TRANSPARENT", State.check),
    ("GET", "transparents/list"): ("list", "TRANSPARENT", State.list_charges),
    ("POST", "transparents/simulate-payment"): ("simulate", "TRANSPARENT", State.simulate),
    ("POST", "transparents/refund"): ("refund", "REFUND", State.refund),
    ("GET", "store/get"): ("store", "STORE", State.get_store),
    ("POST", "webhooks/create"): ("webhook_create", "WEBHOOK", State.create_webhook),
    ("GET", "webhooks/list"): ("webhook_list", "WEBHOOK", State.list_webhooks),
    ("POST", "webhooks/delete"): ("webhook_delete", "WEBHOOK", State.delete_webhook),
}
"""By method and path: the name in faults and calls, the permission, what it does."""
