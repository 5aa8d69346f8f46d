"""Taking a step: guarded by the table of transitions, with its event and its audit entry."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import clock
from vek1_api.core.db import driver_of
from vek1_api.orders import queries
from vek1_api.orders.errors import InvalidTransitionError
from vek1_api.orders.held import Held
from vek1_api.orders.status import Actor, EventType, OrderStatus
from vek1_api.orders.transitions import Step, allowed_from, ways_to

Event = tuple[EventType, dict[str, Any]]


async def take(  # noqa: PLR0913 - who, what, and what goes with it.
    tx: AsyncConnection,
    access: Access,
    order: Held,
    step: Step,
    actor: Actor,
    *,
    values: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    before: tuple[Event, ...] = (),
) -> bool:
    """Take a step, or return false where the order is there already.

    ``values`` are columns that change with it, ``data`` what its event adds, ``before`` events
    that come first. Raises ``InvalidTransitionError`` where the table does not allow it.
    """
    if order.status is step.target:
        return False
    if order.status not in step.sources:
        raise refused(order.status, step.target)
    happened = {} if step.at is None else {step.at: clock.now()}
    changed = {"status": step.target.value, **happened, **(values or {})}
    await queries.change(tx, access, order.id, changed)
    event = (step.event, step.data | (data or {}))
    await add_events(tx, order, actor, *before, event)
    meta = {"number": order.number, "status": [order.status, step.target]}
    await log(tx, access, step.action, order, meta)
    return True


def refused(status: OrderStatus, target: OrderStatus) -> InvalidTransitionError:
    """Return the error that says what an order of this status may become instead."""
    ways = ways_to(target, status)
    return InvalidTransitionError(status, target, allowed_from(status), ways)


async def add_events(
    tx: AsyncConnection, order: Held, actor: Actor, *events: Event
) -> None:
    """Write what happened to an order, in this order."""
    rows = [{"type": kind, "actor": actor, "data": data or None} for kind, data in events]
    await queries.ADD_EVENTS.rows(await driver_of(tx), row_id=order.id, events=rows)


async def log(
    tx: AsyncConnection, access: Access, action: str, order: Held, meta: dict[str, Any]
) -> None:
    """Write an entry of the audit log about an order; ``meta`` names nobody."""
    await audit_service.log_audit(
        tx, access, action, "order", order.id, store_id=order.store_id, meta=meta
    )
