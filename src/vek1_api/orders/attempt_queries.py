"""The statements of attempts to be paid. Their callers hold the order."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Interval,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import STORES
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.orders.models import AttemptAlias, AttemptRef, OrderState, PaymentAttempt

_COLUMNS = (
    *("attempt_id", "order_id", "store_id", "provider", "external_id", "state"),
    *("amount_cents", "dev_mode", "br_code", "expires_at", "check_at", "checks"),
    *("refund_id", "created_at"),
)
_ATTEMPT = tuple(getattr(AttemptRef, name) for name in _COLUMNS)
_ATTEMPT_ID = bindparam("attempt_id", type_=AttemptRef.attempt_id.type)
_ORDER_ID = bindparam("order_id", type_=AttemptRef.order_id.type)


def _begin() -> HotStatement:
    shown = ("order_id", "provider", "amount_cents", "external_id")
    kept = (
        *("order_id", "store_id", "provider", "state", "amount_cents", "dev_mode"),
        *("external_id", "br_code", "expires_at", "check_at"),
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
    return HotStatement(select(made.c.id.label("attempt_id")).add_cte(ref))


BEGIN = _begin()
FIND = HotStatement(select(*_ATTEMPT).where(AttemptRef.attempt_id == _ATTEMPT_ID))
OF_ORDER = HotStatement(
    select(*_ATTEMPT)
    .where(AttemptRef.order_id == _ORDER_ID)
    .order_by(AttemptRef.created_at, AttemptRef.attempt_id)
)
SHOW = HotStatement(
    update(OrderState)
    .where(OrderState.order_id == _ORDER_ID)
    .values(attempt_id=_ATTEMPT_ID)
    .returning(OrderState.order_id)
)


def _pay() -> HotStatement:
    order = (
        update(OrderState)
        .where(OrderState.order_id == _ORDER_ID)
        .values(paid_attempt_id=_ATTEMPT_ID)
        .cte("paid_order")
    )
    ref = (
        update(AttemptRef)
        .where(AttemptRef.attempt_id == _ATTEMPT_ID)
        .values(state="paid", check_at=None)
        .cte("ref")
    )
    return HotStatement(
        update(PaymentAttempt)
        .where(PaymentAttempt.id == _ATTEMPT_ID)
        .values(status="paid")
        .add_cte(order, ref)
    )


PAY = _pay()
"""Write of an attempt that it paid its order."""

NAME = HotStatement(
    upsert(AttemptAlias)
    .from_select(
        ["provider", "external_id", "attempt_id"],
        select(
            bindparam("provider", type_=Text),
            func.unnest(bindparam("external_ids", type_=ARRAY(Text))),
            _ATTEMPT_ID,
        ),
    )
    .on_conflict_do_nothing()
)

_IDS = bindparam("attempt_ids", type_=ARRAY(Uuid))
_HEARD_BY = STORES.alias()
MATCH = HotStatement(
    select(
        AttemptRef.attempt_id,
        AttemptRef.store_id,
        AttemptAlias.external_id.label("alias"),
        STORES.c.company_id,
        (_HEARD_BY.c.company_id == STORES.c.company_id).label("is_in_the_family"),
    )
    .join(STORES, STORES.c.id == AttemptRef.store_id)
    .join(_HEARD_BY, _HEARD_BY.c.id == bindparam("heard_by", type_=Uuid))
    .outerjoin(
        AttemptAlias,
        (AttemptAlias.attempt_id == AttemptRef.attempt_id)
        & (AttemptAlias.external_id == any_(bindparam("names", type_=ARRAY(Text)))),
    )
    .where(
        AttemptRef.provider == bindparam("provider", type_=Text),
        AttemptRef.attempt_id.in_(
            select(AttemptAlias.attempt_id)
            .where(
                AttemptAlias.provider == bindparam("provider", type_=Text),
                AttemptAlias.external_id
                == any_(bindparam("external_ids", type_=ARRAY(Text))),
            )
            .union_all(select(func.unnest(_IDS)))
        ),
    )
    .order_by(AttemptAlias.external_id.is_(None))
    .limit(1)
)
"""The attempt of a charge by any of its names, else by our own id, which went along."""


def _lease() -> HotStatement:
    due = (
        select(AttemptRef.attempt_id)
        .where(AttemptRef.check_at <= func.now())
        .order_by(AttemptRef.check_at)
        .limit(bindparam("row_limit", type_=AttemptRef.checks.type))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return HotStatement(
        update(AttemptRef)
        .where(
            AttemptRef.attempt_id.in_(select(due.c.attempt_id)),
            STORES.c.id == AttemptRef.store_id,
        )
        .values(
            check_at=func.now() + bindparam("lease", type_=Interval),
            checks=AttemptRef.checks + 1,
            # Who asks for this charge meanwhile waits for the answer.
            state=case(
                (AttemptRef.state == literal("unknown"), literal("creating")),
                else_=AttemptRef.state,
            ),
        )
        .returning(*_ATTEMPT, STORES.c.company_id)
    )


LEASE = _lease()
"""Attempts whose charges are to be asked for now; for a while nobody else asks for them."""


@lru_cache(maxsize=64)
def _set_state(names: frozenset[str]) -> HotStatement:
    """Return the update of both tables, compiled once for each set of further columns."""
    values = {name: bindparam(name, type_=getattr(AttemptRef, name).type) for name in names}
    ref = (
        update(AttemptRef)
        .where(AttemptRef.attempt_id == _ATTEMPT_ID)
        .values(state=bindparam("state", type_=Text), **values)
        .cte("ref")
    )
    shown = {name: values[name] for name in values.keys() & {"external_id"}}
    is_payment = (
        exists()
        .where(OrderState.paid_attempt_id == _ATTEMPT_ID)
        .where(OrderState.order_id == PaymentAttempt.order_id)
    )
    status = bindparam("status", type_=Text)
    told = case(
        (and_(status == literal("paid"), ~is_payment), literal("failed")), else_=status
    )
    return HotStatement(
        update(PaymentAttempt)
        .where(PaymentAttempt.id == _ATTEMPT_ID)
        .values(status=told, **shown)
        .add_cte(ref)
    )


async def set_state(
    tx: AsyncConnection,
    attempt_id: UUID,
    state: str,
    status: str,
    values: dict[str, Any],
) -> None:
    """Write how an attempt stands, in both tables.

    ``paid`` is shown of the attempt alone that paid the order (I3), of others ``failed``.
    """
    statement = _set_state(frozenset(values))
    bound = {"attempt_id": attempt_id, "state": state, "status": status, **values}
    await statement.rows(await driver_of(tx), **bound)


async def look_again(
    tx: AsyncConnection, attempt_id: UUID, check_at: Any, state: str | None = None
) -> None:
    """Write when the gateway is asked next, unless that was settled meanwhile.

    ``state`` is where an attempt goes that is being made.
    """
    ref = update(AttemptRef).where(
        AttemptRef.attempt_id == attempt_id, AttemptRef.check_at.is_not(None)
    )
    moved = (
        {}
        if state is None
        else {
            "state": case((AttemptRef.state == "creating", state), else_=AttemptRef.state)
        }
    )
    await tx.execute(ref.values(check_at=check_at, **moved))
