"""How far a document's indexing is."""

from enum import StrEnum


class IndexStatus(StrEnum):
    """Whether a document answers yet."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
