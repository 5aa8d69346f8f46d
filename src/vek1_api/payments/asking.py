"""Asking AbacatePay how a charge is: the only proof that money has come, or gone again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from pydantic import SecretStr

from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    Charge,
    PaymentState,
)
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.status import AttemptState

FIRST_LOOK = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=10)
AFTER_EXPIRY = timedelta(seconds=30)
LATE_LOOK = timedelta(hours=1)
WATCHED_FOR = timedelta(hours=24)
"""How long after its expiry a charge is still asked for: banks may take money late."""

_STATES = {
    AttemptState.CREATING: PaymentState.PENDING,
    AttemptState.UNKNOWN: PaymentState.PENDING,
    AttemptState.OPEN: PaymentState.PENDING,
    AttemptState.EXPIRED: PaymentState.EXPIRED,
    AttemptState.FAILED: PaymentState.FAILED,
    AttemptState.PAID: PaymentState.PAID,
    AttemptState.PAID_AGAIN: PaymentState.PAID,
    AttemptState.WRONG_AMOUNT: PaymentState.PAID,
    AttemptState.REFUNDING: PaymentState.PAID,
    AttemptState.DISPUTED: PaymentState.DISPUTED,
    AttemptState.REFUNDED: PaymentState.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How a charge is, as AbacatePay itself says. Amounts in cents, where they are told.

    ``charge`` is there as soon as money has moved.
    """

    charge_id: str
    state: PaymentState
    charge: Charge | None = None

    @property
    def amounts(self) -> set[int]:
        """What was asked for and what was paid."""
        if self.charge is None:
            return set()
        told = (self.charge.amount_cents, self.charge.paid_amount_cents)
        return {cents for cents in told if cents is not None}


async def ask(client: AbacatePay, key: SecretStr, charge_id: str) -> Told:
    """Return how a charge is; raise ``AbacatePayError`` if they do not say.

    ``check`` decides about the state. It tells no amount, so where there is money the
    charge itself is read too.
    """
    check = await client.check_charge(key, charge_id)
    if PaymentState.PAID.may_become(check.state) or check.state is PaymentState.PAID:
        charge = await client.get_charge(key, charge_id)
        return Told(charge_id, check.state, charge)
    return Told(charge_id, check.state)


async def charge_of(
    client: AbacatePay, key: SecretStr, attempt_id: UUID, charge_ids: Iterable[str]
) -> Charge | None:
    """Return the one of these charges that was made for an attempt, or none.

    What a webhook says about that is not believed: the charge itself must name the attempt.
    """
    for charge_id in charge_ids:
        charge = await client.get_charge(key, charge_id)
        if charge and str(attempt_id) in {charge.external_id, charge.payment_id}:
            return charge
    return None


def is_unknown_there(error: AbacatePayError) -> bool:
    """Return whether AbacatePay has no such charge, for this key."""
    return error.status == HTTPStatus.NOT_FOUND or error.code == "TRANSACTION_NOT_FOUND"


def standing(state: AttemptState) -> PaymentState:
    """Return how far an attempt is, in the gateway's words."""
    return _STATES[state]


def next_look(attempt: Attempt, now: datetime) -> datetime | None:
    """Return when to ask for a charge again; none once nobody will pay it any more."""
    ends = attempt.expires_at or attempt.created_at + WATCHED_FOR
    if now > ends + WATCHED_FOR:
        return None
    if now > ends:
        return now + LATE_LOOK
    age = now - attempt.created_at
    wait = min(max(age / 2, FIRST_LOOK), LONGEST_WAIT)
    return min(now + wait, ends + AFTER_EXPIRY)
