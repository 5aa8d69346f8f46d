"""Attempts to be paid: the front end's row, and how it stands at its provider beside it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.db import driver_of
from vek1_api.orders import attempt_queries as queries
from vek1_api.orders.held import Held
from vek1_api.orders.status import AttemptState, AttemptStatus, PaymentProvider

WAITING = frozenset((AttemptState.CREATING, AttemptState.UNKNOWN, AttemptState.OPEN))
"""The states in which the customer may still pay as we expect it."""

_SHOWN = {
    AttemptState.CREATING: AttemptStatus.INITIALIZED,
    AttemptState.UNKNOWN: AttemptStatus.INITIALIZED,
    AttemptState.OPEN: AttemptStatus.INITIALIZED,
    AttemptState.PAID: AttemptStatus.PAID,
    AttemptState.FAILED: AttemptStatus.FAILED,
    # Money that came a second time is no second payment of the order (I3).
    AttemptState.PAID_AGAIN: AttemptStatus.FAILED,
    AttemptState.EXPIRED: AttemptStatus.EXPIRED,
    AttemptState.DISPUTED: AttemptStatus.PAID,
    AttemptState.REFUNDING: AttemptStatus.PAID,
    AttemptState.REFUNDED: AttemptStatus.PAID,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt and how it stands."""

    attempt_id: UUID
    order_id: UUID
    store_id: UUID
    provider: PaymentProvider
    external_id: str | None
    state: AttemptState
    amount_cents: int
    dev_mode: bool
    br_code: str | None
    expires_at: datetime | None
    checks: int
    refund_id: str | None


async def begin(  # noqa: PLR0913 - the columns of a row.
    tx: AsyncConnection,
    order: Held,
    provider: PaymentProvider,
    state: AttemptState,
    *,
    dev_mode: bool = False,
    br_code: str | None = None,
    expires_at: datetime | None = None,
    check_at: datetime | None = None,
) -> UUID:
    """Write that the order's total is asked for, as the attempt that the customer is to pay.

    The key of ``attempt_ref`` lets one attempt of a provider wait at a time: the caller has
    made sure, under the order's lock, that none does.
    """
    row = await queries.BEGIN.row(
        await driver_of(tx),
        order_id=order.id,
        store_id=order.store_id,
        provider=provider,
        state=state,
        status=_SHOWN[state],
        amount_cents=order.total_cents,
        dev_mode=dev_mode,
        br_code=br_code,
        expires_at=expires_at,
        check_at=check_at,
    )
    assert row is not None
    attempt_id: UUID = row["attempt_id"]
    return attempt_id


async def find(tx: AsyncConnection, attempt_id: UUID) -> Attempt | None:
    """Return an attempt; the caller holds its order if it is to stay as it is."""
    row = await queries.FIND.row(await driver_of(tx), attempt_id=attempt_id)
    return None if row is None else _attempt(row)


async def of_order(tx: AsyncConnection, order_id: UUID) -> list[Attempt]:
    """Return an order's attempts, oldest first."""
    rows = await queries.OF_ORDER.rows(await driver_of(tx), order_id=order_id)
    return [_attempt(row) for row in rows]


async def set_state(
    tx: AsyncConnection, attempt_id: UUID, state: AttemptState, **values: Any
) -> None:
    """Write how an attempt stands; ``values`` are further columns of ``attempt_ref``.

    The caller holds the order. The front end's row follows.
    """
    await queries.set_state(tx, attempt_id, state, _SHOWN[state], values)


async def set_paid(tx: AsyncConnection, attempt: Attempt) -> None:
    """Write that this attempt paid its order."""
    await set_state(tx, attempt.attempt_id, AttemptState.PAID)
    await queries.PAY.row(
        await driver_of(tx), order_id=attempt.order_id, attempt_id=attempt.attempt_id
    )


def _attempt(row: Any) -> Attempt:
    values = dict(row)
    return Attempt(
        **values
        | {
            "provider": PaymentProvider(values["provider"]),
            "state": AttemptState(values["state"]),
        }
    )
