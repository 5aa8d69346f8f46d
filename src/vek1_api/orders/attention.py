"""What a person must look at: money that does not fit its order. Each thing is there once."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.pagination import is_empty
from vek1_api.orders import attention_queries as queries
from vek1_api.orders.attention_schemas import AttentionFilters, AttentionKind
from vek1_api.orders.errors import AttentionNotFoundError

__all__ = ["AttentionKind", "ask_for", "page", "settle", "settle_attempt", "tick_off"]


async def ask_for(  # noqa: PLR0913 - the columns of a row.
    tx: AsyncConnection,
    store_id: UUID,
    kind: AttentionKind,
    subject: object,
    *,
    order_id: UUID | None = None,
    attempt_id: UUID | None = None,
    details: dict[str, Any] | None = None,
    is_news: bool = False,
) -> bool:
    """Write that a person must look; false where it was written before.

    ``is_news`` opens again what was resolved: it has happened again.

    ``subject`` is what makes it one thing: a charge, an order, an event. ``details`` are
    amounts and ids, nobody's name.
    """
    statement = queries.ADD_AGAIN if is_news else queries.ADD
    row = await statement.row(
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


async def settle_attempt(tx: AsyncConnection, attempt_id: UUID) -> None:
    """Write that there is nothing left to look at about an attempt: its money went back."""
    await queries.RESOLVE_ATTEMPT.rows(await driver_of(tx), attempt_id=attempt_id)


async def page(
    database: Database, access: Access, store_id: UUID, filters: AttentionFilters
) -> bytes:
    """Return a page of what a store's people must look at, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def tick_off(
    tx: AsyncConnection, access: Access, store_id: UUID, attention_id: UUID
) -> Answer:
    """Write that a person has dealt with it; a second time changes nothing."""
    driver = await driver_of(tx)
    await assert_owns_store(driver, access, store_id)
    bound = {"store_id": store_id, "attention_id": attention_id, **access.owner}
    done = await queries.TICK_OFF.row(driver, **bound)
    shown = await queries.GET.row(driver, **bound)
    if shown is None:
        raise AttentionNotFoundError(attention_id)
    if done is not None:
        meta = {
            "kind": done["kind"],
            "order_id": done["order_id"] and str(done["order_id"]),
        }
        await audit_service.log_audit(
            tx,
            access,
            "attention.resolved",
            "attention",
            attention_id,
            store_id=store_id,
            meta=meta,
        )
    return Answer(200, str(shown["body"]))
