"""The statements of attempts to be paid. Their callers hold the order."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.hot import HotStatement
from vek1_api.orders.models import AttemptRef, OrderState, PaymentAttempt

_COLUMNS = (
    *("attempt_id", "order_id", "store_id", "provider", "external_id", "state"),
    *("amount_cents", "dev_mode", "br_code", "expires_at", "checks", "refund_id"),
)
_ATTEMPT = tuple(getattr(AttemptRef, name) for name in _COLUMNS)
_ATTEMPT_ID = bindparam("attempt_id", type_=AttemptRef.attempt_id.type)
_ORDER_ID = bindparam("order_id", type_=AttemptRef.order_id.type)


def _begin() -> HotStatement:
    shown = ("order_id", "provider", "amount_cents")
    kept = (
        *("order_id", "store_id", "provider", "state", "amount_cents", "dev_mode"),
        *("br_code", "expires_at", "check_at"),
    )
    made = (
        insert(PaymentAttempt)
        .values(
            status=bindparam("status", type_=Text),
            **{
                name: bindparam(name, type_=getattr(AttemptRef, name).type)
                for name in shown
            },
        )
        .returning(PaymentAttempt.id)
        .cte("made")
    )
    values = [bindparam(name, type_=getattr(AttemptRef, name).type) for name in kept]
    ref = (
        insert(AttemptRef)
        .from_select(["attempt_id", *kept], select(made.c.id, *values))
        .cte("ref")
    )
    asked = (
        update(OrderState)
        .where(OrderState.order_id == _ORDER_ID)
        .values(attempt_id=select(made.c.id).scalar_subquery())
        .cte("asked")
    )
    return HotStatement(select(made.c.id.label("attempt_id")).add_cte(ref, asked))


BEGIN = _begin()
FIND = HotStatement(select(*_ATTEMPT).where(AttemptRef.attempt_id == _ATTEMPT_ID))
OF_ORDER = HotStatement(
    select(*_ATTEMPT)
    .where(AttemptRef.order_id == _ORDER_ID)
    .order_by(AttemptRef.created_at, AttemptRef.attempt_id)
)
PAY = HotStatement(
    update(OrderState)
    .where(OrderState.order_id == _ORDER_ID)
    .values(paid_attempt_id=_ATTEMPT_ID)
    .returning(OrderState.order_id)
)


async def set_state(
    tx: AsyncConnection,
    attempt_id: UUID,
    state: str,
    status: str,
    values: dict[str, Any],
) -> None:
    """Write how an attempt stands, in both tables."""
    ref = update(AttemptRef).where(AttemptRef.attempt_id == attempt_id)
    await tx.execute(ref.values(state=state, **values))
    shown = {name: values[name] for name in ("external_id",) if name in values}
    row = update(PaymentAttempt).where(PaymentAttempt.id == attempt_id)
    await tx.execute(row.values(status=status, **shown))
