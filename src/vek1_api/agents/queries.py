"""The statements of agents."""

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import scoped, scoped_delete, scoped_update
from vek1_api.agents.models import Agent
from vek1_api.agents.schemas import AgentRead
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, row_object

AGENT = row_object(Agent, AgentRead)

GET = HotStatement(scoped(Agent, AGENT).where(Agent.id == bindparam("row_id", type_=Uuid)))

PAGE = PageQuery(
    scoped(Agent, AGENT).where(Agent.store_id == bindparam("store_id", type_=Uuid)),
    at=Agent.created_at,
    row_id=Agent.id,
    filters={
        "active": Agent.active == bindparam("active", type_=Boolean),
        "type": Agent.type == bindparam("type", type_=Text),
    },
)


async def lock(tx: AsyncConnection, access: Access, agent_id: UUID) -> Json | None:
    """Return the agent as JSON, locked against other changes."""
    statement = scoped(Agent, AGENT).where(Agent.id == agent_id)
    locked = statement.with_for_update(of=Agent, key_share=True)
    body: Json | None = await tx.scalar(locked, access.owner)
    return body


async def add(tx: AsyncConnection, values: dict[str, Any]) -> Json:
    """Add an agent and return it."""
    return str(await tx.scalar(insert(Agent).values(**values).returning(AGENT)))


async def change(
    tx: AsyncConnection, access: Access, agent_id: UUID, values: dict[str, Any]
) -> Json:
    """Change an agent and return it."""
    statement = scoped_update(Agent).where(Agent.id == agent_id).values(**values)
    return str(await tx.scalar(statement.returning(AGENT), access.owner))


async def remove(tx: AsyncConnection, access: Access, agent_id: UUID) -> None:
    """Delete an agent."""
    await tx.execute(scoped_delete(Agent).where(Agent.id == agent_id), access.owner)
