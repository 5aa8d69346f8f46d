"""Attempts to be paid: the front end's row, and how it stands at its provider beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.db import Driver, driver_of
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
    # Money that came a second time, or not as agreed, is no payment of the order (I3).
    AttemptState.PAID_AGAIN: AttemptStatus.FAILED,
    AttemptState.WRONG_AMOUNT: AttemptStatus.FAILED,
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
    check_at: datetime | None
    """When the gateway is asked next; in ``creating``, until when somebody is at it."""
    checks: int
    refund_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Match:
    """Whose attempt a charge is.

    ``is_named``: the charge is known by one of its names. ``is_in_the_family``: the store that
    heard of it and the one whose charge it is are one company's.
    """

    attempt_id: UUID
    store_id: UUID
    company_id: str
    is_named: bool
    is_in_the_family: bool


async def add(  # noqa: PLR0913 - the columns of a row.
    tx: AsyncConnection,
    order: Held,
    provider: PaymentProvider,
    state: AttemptState,
    *,
    dev_mode: bool = False,
    external_id: str | None = None,
    br_code: str | None = None,
    expires_at: datetime | None = None,
    check_at: datetime | None = None,
) -> UUID:
    """Write that the order's total is asked for; ``offering`` shows it to the customer.

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
        external_id=external_id,
        br_code=br_code,
        expires_at=expires_at,
        check_at=check_at,
    )
    assert row is not None
    attempt_id: UUID = row["attempt_id"]
    return attempt_id


async def find(tx: AsyncConnection, attempt_id: UUID) -> Attempt | None:
    """Return an attempt; the caller holds its order if it is to stay as it is."""
    return await read(await driver_of(tx), attempt_id)


async def read(driver: Driver, attempt_id: UUID) -> Attempt | None:
    """Return an attempt as it is just now."""
    row = await queries.FIND.row(driver, attempt_id=attempt_id)
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
    await queries.PAY.rows(
        await driver_of(tx), order_id=attempt.order_id, attempt_id=attempt.attempt_id
    )


async def show(tx: AsyncConnection, order_id: UUID, attempt_id: UUID) -> None:
    """Write which attempt the order's ``payment`` tells of."""
    await queries.SHOW.row(await driver_of(tx), order_id=order_id, attempt_id=attempt_id)


async def name(
    tx: AsyncConnection,
    attempt_id: UUID,
    provider: PaymentProvider,
    external_ids: Iterable[str],
) -> None:
    """Keep names by which a provider may call an attempt's charge."""
    await queries.NAME.rows(
        await driver_of(tx),
        attempt_id=attempt_id,
        provider=provider,
        external_ids=list(external_ids),
    )


async def match(
    driver: Driver,
    provider: PaymentProvider,
    external_ids: Iterable[str],
    our_ids: Iterable[str] = (),
    *,
    heard_by: UUID,
) -> Match | None:
    """Return whose charge it is, by its names, else by ids of ours that went along."""
    names = list(external_ids)
    row = await queries.MATCH.row(
        driver,
        provider=provider,
        external_ids=names,
        names=names,
        heard_by=heard_by,
        attempt_ids=[found for text in our_ids if (found := _uuid(text)) is not None],
    )
    if row is None:
        return None
    is_named = row["alias"] is not None
    return Match(
        row["attempt_id"],
        row["store_id"],
        row["company_id"],
        is_named,
        row["is_in_the_family"],
    )


async def lease(
    tx: AsyncConnection, lease: timedelta, limit: int
) -> list[tuple[Attempt, str]]:
    """Take attempts whose charges are due to be asked for, and their companies."""
    rows = await queries.LEASE.rows(await driver_of(tx), lease=lease, row_limit=limit)
    due = []
    for row in rows:
        values = dict(row)
        company_id = values.pop("company_id")
        due.append((_attempt(values), company_id))
    return due


async def look_again(
    tx: AsyncConnection,
    attempt_id: UUID,
    check_at: datetime | None,
    state: AttemptState | None = None,
) -> None:
    """Write when the gateway is asked next, if it is asked at all.

    ``state`` is what becomes of one that is being made.
    """
    await queries.look_again(tx, attempt_id, check_at, state)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _attempt(row: Any) -> Attempt:
    values = dict(row)
    return Attempt(
        **values
        | {
            "provider": PaymentProvider(values["provider"]),
            "state": AttemptState(values["state"]),
        }
    )
