"""What a proof of payment does to its order. The proofs themselves are ``proofs``' own."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.db import driver_of
from vek1_api.orders import moving, proving_queries, queries, transitions
from vek1_api.orders.held import Held
from vek1_api.orders.status import Actor, OrderStatus


async def receive(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    actor: Actor,
    *,
    review: str,
    **columns: Any,
) -> int:
    """Write that another version of an order's proof came, and return its number.

    The first one takes the order to ``proof_received``, a further one leaves it there.
    ``columns`` are those of the order that describe the newest proof, without their
    ``proof_``. Raises ``InvalidTransitionError`` for an order that waits for none.
    """
    version = order.proof_versions + 1
    data: dict[str, Any] = {"version": version}
    values = {f"proof_{name}": value for name, value in columns.items()}
    values["proof_received_at"] = clock.now()
    step = transitions.RECEIVE_PROOF
    if order.status is OrderStatus.PROOF_RECEIVED:
        await queries.change(tx, access, order.id, values)
        await moving.add_events(tx, order, actor, (step.event, step.data | data))
        await moving.log(tx, access, step.action, order, {"number": order.number, **data})
    else:
        await moving.take(tx, access, order, step, actor, values=values, data=data)
    await proving_queries.NOTE_VERSION.row(
        await driver_of(tx), row_id=order.id, version=version, review=review
    )
    return version


async def note_review(tx: AsyncConnection, order: Held, review: str) -> None:
    """Write what a person made of an order's proof."""
    await proving_queries.NOTE_REVIEW.row(
        await driver_of(tx), row_id=order.id, review=review
    )
