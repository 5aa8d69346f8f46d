"""What a webhook says: a claim about a charge, read leniently and without persons."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vek1_api.abacatepay.charge_ids import spellings
from vek1_api.abacatepay.reading import cents, identifier, mapping, words


class EventKind(StrEnum):
    """What an event is about, whichever product and version of theirs it came from."""

    PAID = "paid"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    OTHER = "other"


_VERBS = {
    "completed": EventKind.PAID,
    "refunded": EventKind.REFUNDED,
    "disputed": EventKind.DISPUTED,
    "lost": EventKind.DISPUTE_LOST,
}
_KINDS = {
    **{
        f"{thing}.{verb}": kind
        for thing in ("transparent", "checkout", "payment")
        for verb, kind in _VERBS.items()
    },
    "billing.paid": EventKind.PAID,
    "pix_key.received": EventKind.PAID,
    "pix_key.refunded": EventKind.REFUNDED,
}

CHARGE_EVENTS = tuple(f"transparent.{verb}" for verb in _VERBS)
"""The events that a PIX charge of v2 sends; expiry and failure send none."""

_THINGS = ("transparent", "checkout", "pixQrCode", "billing", "pixKey", "payment")
_LONGEST_NAME = 100

_HIDDEN = re.compile(
    rb'("(?:webhook_?secret|secret|api_?key|token|authorization|'
    rb'name|e-?mail|tax_?id|cell_?phone|phone)"\s*:\s*")(?:[^"\\]|\\.)*+"',
    re.IGNORECASE | re.DOTALL,
)
_SECRET_IN_ADDRESS = re.compile(rb'(?i)(secret=)[^&\s"\\]+')
_REDACTED = b"[redacted]"


@dataclass(frozen=True, slots=True)
class Event:
    """A claim; ask AbacatePay before acting on it. Amounts in cents.

    ``event_id`` is theirs (the same on each automatic retry, another when resent by hand),
    else the SHA-256 of the body in hex. ``charge_ids`` holds every id that may be a
    charge's, in both spellings, likeliest first. ``dev_mode``: some flag says test.
    ``is_known``: it is one of the events that tell of money coming or going.
    """

    event_id: str
    name: str = ""
    kind: EventKind = EventKind.OTHER
    charge_ids: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    payment_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    amount_cents: int | None = None
    paid_amount_cents: int | None = None
    dev_mode: bool = False
    reason: str | None = None
    end_to_end_id: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether it tells of money coming or going."""
        return self.kind is not EventKind.OTHER


def read_event(raw: bytes) -> Event:
    """Return what a webhook's body says; any bytes give an event, if only a nameless one."""
    body = _parsed(raw)
    data = mapping(body.get("data"))
    name = words(body.get("event"), _LONGEST_NAME) or ""
    things = [*_things(data), data]
    metadata = [mapping(part.get("metadata")) for part in (*things, body)]
    amount, paid_amount = _amounts(data, things)
    return Event(
        event_id=_event_id(raw, body),
        name=name,
        kind=_KINDS.get(name, EventKind.OTHER),
        charge_ids=_unique(s for i in _ids(things, "id") for s in spellings(i)),
        external_ids=_unique(_ids(things, "externalId")),
        payment_ids=_unique(_ids(metadata, "payment_id")),
        order_ids=_unique(_ids(metadata, "order_id")),
        amount_cents=amount,
        paid_amount_cents=paid_amount,
        dev_mode=any(part.get("devMode") is True for part in (body, *things)),
        reason=_first(words(part.get("reason")) for part in (*things, body)),
        end_to_end_id=_first(_end_to_end_ids(data, things)),
    )


def read_event_id(raw: bytes) -> str:
    """Return the ``event_id`` of a webhook's body, without reading the rest."""
    return _event_id(raw, _parsed(raw))


def redacted(raw: bytes, secrets: Iterable[str] = ()) -> bytes:
    """Return a body as it may be stored: ids and amounts stay, secrets and persons go.

    ``secrets`` are taken out wherever they stand.
    """
    for secret in secrets:
        if secret:
            raw = raw.replace(secret.encode("utf-8", "surrogatepass"), _REDACTED)
    hidden = _HIDDEN.sub(rb"\1" + _REDACTED + b'"', raw)
    return _SECRET_IN_ADDRESS.sub(rb"\1" + _REDACTED, hidden)


def _parsed(raw: bytes) -> Mapping[str, Any]:
    # The standard library's parser: it takes halves of surrogate pairs, which a text that
    # was cut inside an emoji has.
    try:
        return mapping(json.loads(raw.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return {}


def _event_id(raw: bytes, body: Mapping[str, Any]) -> str:
    return identifier(body.get("id")) or hashlib.sha256(raw).hexdigest()


def _things(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [thing for name in _THINGS if (thing := mapping(data.get(name)))]


def _ids(parts: Iterable[Mapping[str, Any]], name: str) -> Iterator[str]:
    return (found for part in parts if (found := identifier(part.get(name))))


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _first(found: Iterable[str | None]) -> str | None:
    return next((value for value in found if value), None)


def _amounts(
    data: Mapping[str, Any], things: list[Mapping[str, Any]]
) -> tuple[int | None, int | None]:
    """Return what was asked for and what was paid, as far as it is told."""
    amounts = [cents(thing.get("amount")) for thing in things]
    paid = [cents(thing.get("paidAmount")) for thing in things]
    # v1 tells of the money beside the charge; a PIX key has no charge at all.
    is_v1 = bool(data.get("pixQrCode") or data.get("billing"))
    money = mapping(data.get("payment" if is_v1 else "pixKey"))
    paid.append(cents(money.get("amount")))
    return (
        next((amount for amount in amounts if amount is not None), None),
        next((amount for amount in paid if amount is not None), None),
    )


def _end_to_end_ids(
    data: Mapping[str, Any], things: list[Mapping[str, Any]]
) -> Iterator[str | None]:
    pix = mapping(mapping(data.get("payerInformation")).get("PIX"))
    for part in (*things, pix):
        for name in ("endToEndId", "endToEndIdentifier"):
            yield identifier(part.get(name))
