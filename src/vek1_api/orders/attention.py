"""What a person must look at: money that does not fit its order. Each thing is there once."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.db import driver_of
from vek1_api.orders import attention_queries as queries


class AttentionKind(StrEnum):
    """Why a person must look."""

    LATE_PAYMENT = "late_payment"
    WRONG_AMOUNT = "wrong_amount"
    PAID_TWICE = "paid_twice"
    REFUND_DUE = "refund_due"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    UNKNOWN_CHARGE = "unknown_charge"
    WRONG_ENVIRONMENT = "wrong_environment"
    GATEWAY_REFUSED = "gateway_refused"


async def ask_for(
    tx: AsyncConnection,
    store_id: UUID,
    kind: AttentionKind,
    subject: object,
    *,
    order_id: UUID | None = None,
    attempt_id: UUID | None = None,
    details: dict[str, Any] | None = None,
) -> bool:
    """Write that a person must look; false where it was written before.

    ``subject`` is what makes it one thing: a charge, an order, an event. ``details`` are
    amounts and ids, nobody's name.
    """
    row = await queries.ADD.row(
        await driver_of(tx),
        store_id=store_id,
        kind=kind,
        subject=str(subject),
        order_id=order_id,
        attempt_id=attempt_id,
        details=details or {},
    )
    return row is not None


async def settle(
    tx: AsyncConnection, order_id: UUID, kinds: frozenset[AttentionKind]
) -> None:
    """Write that there is nothing left to look at, of these kinds, about an order."""
    await queries.RESOLVE.rows(await driver_of(tx), order_id=order_id, kinds=sorted(kinds))
