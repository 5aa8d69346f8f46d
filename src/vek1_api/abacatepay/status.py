"""The states of a charge: AbacatePay's words, ours, and which way a payment may go."""

from enum import StrEnum
from typing import Self


class ChargeStatus(StrEnum):
    """What AbacatePay calls a charge's state; any other word is ``UNKNOWN``."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    ACTIVE = "ACTIVE"
    PAID = "PAID"
    COMPLETE = "COMPLETE"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    UNDER_DISPUTE = "UNDER_DISPUTE"
    REFUNDED = "REFUNDED"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def read(cls, word: object) -> Self:
        """Return the state of that name, whatever was sent as one."""
        plain = word.strip().upper() if isinstance(word, str) else ""
        return cls(plain) if plain in cls.__members__ else cls("UNKNOWN")

    @property
    def state(self) -> "PaymentState":
        """What this means for a payment of ours."""
        return _STATES.get(self, PaymentState.PENDING)


class PaymentState(StrEnum):
    """How far a payment is."""

    PENDING = "pending"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PAID = "paid"
    DISPUTED = "disputed"
    REFUNDED = "refunded"

    def may_become(self, later: "PaymentState") -> bool:
        """Return whether news of ``later`` moves a payment on; the same state does not.

        A charge that is over unpaid may still turn out to be paid. Nothing goes back: a
        dispute that the merchant has won stays ``disputed`` until a person looks at it.
        """
        return _RANKS[self] < _RANKS[later]


# Whatever is not here keeps us polling: the word may be new, the money is not there.
_STATES = {
    ChargeStatus.PAID: PaymentState.PAID,
    ChargeStatus.COMPLETE: PaymentState.PAID,
    ChargeStatus.REDEEMED: PaymentState.PAID,
    ChargeStatus.EXPIRED: PaymentState.EXPIRED,
    ChargeStatus.CANCELLED: PaymentState.CANCELLED,
    ChargeStatus.FAILED: PaymentState.FAILED,
    ChargeStatus.UNDER_DISPUTE: PaymentState.DISPUTED,
    ChargeStatus.REFUNDED: PaymentState.REFUNDED,
}

_RANKS = {
    PaymentState.PENDING: 0,
    PaymentState.EXPIRED: 1,
    PaymentState.CANCELLED: 1,
    PaymentState.FAILED: 1,
    PaymentState.PAID: 2,
    PaymentState.DISPUTED: 3,
    PaymentState.REFUNDED: 4,
}
