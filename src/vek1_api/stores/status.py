"""The states of a store."""

from enum import StrEnum


class StoreStatus(StrEnum):
    """A deleted store is out of reach, with everything below it."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"
