"""Leads of a store."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.answers import page, respond
from vek1_api.core.errors import ForeignReferenceError, PreconditionFailedError
from vek1_api.core.pagination import Paging, numbered_page, place_of
from vek1_api.core.problems import responses
from vek1_api.leads import profiles, service
from vek1_api.leads.errors import LeadNotFoundError, UnknownStatusError
from vek1_api.leads.schemas import (
    LeadEventCreate,
    LeadEventFilters,
    LeadEventPage,
    LeadEventRead,
    LeadFilters,
    LeadMergeRequest,
    LeadPage,
    LeadRead,
    LeadUpdate,
    LeadUpsert,
    ProfilePage,
    ProfileUpdate,
)
from vek1_api.leads.search_schemas import LeadSearchQuery, LeadSearchResult
from vek1_api.stores.errors import StoreNotFoundError

LAST_VERSION = 2**31 - 1

router = APIRouter(prefix="/v1", tags=["Leads"])


@router.get(
    "/stores/{store_id}/leads",
    response_model=LeadPage,
    responses=responses(StoreNotFoundError),
)
async def list_leads(
    read: Read, store_id: UUID, filters: Annotated[LeadFilters, Query()]
) -> Response:
    """List a store's leads, newest first."""
    return read.page(await service.page(read.database, read.access, store_id, filters))


@router.post(
    "/stores/{store_id}/leads",
    status_code=201,
    response_model=LeadRead,
    responses={
        200: {"model": LeadRead, "description": "The person was known already."},
        **responses(StoreNotFoundError, UnknownStatusError),
    },
)
async def upsert_lead(write: Write, store_id: UUID, body: LeadUpsert) -> Response:
    """Write down who came in touch: 201 a new lead, 200 the one that the person is already.

    Ids of WhatsApp are normalised (digits, country code, Brazil's ninth digit), so that one
    person is one lead however the number is spelled.
    """
    return await write.at_once(
        lambda driver: service.upsert_at_once(driver, write.access, store_id, body),
        lambda tx: service.upsert(tx, write.access, store_id, body),
    )


@router.get(
    "/leads/{lead_id}", response_model=LeadRead, responses=responses(LeadNotFoundError)
)
async def get_lead(read: Read, lead_id: UUID) -> Response:
    """Get a lead; the id of one that was merged gives the lead it was joined to."""
    return read.one(await service.get(read.database, read.access, lead_id))


@router.patch(
    "/leads/{lead_id}",
    response_model=LeadRead,
    responses=responses(LeadNotFoundError, UnknownStatusError, PreconditionFailedError),
)
async def update_lead(write: Write, lead_id: UUID, body: LeadUpdate) -> Response:
    """Change a lead; a change of status is an event."""
    return await write(
        lambda tx: service.update(tx, write.access, lead_id, body, if_match=write.if_match)
    )


@router.post(
    "/leads/{lead_id}/merge",
    response_model=LeadRead,
    responses=responses(LeadNotFoundError, ForeignReferenceError),
)
async def merge_lead(write: Write, lead_id: UUID, body: LeadMergeRequest) -> Response:
    """Join another lead of the store to this one: history, events, orders, counters.

    The id of the other goes on resolving, to this one.
    """
    return await write(lambda tx: service.merge(tx, write.access, lead_id, body.lead_id))


@router.get(
    "/leads/{lead_id}/events",
    response_model=LeadEventPage,
    responses=responses(LeadNotFoundError),
)
async def list_lead_events(
    read: Read, lead_id: UUID, filters: Annotated[LeadEventFilters, Query()]
) -> Response:
    """List what happened to a lead, newest first."""
    return read.page(await service.events(read.database, read.access, lead_id, filters))


@router.post(
    "/leads/{lead_id}/events",
    status_code=201,
    response_model=LeadEventRead,
    responses=responses(LeadNotFoundError, ForeignReferenceError),
)
async def add_lead_event(write: Write, lead_id: UUID, body: LeadEventCreate) -> Response:
    """Write that something happened to a lead."""
    return await write(lambda tx: service.add_event(tx, write.access, lead_id, body))


@router.put(
    "/leads/{lead_id}/profile",
    response_model=LeadRead,
    responses=responses(LeadNotFoundError, ForeignReferenceError, PreconditionFailedError),
)
async def put_lead_profile(write: Write, lead_id: UUID, body: ProfileUpdate) -> Response:
    """Write what an agent remembers of a person; the version before is kept.

    Embedded by a job, so that `POST /v1/stores/{store_id}/leads/search` finds it.
    """
    return await write(
        lambda tx: profiles.remember(
            tx, write.access, lead_id, body, if_match=write.if_match
        )
    )


@router.get(
    "/leads/{lead_id}/profile",
    response_model=LeadRead,
    responses=responses(LeadNotFoundError),
)
async def get_lead_profile(read: Read, lead_id: UUID) -> Response:
    """Get a lead with what is remembered of them now, as `PUT` answers it."""
    return read.one(await service.get(read.database, read.access, lead_id))


@router.get(
    "/leads/{lead_id}/profile/versions",
    response_model=ProfilePage,
    responses=responses(LeadNotFoundError),
)
async def list_profile_versions(
    read: Read, lead_id: UUID, paging: Annotated[Paging, Query()]
) -> Response:
    """List the versions of what is remembered of a person, newest first."""
    before = LAST_VERSION if paging.cursor is None else place_of(paging.cursor)
    rows = await profiles.versions(
        read.database, read.access, lead_id, before=before, limit=paging.limit
    )
    return page(numbered_page(rows, paging.limit))


@router.post(
    "/stores/{store_id}/leads/search",
    response_model=LeadSearchResult,
    responses=responses(StoreNotFoundError),
)
async def search_leads(write: Write, store_id: UUID, body: LeadSearchQuery) -> Response:
    """Find leads by what is remembered of them, with ordinary filters beside it."""
    claim = await write.claim()
    if known := await write.replayed(claim):
        return respond(known, replayed=True)
    found = await profiles.search(write.resources, write.access, store_id, body)
    return (
        page(found) if claim is None else await write(lambda _tx: profiles.as_answer(found))
    )
