"""Words of telling an ERP: directions of secrets, states of deliveries, types of messages."""

from enum import StrEnum


class Which(StrEnum):
    """The direction that a secret belongs to."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class DisabledReason(StrEnum):
    """Why nothing is sent any more, although a person had switched it on."""

    GONE = "gone"
    FAILING = "failing"


class DeliveryStatus(StrEnum):
    """How far a message is; ``held`` is what a day of attempts did not deliver."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    HELD = "held"


AGAIN = "again"
"""Stored of a message that somebody asked for again: it waits, but holds no others back."""


class MessageType(StrEnum):
    """What a message tells."""

    DECREMENTED = "stock.decremented"
    RESTORED = "stock.restored"
    ADJUSTED = "stock.adjusted"
    TEST = "stock.test"


OF_ORDERS = ("order_created", "order_cancelled")
"""Reasons of movements that an order caused; their messages say so by their type."""
