"""Writing down what was said, and reading it back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.agents import service as agents
from vek1_api.audit import service as audit_service
from vek1_api.conversations import queries
from vek1_api.conversations.errors import ErasedPersonError
from vek1_api.conversations.schemas import (
    MessageCreate,
    MessageFilters,
    StoreMessageFilters,
)
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.pagination import is_empty
from vek1_api.leads import service as leads


async def append(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: Sequence[MessageCreate],
    *,
    is_one: bool = False,
) -> Answer:
    """Write messages in their order; one that its provider's id names already stays as it is.

    A lead that is named by its contact is made if there is none. Counters and contact times
    of the leads follow by trigger. Raises ``ForeignReferenceError`` for a lead or an agent
    of another store and ``ErasedPersonError`` for what a forgotten person said before.
    """
    at = "" if is_one else "/messages/{}"
    lead_ids = [await _lead(tx, access, store_id, each) for each in wanted]
    meta = {"messages": len(wanted), "lead_ids": sorted({str(each) for each in lead_ids})}
    rows = await queries.APPEND.rows(
        await driver_of(tx),
        store_id=store_id,
        messages=[
            _row(place, message, lead_id)
            for place, (message, lead_id) in enumerate(zip(wanted, lead_ids, strict=True))
        ],
        **audit_service.values(access, meta),
        **access.owner,
    )
    if not rows:
        await _refuse(tx, access, store_id, wanted, at)
    added = any(row["is_new"] for row in rows)
    bodies = [row["body"] for row in rows]
    if is_one:
        return Answer(201 if added else 200, bodies[0], has_etag=False)
    items = ",".join(bodies)
    return Answer(201 if added else 200, f'{{"items":[{items}]}}', has_etag=False)


async def page_of_lead(
    database: Database,
    access: Access,
    lead_id: UUID,
    filters: MessageFilters,
) -> bytes:
    """Return a page of what a lead and the store said to each other, newest first."""
    pages = queries.OF_LEAD.of(include_debug=filters.include_debug)
    async with database.driver() as driver:
        body = await pages.fetch(driver, filters, row_id=lead_id, **access.owner)
    if is_empty(body):
        await leads.get(database, access, lead_id)
    return body


async def page_of_agent(
    database: Database,
    access: Access,
    agent_id: UUID,
    filters: MessageFilters,
) -> bytes:
    """Return a page of what was said with an agent, newest first."""
    pages = queries.OF_AGENT.of(include_debug=filters.include_debug)
    async with database.driver() as driver:
        body = await pages.fetch(driver, filters, row_id=agent_id, **access.owner)
    if is_empty(body):
        await agents.get(database, access, agent_id)
    return body


async def page_of_store(
    database: Database,
    access: Access,
    store_id: UUID,
    filters: StoreMessageFilters,
) -> bytes:
    """Return a page of a store's messages, newest first."""
    pages = queries.OF_STORE.of(include_debug=filters.include_debug)
    async with database.driver() as driver:
        body = await pages.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def _lead(
    tx: AsyncConnection, access: Access, store_id: UUID, message: MessageCreate
) -> UUID:
    if message.lead_id is not None:
        return message.lead_id
    assert message.channel is not None
    assert message.external_id is not None
    reply_to = message.external_id if message.role == "user" else None
    lead_id, _ = await leads.known(
        tx, access, store_id, message.channel, [message.external_id], reply_to=reply_to
    )
    # Only now: an erasure that was on its way has ended.
    if message.timestamp is not None and await queries.was_erased(
        tx, store_id, message.channel, message.external_id, message.timestamp
    ):
        raise ErasedPersonError
    return lead_id


def _row(place: int, message: MessageCreate, lead_id: UUID) -> dict[str, Any]:
    metadata = message.metadata
    if message.provider_message_id is not None:
        metadata = (metadata or {}) | {"provider_message_id": message.provider_message_id}
    at = message.timestamp
    return {
        "place": place,
        "lead_id": lead_id,
        "agent_id": message.agent_id,
        "role": message.role,
        "content": message.content,
        "metadata": metadata,
        "at": None if at is None else at.replace(tzinfo=None).isoformat(),
        "provider_message_id": message.provider_message_id,
    }


async def _refuse(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: Sequence[MessageCreate],
    at: str,
) -> None:
    """Raise the reason why nothing was written."""
    await assert_owns_store(await driver_of(tx), access, store_id)
    for name, model, kind in (
        ("lead_id", leads.MODEL, "lead"),
        ("agent_id", agents.MODEL, "agent"),
    ):
        pointers = {
            f"{at.format(place)}/{name}": getattr(message, name)
            for place, message in enumerate(wanted)
            if getattr(message, name) is not None
        }
        await assert_in_store(
            tx, access, model, store_id=store_id, pointers=pointers, kind=kind
        )
