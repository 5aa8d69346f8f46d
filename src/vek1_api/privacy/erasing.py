"""Forgetting a person, everywhere at once (LGPD, art. 18, VI)."""

from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.files import service as files
from vek1_api.leads import service as leads
from vek1_api.privacy import queries


async def erase(
    tx: AsyncConnection, access: Access, lead_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Erase a person, by the id of any lead of theirs that was joined, too.

    Orders stay, without them. Who writes again is somebody new; what was said before and
    arrives late is refused. Raises ``LeadNotFoundError``, for who is erased already as well.
    """
    before = orjson.loads(await leads.read(tx, access, lead_id))
    await queries.HOLD.row(await driver_of(tx), lead_id=UUID(before["id"]))
    held = await leads.read(tx, access, lead_id)
    if_match.check(held)
    lead = orjson.loads(held)
    await forget(tx, access, UUID(lead["id"]), UUID(lead["store_id"]))
    return Answer(204)


async def forget(
    tx: AsyncConnection, access: Access, lead_id: UUID, store_id: UUID
) -> None:
    """Erase a lead that is held; the entry in the audit log has counts and no names."""
    row = await queries.ERASE.row(await driver_of(tx), lead_id=lead_id)
    assert row is not None
    await files.discard(tx, row["objects"])
    await audit_service.log_audit(
        tx,
        access,
        "lead.erased",
        "lead",
        lead_id,
        store_id=store_id,
        meta={"erased": orjson.loads(row["receipt"])},
    )
