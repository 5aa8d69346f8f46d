"""Agents of a store."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.agents import service
from vek1_api.agents.errors import AgentNotFoundError
from vek1_api.agents.schemas import (
    AgentCreate,
    AgentFilters,
    AgentPage,
    AgentRead,
    AgentUpdate,
)
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Agents"])


@router.get(
    "/stores/{store_id}/agents",
    response_model=AgentPage,
    responses=responses(StoreNotFoundError),
)
async def list_agents(
    read: Read, store_id: UUID, filters: Annotated[AgentFilters, Query()]
) -> Response:
    """List a store's agents, newest first."""
    return read.page(await service.page(read.database, read.access, store_id, filters))


@router.post(
    "/stores/{store_id}/agents",
    status_code=201,
    response_model=AgentRead,
    responses=responses(StoreNotFoundError),
)
async def create_agent(write: Write, store_id: UUID, body: AgentCreate) -> Response:
    """Add an agent to a store."""
    return await write(lambda tx: service.create(tx, write.access, store_id, body))


@router.get(
    "/agents/{agent_id}", response_model=AgentRead, responses=responses(AgentNotFoundError)
)
async def get_agent(read: Read, agent_id: UUID) -> Response:
    """Get an agent."""
    return read.one(await service.get(read.database, read.access, agent_id))


@router.patch(
    "/agents/{agent_id}",
    response_model=AgentRead,
    responses=responses(AgentNotFoundError, PreconditionFailedError),
)
async def update_agent(write: Write, agent_id: UUID, body: AgentUpdate) -> Response:
    """Change an agent."""
    return await write(
        lambda tx: service.update(tx, write.access, agent_id, body, if_match=write.if_match)
    )


@router.delete(
    "/agents/{agent_id}",
    status_code=204,
    responses=responses(AgentNotFoundError, PreconditionFailedError),
)
async def delete_agent(write: Write, agent_id: UUID) -> Response:
    """Remove an agent; its conversations and orders stay, without the link."""
    return await write(
        lambda tx: service.delete(tx, write.access, agent_id, if_match=write.if_match)
    )
