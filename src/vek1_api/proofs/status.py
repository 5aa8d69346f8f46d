"""The words of proofs."""

from enum import StrEnum


class ProofSource(StrEnum):
    """How a proof came."""

    UPLOAD = "upload"
    WHATSAPP = "whatsapp"


class Review(StrEnum):
    """What a person made of a proof."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Reading(StrEnum):
    """Whether the text of a proof is known."""

    PENDING = "pending"
    READ = "read"
    UNREADABLE = "unreadable"


class Risk(StrEnum):
    """How closely a person should look, the least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
