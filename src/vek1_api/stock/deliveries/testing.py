"""Trying the way to a store's ERP."""

from uuid import UUID, uuid4

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.dependencies import Writing
from vek1_api.audit import service as audit_service
from vek1_api.core import clock
from vek1_api.core.answers import Answer, respond
from vek1_api.core.db import to_json
from vek1_api.core.errors import ConflictError
from vek1_api.core.outbound import Outcome, Poster, signed_headers
from vek1_api.core.resources import Resources
from vek1_api.stock import secrets
from vek1_api.stock.deliveries.messages import message_id, test_body
from vek1_api.stock.outbound_status import Which
from vek1_api.stock.settings import service as settings_service


async def send(write: Writing, store_id: UUID) -> Response:
    """Send a test message, once for its ``Idempotency-Key``; nothing is locked meanwhile."""
    if known := await write.replayed(await write.claim()):
        return respond(known, replayed=True)
    outcome = await _attempt(write.resources, write.access, store_id)
    return await write(lambda tx: _record(tx, write.access, store_id, outcome))


async def _attempt(resources: Resources, access: Access, store_id: UUID) -> Outcome:
    async with resources.database.driver() as driver:
        row = await settings_service.read(driver, access, store_id)
    sealed = [row["outbound_secret"]] if row["outbound_secret"] else []
    known = secrets.opened(sealed, store_id, Which.OUTBOUND, resources.keyring)
    if not row["outbound_url"] or not known:
        message = "Set an `outbound_url` and make a secret first; there is nothing to try."
        raise ConflictError(message)
    now = clock.now()
    body = test_body(store_id, now)
    headers = signed_headers(message_id(uuid4()), now, body, known)
    allowed = resources.settings.private_targets_allowed
    async with Poster(row["outbound_url"], private_allowed=allowed) as poster:
        return await poster.post(body, headers)


async def _record(
    tx: AsyncConnection, access: Access, store_id: UUID, outcome: Outcome
) -> Answer:
    meta = {"status": outcome.status, "error": outcome.error}
    await audit_service.log_audit(
        tx, access, "stock_sync.tested", "store", store_id, store_id=store_id, meta=meta
    )
    shown = {
        "is_delivered": outcome.is_delivered,
        **meta,
        "duration_ms": outcome.duration_ms,
    }
    return Answer(200, to_json(shown), has_etag=False)
