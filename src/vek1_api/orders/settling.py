"""Settlement: the one place where an order becomes paid, whoever says so.

Webhook, sweeper and a person may say so at the same moment. Each takes the order's row first,
so the first settles and the others find it settled.
"""

from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.orders import (
    attempts,
    attention,
    moving,
    offering,
    queries,
    transitions,
)
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.attention import AttentionKind
from vek1_api.orders.held import Held, hold
from vek1_api.orders.status import (
    Actor,
    AttemptState,
    EventType,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
)
from vek1_api.orders.transitions import COUNTED


class Settled(StrEnum):
    """What came of it."""

    NOW = "now"
    BEFORE = "before"
    LATE = "late"
    TWICE = "twice"


async def settle_charge(
    tx: AsyncConnection, access: Access, order: Held, attempt: Attempt, actor: Actor
) -> Settled:
    """Write that a charge was paid: the provider says so itself, and the amount is right.

    An order that waits becomes confirmed. Money for a cancelled order, or a second payment,
    is written down and shown to a person; it changes nothing else.
    """
    if order.paid_attempt_id == attempt.attempt_id:
        return Settled.BEFORE
    if order.paid_attempt_id is not None:
        return await _paid_twice(tx, order, attempt)
    await attempts.set_paid(tx, attempt)
    await offering.show_paid(tx, access, order, attempt)
    if order.status in COUNTED:
        # A person saw the money before the provider told us.
        await _note_payment(tx, access, order, actor, attempt.attempt_id)
        return Settled.BEFORE
    if order.status is OrderStatus.CANCELLED:
        await _note_payment(tx, access, order, actor, attempt.attempt_id)
        await attention.ask_for(
            tx,
            order.store_id,
            AttentionKind.LATE_PAYMENT,
            attempt.attempt_id,
            order_id=order.id,
            attempt_id=attempt.attempt_id,
            details={"amount_cents": attempt.amount_cents, "number": order.number},
        )
        return Settled.LATE
    if order.status is OrderStatus.DRAFT:
        # The charge was made, and paid, before its answer reached us.
        await moving.take(tx, access, order, transitions.AWAIT_PROOF, actor)
        order = await hold(tx, access, order.id)
    await _confirm(tx, access, order, actor, attempt.attempt_id)
    return Settled.NOW


async def confirm(
    tx: AsyncConnection, access: Access, order_id: UUID, actor: Actor
) -> bool:
    """Write that a person has seen the money; false where the order is confirmed already.

    Raises ``InvalidTransitionError`` for an order that is not waiting for it.
    """
    order = await hold(tx, access, order_id)
    if order.status is OrderStatus.CONFIRMED:
        return False
    asked = None if order.attempt_id is None else await attempts.find(tx, order.attempt_id)
    is_by_hand = asked is not None and asked.provider is PaymentProvider.MANUAL
    await _confirm(tx, access, order, actor, order.attempt_id if is_by_hand else None)
    if asked is not None and is_by_hand:
        await attempts.set_paid(tx, asked)
    return True


async def receive_cash(
    tx: AsyncConnection, access: Access, order: Held, actor: Actor
) -> None:
    """Write that cash on delivery was paid, with the delivery itself."""
    if order.payment_method is not PaymentMethod.CASH_ON_DELIVERY or order.paid_at:
        return
    asked = None if order.attempt_id is None else await attempts.find(tx, order.attempt_id)
    if asked is not None:
        await attempts.set_paid(tx, asked)
    await _note_payment(tx, access, order, actor, order.attempt_id)


async def _confirm(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    actor: Actor,
    attempt_id: UUID | None,
) -> None:
    await moving.take(
        tx,
        access,
        order,
        transitions.CONFIRM,
        actor,
        values={"paid_at": clock.now()},
        before=((EventType.PAYMENT_PAID, _paid(order, attempt_id)),),
    )


async def _note_payment(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    actor: Actor,
    attempt_id: UUID | None,
) -> None:
    """Write the one ``payment_paid`` of an order that does not move by it."""
    if order.paid_at is not None:
        return
    await queries.change(tx, access, order.id, {"paid_at": clock.now()})
    event = (EventType.PAYMENT_PAID, _paid(order, attempt_id))
    await moving.add_events(tx, order, actor, event)
    meta = {"number": order.number, "amount_cents": order.total_cents}
    await moving.log(tx, access, "order.paid", order, meta)


async def _paid_twice(tx: AsyncConnection, order: Held, attempt: Attempt) -> Settled:
    if attempt.state is AttemptState.PAID_AGAIN:
        return Settled.TWICE
    await attempts.set_state(tx, attempt.attempt_id, AttemptState.PAID_AGAIN, check_at=None)
    await attention.ask_for(
        tx,
        order.store_id,
        AttentionKind.PAID_TWICE,
        attempt.attempt_id,
        order_id=order.id,
        attempt_id=attempt.attempt_id,
        details={"amount_cents": attempt.amount_cents, "number": order.number},
    )
    return Settled.TWICE


def _paid(order: Held, attempt_id: UUID | None) -> dict[str, object]:
    return {
        "amount_cents": order.total_cents,
        "attempt_id": None if attempt_id is None else str(attempt_id),
    }
