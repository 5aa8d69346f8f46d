"""Why stock changes."""

from enum import StrEnum


class MovementReason(StrEnum):
    """What a movement of stock comes from (seed)."""

    ORDER_CREATED = "order_created"
    ORDER_CANCELLED = "order_cancelled"
    INBOUND_SYNC = "inbound_sync"
    MANUAL = "manual"
