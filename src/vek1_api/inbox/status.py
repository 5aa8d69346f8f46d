"""What became of a webhook."""

from enum import StrEnum


class Verdict(StrEnum):
    """The last word on a webhook; its ``reason`` says more, in words for a person."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"
    LATE = "late"
    REJECTED_AMOUNT = "rejected_amount"
    REJECTED_STORE = "rejected_store"
    REJECTED_DEV_MODE = "rejected_dev_mode"
    TOO_LARGE = "too_large"
    ERROR = "error"
