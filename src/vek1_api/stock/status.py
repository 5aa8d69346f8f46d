"""What becomes of an item that an ERP sent."""

from enum import StrEnum


class ItemStatus(StrEnum):
    """The verdict on one item of a batch."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    STALE = "stale"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"


class ItemCode(StrEnum):
    """Why an item was not taken as it was sent."""

    PRODUCT_NOT_FOUND = "product_not_found"
    CONFLICT = "conflict"
    NEGATIVE_STOCK = "negative_stock"
    INVALID = "invalid"
