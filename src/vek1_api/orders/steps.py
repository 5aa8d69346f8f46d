"""What a person does to an order: confirm, ship, fulfil, cancel; and drafts that nobody wants."""

from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.orders import (
    attempts,
    attention,
    expiry_queries,
    held,
    moving,
    queries,
    settling,
    transitions,
)
from vek1_api.orders.attention import AttentionKind
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.held import Held, actor_of
from vek1_api.orders.status import (
    Actor,
    AttemptState,
    PaymentProvider,
)

log = structlog.get_logger()


async def confirm(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Confirm an order whose payment a person has seen."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    await settling.confirm(tx, access, order_id, actor_of(access))
    return await _answer(tx, access, order, api_url)


async def ship(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Write that an order is on its way."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    await moving.take(tx, access, order, transitions.SHIP, actor_of(access))
    return await _answer(tx, access, order, api_url)


async def fulfill(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Write that an order has arrived; cash on delivery is paid by that."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    actor = actor_of(access)
    if await moving.take(tx, access, order, transitions.FULFILL, actor):
        await settling.receive_cash(tx, access, order, actor)
    return await _answer(tx, access, order, api_url)


async def cancel(
    tx: AsyncConnection,
    access: Access,
    order_id: UUID,
    reason: str | None,
    api_url: str,
    if_match: IfMatch,
) -> Answer:
    """Cancel an order and give its stock back, once."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    data = {} if reason is None else {"reason": reason}
    await _cancel(tx, access, order, actor_of(access), data)
    return await _answer(tx, access, order, api_url)


async def expire_drafts(database: Database, limit: int = 200) -> int:
    """Cancel the drafts that nobody has touched for as long as their company says.

    Each in a transaction of its own, which looks again: it may have been paid meanwhile. One
    that cannot be cancelled does not keep the others waiting.
    """
    async with database.read() as connection:
        stale = await expiry_queries.stale_drafts(connection, limit)
    for order_id, company_id in stale:
        try:
            await _expire(database, order_id, accesses.system(company_id))
        except (DBAPIError, asyncpg.PostgresError):
            log.exception("draft_not_expired", order_id=order_id)
    return len(stale)


async def _expire(database: Database, order_id: UUID, access: Access) -> None:
    async with database.transaction() as tx:
        try:
            order = await held.hold(tx, access, order_id)
        except OrderNotFoundError:
            return
        if await expiry_queries.is_stale(tx, order_id):
            data = {"reason": "draft_expired"}
            await _cancel(tx, access, order, Actor.SYSTEM, data)


async def _cancel(
    tx: AsyncConnection, access: Access, order: Held, actor: Actor, data: dict[str, Any]
) -> None:
    if not await moving.take(tx, access, order, transitions.CANCEL, actor, data=data):
        return
    await queries.RELEASE.row(await driver_of(tx), row_id=order.id)
    asked = None if order.attempt_id is None else await attempts.find(tx, order.attempt_id)
    # A charge at the gateway stays payable until it expires, so it goes on being watched.
    if (
        asked is not None
        and asked.provider is PaymentProvider.MANUAL
        and asked.state is AttemptState.OPEN
    ):
        await attempts.set_state(tx, asked.attempt_id, AttemptState.FAILED)
    was_paid = order.paid_at is not None
    if was_paid and not _is_refunded(asked):
        await attention.ask_for(
            tx,
            order.store_id,
            AttentionKind.REFUND_DUE,
            order.id,
            order_id=order.id,
            attempt_id=order.paid_attempt_id,
            details={"amount_cents": order.total_cents, "number": order.number},
        )


def _is_refunded(asked: attempts.Attempt | None) -> bool:
    return asked is not None and asked.state is AttemptState.REFUNDED


async def _answer(tx: AsyncConnection, access: Access, order: Held, api_url: str) -> Answer:
    return Answer(200, await held.body_of(tx, access, order.id, api_url))
