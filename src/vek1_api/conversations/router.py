"""Conversations of a store."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.agents.errors import AgentNotFoundError
from vek1_api.conversations import intake, service
from vek1_api.conversations.errors import ErasedPersonError
from vek1_api.conversations.intake import Sent
from vek1_api.conversations.schemas import (
    AppendedMessages,
    MessageCreate,
    MessageFilters,
    MessagePage,
    MessageRead,
    StoreMessageFilters,
)
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.problems import responses
from vek1_api.leads.errors import LeadNotFoundError
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Conversations"])


@router.post(
    "/stores/{store_id}/messages",
    status_code=201,
    response_model=MessageRead | AppendedMessages,
    responses={
        200: {
            "model": MessageRead | AppendedMessages,
            "description": "All of it was known already, by its `provider_message_id`.",
        },
        **responses(StoreNotFoundError, ForeignReferenceError, ErasedPersonError),
    },
    openapi_extra=intake.OPENAPI,
)
async def append_messages(write: Write, store_id: UUID, sent: Sent) -> Response:
    """Write down what was said: one message, or many in their order, all or none.

    A known `provider_message_id` is answered with the message that it already is.
    """
    is_one = isinstance(sent, MessageCreate)
    many = [sent] if isinstance(sent, MessageCreate) else sent.messages
    return await write.at_once(
        lambda driver: service.append_known(
            driver, write.access, store_id, many, is_one=is_one
        ),
        lambda tx: service.append(tx, write.access, store_id, many, is_one=is_one),
    )


@router.get(
    "/stores/{store_id}/messages",
    response_model=MessagePage,
    responses=responses(StoreNotFoundError),
)
async def list_messages(
    read: Read,
    store_id: UUID,
    filters: Annotated[StoreMessageFilters, Query()],
) -> Response:
    """List or search what was said in a store, newest first."""
    return read.page(
        await service.page_of_store(read.database, read.access, store_id, filters)
    )


@router.get(
    "/leads/{lead_id}/messages",
    response_model=MessagePage,
    responses=responses(LeadNotFoundError),
)
async def list_lead_messages(
    read: Read,
    lead_id: UUID,
    filters: Annotated[MessageFilters, Query()],
) -> Response:
    """List what a lead and the store said to each other, newest first."""
    return read.page(
        await service.page_of_lead(read.database, read.access, lead_id, filters)
    )


@router.get(
    "/agents/{agent_id}/messages",
    response_model=MessagePage,
    responses=responses(AgentNotFoundError),
)
async def list_agent_messages(
    read: Read,
    agent_id: UUID,
    filters: Annotated[MessageFilters, Query()],
) -> Response:
    """List what was said with an agent, newest first."""
    return read.page(
        await service.page_of_agent(read.database, read.access, agent_id, filters)
    )
