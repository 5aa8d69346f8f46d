"""What a person may ask about their own data, and how long a store keeps it (LGPD)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.answers import JSON
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.core.storage import attachment
from vek1_api.leads.errors import LeadNotFoundError
from vek1_api.privacy import erasing, exporting, service
from vek1_api.privacy.export_schemas import LeadExportResult
from vek1_api.privacy.schemas import PrivacyRead, PrivacyReplace, RetentionResult
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Privacy"])

DryRun = Annotated[bool, Query(description="Only count; nothing is removed.")]


@router.get(
    "/leads/{lead_id}/export",
    response_model=LeadExportResult,
    responses=responses(LeadNotFoundError),
)
async def export_lead(read: Read, lead_id: UUID) -> StreamingResponse:
    """Get everything that is held about a person, as one JSON.

    Links to files live ten minutes. Who took the copy is written to the audit log.
    """
    lead = await exporting.start(read.database, read.access, lead_id)
    return StreamingResponse(
        exporting.document(read.resources, read.access, lead),
        media_type=JSON,
        headers={"Content-Disposition": attachment(f"lead-{lead_id}.json")},
    )


@router.delete(
    "/leads/{lead_id}",
    status_code=204,
    responses=responses(LeadNotFoundError, PreconditionFailedError),
)
async def erase_lead(write: Write, lead_id: UUID) -> Response:
    """Erase a person (LGPD): messages, memory, files, ids; it cannot be undone.

    Orders stay, with the personal fields blank. Who writes again is a new lead.
    """
    return await write(
        lambda tx: erasing.erase(tx, write.access, lead_id, if_match=write.if_match)
    )


@router.get(
    "/stores/{store_id}/privacy",
    response_model=PrivacyRead,
    responses=responses(StoreNotFoundError),
)
async def get_privacy(read: Read, store_id: UUID) -> Response:
    """Get how long a store keeps people's data."""
    return read.one(await service.get(read.database, read.access, store_id))


@router.put(
    "/stores/{store_id}/privacy",
    response_model=PrivacyRead,
    responses=responses(StoreNotFoundError, PreconditionFailedError),
)
async def replace_privacy(write: Write, store_id: UUID, body: PrivacyReplace) -> Response:
    """Set how long a store keeps people's data; applied every night.

    See first what would go, with `POST /v1/stores/{store_id}/privacy/run?dry_run=true`.
    """
    return await write(
        lambda tx: service.replace(
            tx, write.access, store_id, body, if_match=write.if_match
        )
    )


@router.post(
    "/stores/{store_id}/privacy/run",
    status_code=202,
    response_model=RetentionResult,
    responses={
        200: {"model": RetentionResult, "description": "A dry run: what would go."},
        **responses(StoreNotFoundError),
    },
)
async def run_retention(
    write: Write,
    store_id: UUID,
    dry_run: DryRun = False,  # noqa: FBT002 - A query parameter, given by name.
) -> Response:
    """Remove now what is older than the store's periods; a job does it.

    People with an order in progress, or with one that changed within the period, stay.
    """
    return await write(
        lambda tx: service.run(tx, write.access, store_id, is_dry_run=dry_run)
    )
