"""What the customer is asked to pay: one attempt at a time stands on the order itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.orders import attempts, moving, queries, transitions
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.held import Held
from vek1_api.orders.status import (
    Actor,
    EventType,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
)
from vek1_api.orders.transitions import Step

METHODS = {
    PaymentProvider.ABACATE_PAY: PaymentMethod.PIX_GATEWAY,
    PaymentProvider.MANUAL: PaymentMethod.PIX_MANUAL,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """How an attempt is paid. ``image`` is the code's picture, as an address that holds it."""

    method: PaymentMethod
    provider: PaymentProvider
    external_id: str | None = None
    br_code: str | None = None
    image: str | None = None
    expires_at: datetime | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The order's columns that show it."""
        return {
            "payment_method": self.method,
            "payment_provider": self.provider,
            "payment_external_id": self.external_id,
            "payment_br_code": self.br_code,
            "payment_br_code_image": self.image,
            "payment_expires_at": self.expires_at,
        }


def pix(attempt: Attempt, image: str | None) -> Offer:
    """Return the offer of an attempt that is paid by PIX."""
    return Offer(
        METHODS[attempt.provider],
        attempt.provider,
        attempt.external_id,
        attempt.br_code,
        image,
        attempt.expires_at,
    )


async def offer(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    attempt: Attempt,
    shown: Offer,
    actor: Actor,
    step: Step = transitions.AWAIT_PROOF,
) -> None:
    """Ask the customer to pay an attempt: a draft waits from now on, or is confirmed for cash.

    Raises ``InvalidTransitionError`` for an order that is neither draft nor waiting.
    """
    data = {"method": shown.method, "attempt_id": str(attempt.attempt_id)}
    event = (
        EventType.PAYMENT_INITIALIZED,
        data | {"amount_cents": attempt.amount_cents},
    )
    await attempts.show(tx, order.id, attempt.attempt_id)
    if await moving.take(
        tx, access, order, step, actor, values=shown.columns, before=(event,)
    ):
        return
    await queries.change(tx, access, order.id, shown.columns)
    await moving.add_events(tx, order, actor, event)
    meta = {"number": order.number, **data}
    await moving.log(tx, access, "order.payment_changed", order, meta)


async def show_paid(
    tx: AsyncConnection, access: Access, order: Held, attempt: Attempt
) -> None:
    """Show the attempt that was paid, should the order ask for another one by now."""
    if order.attempt_id == attempt.attempt_id:
        return
    await attempts.show(tx, order.id, attempt.attempt_id)
    await queries.change(tx, access, order.id, pix(attempt, None).columns)


def is_offered(order: Held, attempt: Attempt) -> bool:
    """Return whether the customer is asked to pay this very attempt."""
    waits = order.status in {OrderStatus.AWAITING_PROOF, OrderStatus.PROOF_RECEIVED}
    return waits and order.attempt_id == attempt.attempt_id
