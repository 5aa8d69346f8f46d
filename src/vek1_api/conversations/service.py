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
from vek1_api.conversations.status import Role
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.pagination import is_empty
from vek1_api.leads import service as leads
from vek1_api.stores.errors import StoreNotFoundError


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
    contacts = await _contacts(tx, access, store_id, wanted)
    lead_ids = [_lead(each, contacts) for each in wanted]
    driver = await driver_of(tx)
    answer = await _append(driver, access, store_id, wanted, lead_ids, is_one=is_one)
    if answer is None:
        await _refuse(tx, access, store_id, wanted, "" if is_one else "/messages/{}")
        if await queries.any_erased(driver, store_id, _rows(wanted, lead_ids)):
            raise ErasedPersonError
        # Whatever was foreign a moment ago is not any more.
        raise StoreNotFoundError(store_id)
    return answer


async def append_known(
    driver: Driver,
    access: Access,
    store_id: UUID,
    wanted: Sequence[MessageCreate],
    *,
    is_one: bool = False,
) -> Answer | None:
    """Write messages of leads that are named by their ids, in one statement.

    None, and nothing written, where that will not do: somebody may be new, or foreign.
    """
    lead_ids = [each.lead_id for each in wanted if each.lead_id is not None]
    if len(lead_ids) < len(wanted):
        return None
    return await _append(driver, access, store_id, wanted, lead_ids, is_one=is_one)


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
    if is_empty(body):
        async with database.read() as connection:
            await _assert_in_store(connection, access, store_id, [("/query", filters)])
    return body


async def _append(
    driver: Driver,
    access: Access,
    store_id: UUID,
    wanted: Sequence[MessageCreate],
    lead_ids: Sequence[UUID],
    *,
    is_one: bool,
) -> Answer | None:
    meta = {"messages": len(wanted), "lead_ids": sorted({str(each) for each in lead_ids})}
    rows = await queries.APPEND.rows(
        driver,
        store_id=store_id,
        messages=_rows(wanted, lead_ids),
        **audit_service.values(access, meta),
        **access.owner,
    )
    if not rows:
        return None
    status = 201 if any(row["is_new"] for row in rows) else 200
    bodies = [row["body"] for row in rows]
    body = bodies[0] if is_one else f'{{"items":[{",".join(bodies)}]}}'
    return Answer(status, body, has_etag=False)


async def _contacts(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: Sequence[MessageCreate]
) -> dict[tuple[str, str], UUID]:
    """Return the lead of each contact, made if there is none.

    In one order, so that two batches, or a batch and a merge, never wait crosswise.
    """
    spoke: dict[tuple[str, str], bool] = {}
    for each in wanted:
        if each.channel is not None and each.external_id is not None:
            contact = (each.channel.value, each.external_id)
            spoke[contact] = spoke.get(contact, False) or each.role is Role.USER
    named = {each.lead_id for each in wanted if each.lead_id is not None}
    is_of_many = len(named) + len(spoke) > 1
    if is_of_many:
        await leads.hold(tx, access, store_id, named, spoke)
    return {
        (channel, external_id): (
            await leads.known(
                tx,
                access,
                store_id,
                channel,
                [external_id],
                reply_to=external_id if spoke[channel, external_id] else None,
                is_of_many=is_of_many,
            )
        )[0]
        for channel, external_id in await queries.in_one_order(tx, set(spoke))
    }


def _lead(message: MessageCreate, contacts: dict[tuple[str, str], UUID]) -> UUID:
    if message.lead_id is not None:
        return message.lead_id
    assert message.channel is not None
    assert message.external_id is not None
    return contacts[message.channel.value, message.external_id]


def _rows(
    wanted: Sequence[MessageCreate], lead_ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    return [
        _row(place, message, lead_id)
        for place, (message, lead_id) in enumerate(zip(wanted, lead_ids, strict=True))
    ]


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
    await _assert_in_store(
        tx,
        access,
        store_id,
        [(at.format(place), message) for place, message in enumerate(wanted)],
    )


async def _assert_in_store(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    named: Sequence[tuple[str, MessageCreate | StoreMessageFilters]],
) -> None:
    """Raise ``ForeignReferenceError`` for leads and agents that are not of the store."""
    lead_ids = {
        f"{at}/lead_id": await leads.present_id(tx, each.lead_id)
        for at, each in named
        if each.lead_id is not None
    }
    agent_ids = {
        f"{at}/agent_id": each.agent_id for at, each in named if each.agent_id is not None
    }
    for pointers, model, kind in (
        (lead_ids, leads.MODEL, "lead"),
        (agent_ids, agents.MODEL, "agent"),
    ):
        await assert_in_store(
            tx, access, model, store_id=store_id, pointers=pointers, kind=kind
        )
