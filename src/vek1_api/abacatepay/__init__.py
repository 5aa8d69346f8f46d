"""AbacatePay, the PIX gateway: a client of its API and a reader of its webhooks.

It knows no domain and no database. Nothing that it raises or shows holds a secret or a person.
"""

from vek1_api.abacatepay.answers import Charge, ChargeCheck, GatewayStore, Refund, Webhook
from vek1_api.abacatepay.authenticity import PUBLIC_KEY, is_authentic, signature_ok
from vek1_api.abacatepay.charge_ids import spellings
from vek1_api.abacatepay.client import MINIMUM_CENTS, AbacatePay, Customer, NewCharge
from vek1_api.abacatepay.errors import AbacatePayError
from vek1_api.abacatepay.events import (
    CHARGE_EVENTS,
    Event,
    EventKind,
    read_event,
    read_event_id,
    redacted,
)
from vek1_api.abacatepay.status import ChargeStatus, PaymentState
from vek1_api.abacatepay.transport import Patience

__all__ = [
    "CHARGE_EVENTS",
    "MINIMUM_CENTS",
    "PUBLIC_KEY",
    "AbacatePay",
    "AbacatePayError",
    "Charge",
    "ChargeCheck",
    "ChargeStatus",
    "Customer",
    "Event",
    "EventKind",
    "GatewayStore",
    "NewCharge",
    "Patience",
    "PaymentState",
    "Refund",
    "Webhook",
    "is_authentic",
    "read_event",
    "read_event_id",
    "redacted",
    "signature_ok",
    "spellings",
]
