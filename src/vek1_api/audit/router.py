"""Reading the audit trail, and the front end's own events."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import reported
from vek1_api.access.dependencies import Read, ServiceCall
from vek1_api.audit import service
from vek1_api.audit.schemas import AuditEntryRead, AuditEventCreate, AuditFilters, AuditPage
from vek1_api.core.answers import Answer

router = APIRouter(tags=["Audit"])


@router.get("/v1/audit", response_model=AuditPage)
async def list_audit_entries(
    read: Read, filters: Annotated[AuditFilters, Query()]
) -> Response:
    """List what happened in the actor's own company, newest first."""
    return read.page(await service.page(read.database, read.access, filters))


@router.post("/internal/audit-events", status_code=201, response_model=AuditEntryRead)
async def record_audit_event(call: ServiceCall, body: AuditEventCreate) -> Response:
    """Record something that happened in the front end, such as a login."""

    async def work(tx: AsyncConnection) -> Answer:
        access = reported(call.access, body.actor_user_id, body.ip, body.ua)
        entry = await service.log_audit(
            tx, access, body.action, body.target_type, body.target_id, meta=body.meta
        )
        return Answer(201, entry)

    return await call(work)
