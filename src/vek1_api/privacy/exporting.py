"""A copy of everything that is held about a person, in steps: flat in memory (LGPD, art. 18)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

import orjson

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.audit.schemas import AuditFilters
from vek1_api.conversations import service as conversations
from vek1_api.conversations.schemas import MessageFilters
from vek1_api.core import clock
from vek1_api.core.db import Database
from vek1_api.core.pagination import PageQuery, Paging, numbered_page
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.core.storage import LINK_LIFE
from vek1_api.leads import profiles, service as leads
from vek1_api.leads.schemas import LeadEventFilters
from vek1_api.privacy import export_queries
from vek1_api.privacy.export_schemas import ExportedEntry

FORMAT = "vek1.lead"
VERSION = 1
STEP = 100
"""Rows that are in memory at once."""

_LAST_VERSION = 2**31 - 1

Fetch = Callable[[str | None], Awaitable[bytes]]
"""Returns the page of a list at a cursor."""

Chunks = AsyncGenerator[bytes]


async def start(database: Database, access: Access, lead_id: UUID) -> Json:
    """Return the lead whose copy is taken, and write that it is.

    Raises ``LeadNotFoundError`` for one out of reach.
    """
    async with database.transaction() as tx:
        body = await leads.read(tx, access, lead_id)
        lead = orjson.loads(body)
        await audit_service.log_audit(
            tx, access, "lead.exported", "lead", lead["id"], store_id=UUID(lead["store_id"])
        )
    return body


async def document(resources: Resources, access: Access, lead: Json) -> Chunks:
    """Yield the copy of a lead, a ``LeadExportResult``.

    Breaks off if the person is erased meanwhile.
    """
    database, lead_id = resources.database, UUID(orjson.loads(lead)["id"])
    head = {"format": FORMAT, "version": VERSION, "generated_at": clock.now()}
    async with database.driver() as driver:
        row = await export_queries.CONTACTS.row(driver, lead_id=lead_id, **access.owner)
    contacts = str(row["body"]) if row else "{}"
    opening = orjson.dumps(head, option=orjson.OPT_UTC_Z).removesuffix(b"}")
    known = contacts.removeprefix("{").removesuffix("}")
    yield b'%s,"lead":%s,%s' % (opening, lead.encode(), known.encode())
    merged = [UUID(each) for each in orjson.loads(contacts)["merged_lead_ids"]]
    for name, items in {
        "profile_versions": _pages(_versions(database, access, lead_id)),
        "events": _pages(_events(database, access, lead_id)),
        "orders": _pages(_rows(export_queries.ORDERS, database, access, lead_id)),
        "files": _files(resources, access, lead_id),
        "audit": _entries(database, access, [lead_id, *merged]),
        "messages": _pages(_messages(database, access, lead_id)),
        "unlinked_messages": _pages(
            _rows(export_queries.LOOSE_MESSAGES, database, access, lead_id)
        ),
    }.items():
        separator = b',"%s":[' % name.encode()
        async for chunk in items:
            yield separator + chunk
            separator = b","
        yield b"]" if separator == b"," else separator + b"]"
    yield b"}"


async def _pages(fetch: Fetch) -> Chunks:
    """Yield the items of a list, a page at a time, as they stand in its JSON."""
    cursor = None
    while True:
        page = await fetch(cursor)
        items, _, last = page.rpartition(b'],"next_cursor":')
        if shown := items.removeprefix(b'{"items":['):
            yield shown
        cursor = orjson.loads(last.removesuffix(b"}"))
        if cursor is None:
            return


def _versions(database: Database, access: Access, lead_id: UUID) -> Fetch:
    async def fetch(cursor: str | None) -> bytes:
        before = _LAST_VERSION if cursor is None else int(cursor)
        rows = await profiles.versions(database, access, lead_id, before=before, limit=STEP)
        return numbered_page(rows, STEP)

    return fetch


def _events(database: Database, access: Access, lead_id: UUID) -> Fetch:
    async def fetch(cursor: str | None) -> bytes:
        filters = LeadEventFilters(limit=STEP, cursor=cursor)
        return await leads.events(database, access, lead_id, filters)

    return fetch


def _messages(database: Database, access: Access, lead_id: UUID) -> Fetch:
    async def fetch(cursor: str | None) -> bytes:
        filters = MessageFilters(limit=STEP, cursor=cursor, include_debug=True)
        return await conversations.page_of_lead(database, access, lead_id, filters)

    return fetch


def _rows(query: PageQuery, database: Database, access: Access, lead_id: UUID) -> Fetch:
    async def fetch(cursor: str | None) -> bytes:
        paging = Paging(limit=STEP, cursor=cursor)
        async with database.driver() as driver:
            return await query.fetch(driver, paging, lead_id=lead_id, **access.owner)

    return fetch


async def _entries(database: Database, access: Access, lead_ids: list[UUID]) -> Chunks:
    """Yield what the audit log has about a lead, and about those that were joined to it."""
    for lead_id in lead_ids:
        filters = AuditFilters(target_type="lead", target_id=str(lead_id), limit=STEP)
        while True:
            page = orjson.loads(await audit_service.page(database, access, filters))
            shown = [
                orjson.dumps({name: entry[name] for name in ExportedEntry.model_fields})
                for entry in page["items"]
            ]
            if shown:
                yield b",".join(shown)
            if page["next_cursor"] is None:
                break
            filters = filters.model_copy(update={"cursor": page["next_cursor"]})


async def _files(resources: Resources, access: Access, lead_id: UUID) -> Chunks:
    async with resources.database.driver() as driver:
        rows = await export_queries.OBJECTS.rows(driver, lead_id=lead_id, **access.owner)
    for row in rows:
        name = row["key"].rpartition("/")[2]
        expires_at = clock.now() + LINK_LIFE
        url = await resources.bucket.link(row["key"], filename=name)
        yield orjson.dumps(
            {"name": name, "url": url, "expires_at": expires_at}, option=orjson.OPT_UTC_Z
        )
