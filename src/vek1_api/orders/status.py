"""The words of orders, as the seed has them."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """How far an order is."""

    DRAFT = "draft"
    AWAITING_PROOF = "awaiting_proof"
    PROOF_RECEIVED = "proof_received"
    CONFIRMED = "confirmed"
    SHIPPING = "shipping"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class PaymentMethod(StrEnum):
    """How the customer pays."""

    PIX_MANUAL = "pix_manual"
    PIX_GATEWAY = "pix_gateway"
    CASH_ON_DELIVERY = "cash_on_delivery"


class PaymentProvider(StrEnum):
    """Who takes the money."""

    ABACATE_PAY = "abacate_pay"
    MANUAL = "manual"


class Source(StrEnum):
    """Who wrote the order."""

    AGENT = "agent"
    MANUAL = "manual"


class Actor(StrEnum):
    """Who caused an event."""

    AGENT = "agent"
    USER = "user"
    SYSTEM = "system"
    WEBHOOK = "webhook"


class EventType(StrEnum):
    """What an event is; a step without a type of its own is a ``note`` that names it."""

    CREATED = "created"
    CONFIRMED = "confirmed"
    PAYMENT_INITIALIZED = "payment_initialized"
    PAYMENT_PAID = "payment_paid"
    PAYMENT_FAILED = "payment_failed"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOTE = "note"


class AttemptStatus(StrEnum):
    """How an attempt to be paid stands, in the seed's words."""

    INITIALIZED = "initialized"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class AttemptState(StrEnum):
    """How an attempt to be paid stands, exactly."""

    CREATING = "creating"
    UNKNOWN = "unknown"
    OPEN = "open"
    PAID = "paid"
    PAID_AGAIN = "paid_again"
    WRONG_AMOUNT = "wrong_amount"
    FAILED = "failed"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
