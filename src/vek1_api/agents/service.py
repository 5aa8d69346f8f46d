"""Making, changing and removing agents."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.agents import queries
from vek1_api.agents.errors import AgentNotFoundError
from vek1_api.agents.models import Agent
from vek1_api.agents.schemas import AgentCreate, AgentFilters, AgentUpdate
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.pagination import is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json

MODEL = Agent
"""For ``access.grants.assert_in_store``, where a request refers to agents."""


async def page(
    database: Database, access: Access, store_id: UUID, filters: AgentFilters
) -> bytes:
    """Return a page of a store's agents, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def get(database: Database, access: Access, agent_id: UUID) -> Json:
    """Return an agent, or raise ``AgentNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(driver, row_id=agent_id, **access.owner)
    if row is None:
        raise AgentNotFoundError(agent_id)
    return str(row["body"])


async def create(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: AgentCreate
) -> Answer:
    """Add an agent to a store."""
    await assert_owns_store(await driver_of(tx), access, store_id)
    body = await queries.add(tx, wanted.model_dump() | {"store_id": store_id})
    agent_id = orjson.loads(body)["id"]
    await _log(tx, access, "agent.created", agent_id, store_id)
    return Answer(201, body)


async def update(
    tx: AsyncConnection,
    access: Access,
    agent_id: UUID,
    wanted: AgentUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent."""
    before = await _lock(tx, access, agent_id)
    if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, wanted.changes())
    if not values:
        return Answer(200, before)
    after = await queries.change(tx, access, agent_id, values)
    meta = audit_service.changed(old, values)
    await _log(tx, access, "agent.updated", agent_id, UUID(old["store_id"]), meta)
    return Answer(200, after)


async def delete(
    tx: AsyncConnection, access: Access, agent_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Remove an agent; its conversations and orders stay, without the link."""
    before = await _lock(tx, access, agent_id)
    if_match.check(before)
    await queries.remove(tx, access, agent_id)
    store_id = UUID(orjson.loads(before)["store_id"])
    await _log(tx, access, "agent.deleted", agent_id, store_id)
    return Answer(204)


async def lock(tx: AsyncConnection, access: Access, agent_id: UUID) -> UUID:
    """Return the store of an agent that stays as it is until the transaction ends.

    Raises ``AgentNotFoundError`` for one out of reach.
    """
    return UUID(orjson.loads(await _lock(tx, access, agent_id))["store_id"])


async def _lock(tx: AsyncConnection, access: Access, agent_id: UUID) -> Json:
    body = await queries.lock(tx, access, agent_id)
    if body is None:
        raise AgentNotFoundError(agent_id)
    return body


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    agent_id: object,
    store_id: UUID,
    meta: dict[str, Any] | None = None,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "agent", agent_id, store_id=store_id, meta=meta
    )
