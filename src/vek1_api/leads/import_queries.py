"""The statements of the import and the export: each does a whole batch of leads."""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, array

from vek1_api.access.grants import my_stores, scoped, scoped_delete, scoped_update
from vek1_api.core.hot import HotStatement
from vek1_api.leads.models import ErasedIdentity, Lead, LeadEvent, LeadIdentity
from vek1_api.leads.queries import LEAD
from vek1_api.leads.status import Channel

_STORE_ID = bindparam("store_id", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_STORE = my_stores(_STORE_ID).subquery("store")

_TEXTS = (
    "name",
    "email",
    "phone_number",
    "street_address",
    "address_number",
    "complement",
    "neighborhood",
    "postal_code",
    "city",
    "state",
    "notes",
    "status",
)
_JSONS = {"custom_attributes": "object", "interests": "array", "preferences": "object"}

_PEOPLE = (
    func.jsonb_to_recordset(bindparam("people", type_=JSONB))
    .table_valued(
        column("row", Integer), column("channel", Text), column("external_id", Text)
    )
    .render_derived(name="given", with_types=True)
)
"""Whom the rows name, by an id in any spelling."""

_IDENTITY = func.vek1_api.contact_id(_PEOPLE.c.channel, _PEOPLE.c.external_id)


def _named(*columns: Any) -> Select[Any]:
    """Select from the people whom the rows name, if the store is within reach."""
    return select(*columns).select_from(_STORE.join(_PEOPLE, true()))


KNOWN = HotStatement(
    _named(_PEOPLE.c.row, LeadIdentity.lead_id).join(
        LeadIdentity,
        and_(
            LeadIdentity.store_id == _STORE.c.id,
            LeadIdentity.channel == _PEOPLE.c.channel,
            LeadIdentity.identity == _IDENTITY,
        ),
    )
)
"""Which leads the rows name; those of nobody yet are left out."""


def _upsert() -> HotStatement:
    named = _named(_STORE.c.id.label("store_id"), _PEOPLE)
    given = named.order_by(_PEOPLE.c.channel, _IDENTITY, _PEOPLE.c.row).subquery("named")
    found = (
        func.vek1_api.upsert_lead(
            given.c.store_id,
            given.c.channel,
            array([given.c.external_id]),
            None,
            true(),
        )
        .table_valued(column("lead_id", Uuid), column("is_new", Boolean))
        .lateral("found")
    )
    return HotStatement(
        select(given.c.row, found.c.lead_id, found.c.is_new).select_from(
            given.join(found, true())
        )
    )


UPSERT = _upsert()
"""The leads that the rows name, made where there are none; one call per row in the order of
their ids, so that two imports of the same people wait for each other in one direction only."""

LOCK = HotStatement(
    scoped(Lead, Lead.id, LEAD)
    .where(Lead.store_id == _STORE_ID, Lead.id == any_(_IDS))
    .order_by(Lead.id)
    .with_for_update(of=Lead, key_share=True)
)
"""Hold leads of the store until the transaction ends, in the order of their ids."""

_FORGOTTEN = select(ErasedIdentity.store_id).where(ErasedIdentity.store_id == _STORE_ID)
_EVER = cast(literal("-infinity"), TIMESTAMP(timezone=True))

ERASED = HotStatement(
    _named(_PEOPLE.c.row).where(
        _FORGOTTEN.exists(),
        func.vek1_api.was_erased(
            _STORE.c.id, _PEOPLE.c.channel, _PEOPLE.c.external_id, _EVER
        ),
    )
)
"""Which rows name somebody who was forgotten, whenever that was."""

DROP = HotStatement(
    scoped_delete(Lead).where(Lead.store_id == _STORE_ID, Lead.id == any_(_IDS))
)
"""Take back leads that this transaction made for rows which are refused after all."""

_CHANGES = (
    func.jsonb_to_recordset(bindparam("changes", type_=JSONB))
    .table_valued(
        column("lead_id", Uuid),
        column("status_before", Text),
        *(column(name, Text) for name in _TEXTS),
        *(column(name, JSONB) for name in _JSONS),
    )
    .render_derived(name="given", with_types=True)
)


def _change() -> HotStatement:
    given = select(_CHANGES).cte("given")
    changed = (
        scoped_update(Lead)
        .where(Lead.id == given.c.lead_id, Lead.store_id == _STORE_ID)
        .values(
            {
                name: func.coalesce(given.c[name], getattr(Lead, name))
                for name in (*_TEXTS, *_JSONS)
            }
        )
        .returning(Lead.id, given.c.status_before.label("before"), given.c.status)
        .cte("changed")
    )
    moved = func.jsonb_build_object("from", changed.c.before, "to", changed.c.status)
    events = insert(LeadEvent).from_select(
        ["lead_id", "type", "data"],
        select(changed.c.id, literal("status_changed"), moved).where(
            changed.c.status.is_not(None)
        ),
    )
    return HotStatement(select(changed.c.id).add_cte(events.cte("event")))


CHANGE = _change()
"""Write what the rows change, with the events of their statuses, in one statement."""


def _cell(name: str) -> Any:
    value = getattr(Lead, name)
    if name not in _JSONS:
        # Blanks alone are what no caller can send.
        return case((func.btrim(value) != literal(""), value))
    kind = _JSONS[name]
    empty = cast(literal("{}" if kind == "object" else "[]"), JSONB)
    is_told = and_(func.jsonb_typeof(value) == literal(kind), value != empty)
    return case((is_told, cast(value, Text)))


EXPORTED = ("channel", "external_id", *_TEXTS, *_JSONS)
"""The columns of the export, by their fields."""

_PLACE = Lead.created_at, Lead.id

EXPORT = HotStatement(
    scoped(Lead, *(_cell(name).label(name) for name in EXPORTED))
    .add_columns(Lead.created_at.label("at"), Lead.id.label("row_id"))
    .where(
        Lead.store_id == _STORE_ID,
        tuple_(*_PLACE)
        > tuple_(
            bindparam("after_at", type_=Lead.created_at.type),
            bindparam("after_id", type_=Uuid),
        ),
    )
    .order_by(*_PLACE)
    .limit(bindparam("row_limit", type_=Integer))
)
"""The next leads of a store, the oldest first, as the cells of the export."""


def about(values: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return whom a row's values name, one text for all spellings of an id."""
    channel = func.coalesce(
        values.op("->>")("channel"), literal(Channel.WHATSAPP.value), type_=Text
    )
    external_id = values.op("->>")("external_id")
    return func.concat(channel, " ").op("||")(
        func.vek1_api.contact_id(channel, external_id)
    )
