"""An order in hand: locked, so that whoever decides about it decides alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access, Credential
from vek1_api.core.db import driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.orders import queries
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.status import (
    Actor,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
    Source,
)


@dataclass(frozen=True, slots=True)
class Held:
    """What is decided by: an order whose row is locked until the transaction ends."""

    id: UUID
    store_id: UUID
    lead_id: UUID | None
    agent_id: UUID | None
    number: int
    status: OrderStatus
    source: Source
    payment_method: PaymentMethod | None
    payment_provider: PaymentProvider | None
    payment_br_code: str | None
    total_cents: int
    shipping_cents: int
    discount_cents: int
    paid_at: datetime | None
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    customer_tax_id: str | None
    attempt_id: UUID | None
    """The attempt that the customer is asked to pay."""
    paid_attempt_id: UUID | None
    proof_versions: int
    proof_review: str | None


async def hold(tx: AsyncConnection, access: Access, order_id: UUID) -> Held:
    """Lock an order, or raise ``OrderNotFoundError``."""
    driver = await driver_of(tx)
    row = await queries.LOCK.row(driver, row_id=order_id, **access.owner)
    if row is None:
        raise OrderNotFoundError(order_id)
    # After the lock: then nothing is older than the order.
    state = await queries.STATE.row(driver, row_id=order_id)
    values: dict[str, Any] = dict(row) | (dict(state) if state else _NO_STATE)
    return Held(
        **values
        | {
            "status": OrderStatus(values["status"]),
            "source": Source(values["source"]),
            "payment_method": _maybe(PaymentMethod, values["payment_method"]),
            "payment_provider": _maybe(PaymentProvider, values["payment_provider"]),
        }
    )


async def hold_if(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Held:
    """Lock an order as ``hold`` does; raise ``PreconditionFailedError`` if it has changed."""
    order = await hold(tx, access, order_id)
    if if_match.header is not None:
        if_match.check(await body_of(tx, access, order_id, api_url))
    return order


async def body_of(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str
) -> Json:
    """Return an order as callers see it; ``api_url`` is where its pictures are."""
    row = await queries.GET.row(
        await driver_of(tx), row_id=order_id, api_url=api_url, **access.owner
    )
    if row is None:
        raise OrderNotFoundError(order_id)
    return str(row["body"])


def actor_of(access: Access, source: Source = Source.MANUAL) -> Actor:
    """Return who acts, in the seed's words.

    The service token speaks for the front end and for the agent runtime alike: what an
    agent's order is asked for with it counts as the agent's doing.
    """
    if access.credential is Credential.SYSTEM:
        return Actor.SYSTEM
    is_agent = source is Source.AGENT and access.credential is Credential.SERVICE_TOKEN
    return Actor.AGENT if is_agent else Actor.USER


_NO_STATE = {
    "attempt_id": None,
    "paid_attempt_id": None,
    "proof_versions": 0,
    "proof_review": None,
}


def _maybe(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)
