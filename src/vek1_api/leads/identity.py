"""Who a lead is: the one way to make one, and joining two that are one person."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import driver_of
from vek1_api.core.errors import (
    FieldError,
    ForeignReferenceError,
    NotFoundError,
    ValidationFailedError,
)
from vek1_api.core.representation import Json
from vek1_api.leads import queries
from vek1_api.leads.errors import LeadNotFoundError


async def known(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    channel: str,
    ids: list[str],
    *,
    reply_to: str | None = None,
    is_of_many: bool = False,
) -> tuple[UUID, bool]:
    """Return the lead that these ids mean and whether it is new; the one way to make one.

    Safe at once with itself. Ids of two leads join them, which is audited. ``reply_to`` is
    remembered for answering. Whoever asks for many calls ``hold`` before, and says so. Raises
    ``NotFoundError`` for a store out of reach.
    """
    row = await queries.UPSERT.row(
        await driver_of(tx),
        store_id=store_id,
        channel=str(channel),
        ids=ids,
        reply_to=reply_to,
        is_of_many=is_of_many,
        **audit_service.values(access),
        **access.owner,
    )
    if row is None:
        kind = "store"
        raise NotFoundError(kind, store_id)
    lead_id: UUID = row["lead_id"]
    for twin in row["joined"] or ():
        await _joined(tx, access, twin, lead_id, store_id)
    return lead_id, row["is_new"]


async def merge(
    tx: AsyncConnection, access: Access, lead_id: UUID, other_id: UUID
) -> Answer:
    """Join another lead of the store to this one; its old id resolves to this one.

    Joining what is joined already is a success without effect.
    """
    store_id = UUID(orjson.loads(await read(tx, access, lead_id))["store_id"])
    await hold(tx, access, store_id, {lead_id, other_id}, (), to_join=True)
    kept = orjson.loads(await lock(tx, access, lead_id))
    gone_body = await queries.lock(tx, access, other_id)
    gone = None if gone_body is None else orjson.loads(gone_body)
    if gone is None or gone["store_id"] != kept["store_id"]:
        kind = "lead"
        raise ForeignReferenceError(kind, {"/lead_id": str(other_id)})
    if other_id == lead_id:
        message = "A lead cannot be joined to itself."
        raise ValidationFailedError(
            message, errors=[FieldError("/lead_id", "same_lead", message)]
        )
    kept_id = UUID(kept["id"])
    if gone["id"] != kept["id"]:
        driver = await driver_of(tx)
        await queries.MERGE.row(driver, from_id=UUID(gone["id"]), into_id=kept_id)
        await _joined(tx, access, UUID(gone["id"]), kept_id, UUID(kept["store_id"]))
    return Answer(200, await read(tx, access, kept_id))


async def hold(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    lead_ids: Collection[UUID],
    contacts: Collection[tuple[str, str]],
    *,
    to_join: bool = False,
) -> None:
    """Keep several leads of a store until the transaction ends, in the one order.

    Before ``known`` is called for more than one, so that nobody waits crosswise. Who is
    nobody yet, or not of the store, is left out.
    """
    await queries.HOLD.row(
        await driver_of(tx),
        store_id=store_id,
        ids=list(lead_ids),
        channels=[channel for channel, _ in contacts],
        contacts=[contact for _, contact in contacts],
        to_join=to_join,
        **access.owner,
    )


async def lock(tx: AsyncConnection, access: Access, lead_id: UUID) -> Json:
    """Return a lead that stays as it is until the transaction ends.

    An id of old resolves. Raises ``LeadNotFoundError`` for one out of reach.
    """
    body = await queries.lock(tx, access, lead_id)
    if body is None:
        raise LeadNotFoundError(lead_id)
    return body


async def present_id(tx: AsyncConnection, lead_id: UUID) -> UUID:
    """Return the id itself, or that of the lead which it was joined to."""
    row = await queries.PRESENT_ID.row(await driver_of(tx), row_id=lead_id)
    assert row is not None
    return UUID(str(row["id"]))


async def read(tx: AsyncConnection, access: Access, lead_id: UUID) -> Json:
    """Return a lead on a connection that is open already, or raise."""
    row = await queries.GET.row(await driver_of(tx), row_id=lead_id, **access.owner)
    if row is None:
        raise LeadNotFoundError(lead_id)
    return str(row["body"])


async def happened(
    tx: AsyncConnection,
    lead_id: UUID,
    kind: str,
    data: dict[str, Any] | None = None,
    *,
    agent_id: UUID | None = None,
) -> Json:
    """Write an event of a lead within reach, and return it."""
    row = await queries.ADD_EVENT.row(
        await driver_of(tx), lead_id=lead_id, agent_id=agent_id, type=kind, data=data
    )
    assert row is not None
    return str(row["body"])


async def _joined(
    tx: AsyncConnection, access: Access, gone: UUID, kept: UUID, store_id: UUID
) -> None:
    # What was remembered of either is found under the one that stays.
    await jobs.enqueue(tx, "leads.embed_profile", {"lead_id": str(kept)})
    await happened(tx, kept, "merged", {"lead_id": str(gone)})
    meta = {"lead_id": str(gone)}
    await log(tx, access, "lead.merged", kept, store_id, meta)


async def log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    lead_id: object,
    store_id: UUID,
    meta: dict[str, Any] | None = None,
) -> None:
    """Write what was done to a lead into the trail; never what a person is called."""
    await audit_service.log_audit(
        tx, access, action, "lead", lead_id, store_id=store_id, meta=meta
    )
