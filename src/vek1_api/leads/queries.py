"""The statements of leads and their events. Profiles have their own."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Boolean,
    Text,
    Uuid,
    bindparam,
    case,
    column,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import my_stores, scoped, scoped_update
from vek1_api.audit import service as audit_service
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, row_object
from vek1_api.leads.models import (
    Lead,
    LeadContact,
    LeadEvent,
    LeadIdentity,
    LeadMerge,
)
from vek1_api.leads.schemas import LeadEventRead, LeadRead

LEAD = row_object(Lead, LeadRead)
EVENT = row_object(LeadEvent, LeadEventRead)
_ROW_ID = bindparam("row_id", type_=Uuid)
_STORE_ID = bindparam("store_id", type_=Uuid)
_CHANNEL = bindparam("channel", type_=Text)
_CONTACT = bindparam("external_id", type_=Text)


def resolved(lead_id: Any) -> Any:
    """Return the id itself, or that of the lead which it was joined to."""
    joined = select(LeadMerge.into_id).where(LeadMerge.lead_id == lead_id)
    return func.coalesce(joined.scalar_subquery(), lead_id)


PRESENT_ID = HotStatement(select(resolved(_ROW_ID).label("id")))

GET = HotStatement(scoped(Lead, LEAD).where(Lead.id == resolved(_ROW_ID)))

_ABOUT = func.vek1_api.fold(
    func.concat_ws(" ", Lead.name, Lead.email, Lead.phone_number, Lead.external_id)
)
_DATE = Lead.last_contact_at.type

PAGE = PageQuery(
    scoped(Lead, LEAD).where(Lead.store_id == _STORE_ID),
    at=Lead.created_at,
    row_id=Lead.id,
    filters={
        "status": Lead.status == bindparam("status", type_=Text),
        "channel": Lead.channel == bindparam("channel", type_=Text),
        "city": func.vek1_api.fold(Lead.city)
        == func.vek1_api.fold(bindparam("city", type_=Text)),
        "q": func.strpos(_ABOUT, func.vek1_api.fold(bindparam("q", type_=Text))) > 0,
        "last_contact_from": Lead.last_contact_at
        >= bindparam("last_contact_from", type_=_DATE),
        "last_contact_to": Lead.last_contact_at < bindparam("last_contact_to", type_=_DATE),
    },
)


def _upsert() -> HotStatement:
    store = my_stores(_STORE_ID).subquery()
    found = (
        func.vek1_api.upsert_lead(
            store.c.id,
            bindparam("channel", type_=Text),
            bindparam("ids", type_=ARRAY(Text)),
            bindparam("reply_to", type_=Text),
            bindparam("is_of_many", type_=Boolean),
        )
        .table_valued(
            column("lead_id", Uuid),
            column("is_new", Boolean),
            column("joined", ARRAY(Uuid)),
        )
        .lateral("found")
    )
    made = audit_service.logging("lead.created", "lead", found.c.lead_id, store.c.id)
    return HotStatement(
        select(
            found.c.lead_id,
            found.c.is_new,
            found.c.joined,
            case((found.c.is_new, made)),
        ).select_from(store.join(found, true()))
    )


UPSERT = _upsert()
"""The lead that some ids mean, made if there is none; no row for a store out of reach."""

KNOWN = HotStatement(
    scoped(Lead, LEAD)
    .join(LeadIdentity, LeadIdentity.lead_id == Lead.id)
    .join(LeadContact, LeadContact.lead_id == Lead.id)
    .where(
        LeadIdentity.store_id == _STORE_ID,
        LeadIdentity.channel == _CHANNEL,
        LeadIdentity.identity == func.vek1_api.contact_id(_CHANNEL, _CONTACT),
        LeadContact.reply_to == _CONTACT,
    )
)
"""The lead that wrote from exactly this id last: there is nothing to note about it."""


@lru_cache(maxsize=256)
def introducing(names: frozenset[str]) -> HotStatement:
    """Return what makes a lead of a person whom nobody knows, with these columns.

    No row, and nothing written, if the id is somebody's or the store is out of reach. Its
    effects are those of ``UPSERT`` and ``change``; each set of columns is compiled once.
    """
    identity = func.vek1_api.contact_id(_CHANNEL, _CONTACT)
    person = my_stores(_STORE_ID).add_columns(_CHANNEL, identity, func.gen_random_uuid())
    who = ("store_id", "channel", "identity", "lead_id")
    known = (
        upsert(LeadIdentity)
        .from_select(who, person)
        .on_conflict_do_nothing()
        .returning(*(getattr(LeadIdentity, name) for name in who))
        .cte("known")
    )
    is_known_as = {
        "store_id": known.c.store_id,
        "channel": known.c.channel,
        "external_id": known.c.identity,
        "id": known.c.lead_id,
    }
    facts = {name: _new(name) for name in sorted(names)}
    columns = is_known_as | facts
    lead = (
        insert(Lead)
        .from_select([*columns], select(*columns.values()))
        .returning(Lead.id, Lead.store_id, LEAD)
        .cte("lead")
    )
    contact = insert(LeadContact).from_select(
        ["lead_id", "reply_to"], select(known.c.lead_id, _CONTACT)
    )
    made = audit_service.logging("lead.created", "lead", lead.c.id, lead.c.store_id)
    return HotStatement(select(lead.c.body, made).add_cte(contact.cte("contact")))


EVENTS = PageQuery(
    scoped(Lead, EVENT)
    .join(LeadEvent, LeadEvent.lead_id == Lead.id)
    .where(Lead.id == resolved(_ROW_ID)),
    at=LeadEvent.created_at,
    row_id=LeadEvent.id,
    filters={"type": LeadEvent.type == bindparam("type", type_=Text)},
)

ADD_EVENT = HotStatement(
    insert(LeadEvent)
    .values(
        lead_id=bindparam("lead_id", type_=Uuid),
        agent_id=bindparam("agent_id", type_=Uuid),
        type=bindparam("type", type_=Text),
        data=bindparam("data", type_=JSONB),
    )
    .returning(EVENT)
)

MERGE = HotStatement(
    select(
        func.vek1_api.merge_leads(
            bindparam("from_id", type_=Uuid), bindparam("into_id", type_=Uuid)
        )
    )
)


def _hold() -> HotStatement:
    store = my_stores(_STORE_ID).subquery()
    named = [bindparam(name, type_=ARRAY(Text)) for name in ("channels", "contacts")]
    ids = bindparam("ids", type_=ARRAY(Uuid))
    to_join = bindparam("to_join", type_=Boolean)
    return HotStatement(select(func.vek1_api.hold_leads(store.c.id, ids, *named, to_join)))


HOLD = _hold()
"""Lock the leads of a store that these ids and contacts name, in the order of their ids."""

LOCK = HotStatement(
    scoped(Lead, LEAD)
    .where(Lead.id == resolved(_ROW_ID))
    .with_for_update(of=Lead, key_share=True)
)


@lru_cache(maxsize=256)
def _change(names: frozenset[str]) -> HotStatement:
    """Return the update of these columns, compiled once for each set of them."""
    values = {name: _new(name) for name in names}
    return HotStatement(
        scoped_update(Lead).where(Lead.id == _ROW_ID).values(values).returning(LEAD)
    )


def _new(name: str) -> BindParameter[Any]:
    return bindparam(f"new_{name}", type_=getattr(Lead, name).type)


def sent(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of columns as ``introducing`` and ``change`` bind them."""
    return {f"new_{name}": value for name, value in values.items()}


async def lock(tx: AsyncConnection, access: Access, lead_id: UUID) -> Json | None:
    """Return the lead as JSON, locked against other changes; its old ids resolve."""
    driver = await driver_of(tx)
    seen: set[UUID] = set()
    while (row := await LOCK.row(driver, row_id=lead_id, **access.owner)) is None:
        # Joined to another while this waited, and that one to a third: the id resolves now.
        present = await PRESENT_ID.row(driver, row_id=lead_id)
        assert present is not None
        if present["id"] in seen:
            return None
        seen.add(present["id"])
    return str(row["body"])


async def change(
    tx: AsyncConnection, access: Access, lead_id: UUID, values: dict[str, Any]
) -> Json:
    """Change a lead's columns and return it."""
    statement = _change(frozenset(values))
    row = await statement.row(
        await driver_of(tx), row_id=lead_id, **sent(values), **access.owner
    )
    assert row is not None
    return str(row["body"])
