"""What AbacatePay answers, as far as we use it: every field but the id may be missing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from vek1_api.abacatepay.reading import cents, identifier, instant, mapping, verbatim, words
from vek1_api.abacatepay.status import ChargeStatus, PaymentState

_LONGEST_BR_CODE = 2_000
_LONGEST_IMAGE = 500_000
_LONGEST_ADDRESS = 2_000


@dataclass(frozen=True, slots=True)
class Charge:
    """A PIX charge. Amounts in cents; ``br_code`` is theirs, its checksum not ours to judge.

    ``qr_png_base64`` comes without the ``data:`` prefix. ``is_dev`` is None if not said.
    """

    charge_id: str
    status: ChargeStatus
    amount_cents: int | None
    paid_amount_cents: int | None
    fee_cents: int | None
    is_dev: bool | None
    br_code: str | None = field(repr=False)
    qr_png_base64: str | None = field(repr=False)
    receipt_url: str | None
    external_id: str | None
    payment_id: str | None
    order_id: str | None
    created_at: datetime | None
    expires_at: datetime | None

    @property
    def state(self) -> PaymentState:
        """How far the payment is, in our words."""
        return self.status.state

    @classmethod
    def read(cls, data: object) -> Self | None:
        """Return the charge that an answer's ``data`` shows, or none without an id."""
        said = mapping(data)
        charge_id = identifier(said.get("id"))
        if charge_id is None:
            return None
        is_dev, metadata = said.get("devMode"), mapping(said.get("metadata"))
        image = verbatim(said.get("brCodeBase64"), _LONGEST_IMAGE)
        return cls(
            charge_id=charge_id,
            status=ChargeStatus.read(said.get("status")),
            amount_cents=cents(said.get("amount")),
            paid_amount_cents=cents(said.get("paidAmount")),
            fee_cents=cents(said.get("platformFee")),
            is_dev=is_dev if isinstance(is_dev, bool) else None,
            br_code=verbatim(said.get("brCode"), _LONGEST_BR_CODE),
            qr_png_base64=image and image.removeprefix("data:image/png;base64,"),
            receipt_url=verbatim(said.get("receiptUrl"), _LONGEST_ADDRESS),
            external_id=identifier(said.get("externalId")),
            payment_id=identifier(metadata.get("payment_id")),
            order_id=identifier(metadata.get("order_id")),
            created_at=instant(said.get("createdAt")),
            expires_at=instant(said.get("expiresAt")),
        )


@dataclass(frozen=True, slots=True)
class ChargeCheck:
    """The present status of a charge; the amount is not told here."""

    charge_id: str
    status: ChargeStatus
    expires_at: datetime | None

    @property
    def state(self) -> PaymentState:
        """How far the payment is, in our words."""
        return self.status.state


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of the whole charge. ``was_done_before`` when they refused to repeat it.

    ``status`` is ``UNKNOWN`` in the form that tells only an id; ``FAILED`` is no refund.
    """

    refund_id: str | None
    amount_cents: int | None
    status: ChargeStatus
    was_done_before: bool = False

    @classmethod
    def read(cls, data: object) -> Self:
        """Return the refund that an answer's ``data`` shows, in either documented form."""
        said = mapping(data)
        return cls(
            refund_id=identifier(said.get("refundPublicId")) or identifier(said.get("id")),
            amount_cents=cents(said.get("amount")),
            status=ChargeStatus.read(said.get("status")),
        )


@dataclass(frozen=True, slots=True)
class GatewayStore:
    """The shop that a key belongs to, and what it has there, in cents."""

    store_id: str | None
    name: str | None
    available_cents: int | None
    pending_cents: int | None
    blocked_cents: int | None

    @classmethod
    def read(cls, data: object) -> Self:
        """Return the shop that an answer's ``data`` shows."""
        said = mapping(data)
        balance = mapping(said.get("balance"))
        return cls(
            store_id=identifier(said.get("id")),
            name=words(said.get("name"), 200),
            available_cents=cents(balance.get("available")),
            pending_cents=cents(balance.get("pending")),
            blocked_cents=cents(balance.get("blocked")),
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered webhook; its secret is never read back."""

    webhook_id: str
    name: str | None
    endpoint: str | None = field(repr=False)  # Old ones carry their secret in it.
    events: tuple[str, ...]
    is_dev: bool | None

    @classmethod
    def read(cls, data: object) -> Self | None:
        """Return the webhook that an answer's ``data`` shows, or none without an id."""
        said = mapping(data)
        webhook_id = identifier(said.get("id"))
        if webhook_id is None:
            return None
        is_dev = said.get("devMode")
        return cls(
            webhook_id=webhook_id,
            name=words(said.get("name"), 200),
            endpoint=verbatim(said.get("endpoint") or said.get("url"), _LONGEST_ADDRESS),
            events=tuple(filter(None, map(identifier, rows(said.get("events"))))),
            is_dev=is_dev if isinstance(is_dev, bool) else None,
        )


def rows(value: object) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []
