"""Knowing, changing and joining leads."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.agents import service as agents
from vek1_api.audit import service as audit_service
from vek1_api.companies import service as companies
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.core.inputs import bounded_json
from vek1_api.core.merge_patch import merged
from vek1_api.core.pagination import is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.leads import identity, queries
from vek1_api.leads.errors import LeadNotFoundError, UnknownStatusError
from vek1_api.leads.models import Lead
from vek1_api.leads.schemas import (
    LeadEventCreate,
    LeadEventFilters,
    LeadFilters,
    LeadUpdate,
    LeadUpsert,
)
from vek1_api.leads.status import LeadStatus

MODEL = Lead
"""For ``access.grants``, where other domains' rows hang on leads."""

resolved = queries.resolved
"""For statements that name a lead by an id which may be one of old."""

known, hold, merge = identity.known, identity.hold, identity.merge
lock, read, happened = identity.lock, identity.read, identity.happened
present_id = identity.present_id

PATCHED = frozenset({"custom_attributes", "preferences"})
"""Fields that are changed by JSON merge patch."""

_WHO = {"channel", "external_id", "aliases"}
_EMPTY: dict[str, Any] = {"custom_attributes": {}, "preferences": {}, "interests": []}


async def page(
    database: Database, access: Access, store_id: UUID, filters: LeadFilters
) -> bytes:
    """Return a page of a store's leads, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def get(database: Database, access: Access, lead_id: UUID) -> Json:
    """Return a lead, by an id of old too, or raise ``LeadNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(driver, row_id=lead_id, **access.owner)
    if row is None:
        raise LeadNotFoundError(lead_id)
    return str(row["body"])


async def upsert_at_once(
    driver: Driver, access: Access, store_id: UUID, wanted: LeadUpsert
) -> Answer | None:
    """Return the lead if it is what was sent already, or made if the person is new.

    None, and nothing written, where one statement will not do: something is to be changed,
    or a status of the company's own to be looked up.
    """
    if wanted.aliases:
        return None
    facts = _facts(wanted)
    who = {
        "store_id": store_id,
        "channel": wanted.channel.value,
        "external_id": wanted.external_id,
        **access.owner,
    }
    row = await queries.KNOWN.row(driver, **who)
    if row is not None:
        old = orjson.loads(row["body"])
        is_same = not audit_service.differing(old, patched(old, facts))
        return Answer(200, row["body"]) if is_same else None
    values = patched(_EMPTY, facts)
    if values.get("status", LeadStatus.NEW) != LeadStatus.NEW:
        return None
    row = await queries.introducing(frozenset(values)).row(
        driver, **who, **queries.sent(values), **audit_service.values(access)
    )
    return None if row is None else Answer(201, row["body"])


async def upsert(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: LeadUpsert
) -> Answer:
    """Return the lead that the ids mean, made if there is none, with what was sent."""
    ids = [wanted.external_id, *wanted.aliases]
    lead_id, is_new = await identity.known(
        tx, access, store_id, wanted.channel, ids, reply_to=wanted.external_id
    )
    if not is_new:
        return Answer(200, await _change(tx, access, lead_id, _facts(wanted)))
    return Answer(201, await _introduce(tx, access, lead_id, _facts(wanted)))


async def update(
    tx: AsyncConnection,
    access: Access,
    lead_id: UUID,
    wanted: LeadUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent; a change of status is an event."""
    return Answer(
        200, await _change(tx, access, lead_id, wanted.changes(), if_match=if_match)
    )


async def events(
    database: Database, access: Access, lead_id: UUID, filters: LeadEventFilters
) -> bytes:
    """Return a page of a lead's events, newest first."""
    async with database.driver() as driver:
        body = await queries.EVENTS.fetch(driver, filters, row_id=lead_id, **access.owner)
        if (
            is_empty(body)
            and await queries.GET.row(driver, row_id=lead_id, **access.owner) is None
        ):
            raise LeadNotFoundError(lead_id)
    return body


async def add_event(
    tx: AsyncConnection, access: Access, lead_id: UUID, wanted: LeadEventCreate
) -> Answer:
    """Write that something happened to a lead."""
    lead = orjson.loads(await identity.lock(tx, access, lead_id))
    store_id = UUID(lead["store_id"])
    if wanted.agent_id is not None:
        await assert_in_store(
            tx,
            access,
            agents.MODEL,
            store_id=store_id,
            pointers={"/agent_id": wanted.agent_id},
            kind="agent",
        )
    body = await identity.happened(
        tx, UUID(lead["id"]), wanted.type, wanted.data, agent_id=wanted.agent_id
    )
    # No word of the caller's: the audit log outlives the person.
    await identity.log(tx, access, "lead.event_added", lead["id"], store_id)
    return Answer(201, body, has_etag=False)


async def _change(
    tx: AsyncConnection,
    access: Access,
    lead_id: UUID,
    wanted: dict[str, Any],
    *,
    if_match: IfMatch | None = None,
) -> Json:
    before = await identity.lock(tx, access, lead_id)
    if if_match is not None:
        if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, patched(old, wanted))
    if not values:
        return before
    if "status" in values:
        await _assert_status(tx, access, values["status"])
    lead_id, store_id = UUID(old["id"]), UUID(old["store_id"])
    after = await queries.change(tx, access, lead_id, values)
    if "status" in values:
        moved = {"from": old["status"], "to": values["status"]}
        await identity.happened(tx, lead_id, "status_changed", moved)
    # Names only: what a person is called has no place in an append-only log.
    meta = {"fields": sorted(values)}
    await identity.log(tx, access, "lead.updated", lead_id, store_id, meta)
    return after


async def _introduce(
    tx: AsyncConnection, access: Access, lead_id: UUID, wanted: dict[str, Any]
) -> Json:
    """Write what is known of a lead that was made just now, and that nobody else sees."""
    values = patched(_EMPTY, wanted)
    if not values:
        return await identity.read(tx, access, lead_id)
    status = values.get("status", LeadStatus.NEW)
    await _assert_status(tx, access, status)
    after = await queries.change(tx, access, lead_id, values)
    if status != LeadStatus.NEW:
        moved = {"from": LeadStatus.NEW, "to": status}
        await identity.happened(tx, lead_id, "status_changed", moved)
    return after


def _facts(wanted: LeadUpsert) -> dict[str, Any]:
    """Return what was sent about the person, besides who it is."""
    changes = wanted.changes()
    return {name: changes[name] for name in changes.keys() - _WHO}


def patched(old: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the values to write: objects by merge patch, null as the column's empty value."""
    values = {}
    for name, value in wanted.items():
        if value is None:
            values[name] = _EMPTY.get(name)
        elif name in PATCHED:
            values[name] = _bounded(name, merged(old[name], value))
        else:
            values[name] = value
    return values


def _bounded(name: str, value: Any) -> Any:
    """Return what patches have added up to, if it is still of modest size."""
    try:
        return bounded_json(value)
    except ValueError as error:
        message = f"With what is there already it {error}."
        problem = FieldError(f"/{name}", "too_large", message)
        raise ValidationFailedError(message, errors=[problem]) from error


async def _assert_status(tx: AsyncConnection, access: Access, status: str) -> None:
    if status not in (known_here := await statuses(tx, access, {status})):
        raise UnknownStatusError(status, sorted(known_here))


async def statuses(
    tx: AsyncConnection, access: Access, wanted: Collection[str]
) -> frozenset[str]:
    """Return the statuses that there are; the company's own only if one is wanted."""
    usual = frozenset(each.value for each in LeadStatus)
    if usual.issuperset(wanted):
        return usual
    own = (await companies.settings(tx, access)).get("lead_statuses")
    if not isinstance(own, list):
        return usual
    return usual | {each for each in own if isinstance(each, str)}
