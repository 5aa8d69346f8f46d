"""The statements of a person's copy, where no service of a domain below has them.

Tables of other domains stand here with the columns that the copy shows, and no more.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from vek1_api.access.grants import scoped
from vek1_api.conversations.schemas import MessageRead
from vek1_api.core.db import SCHEMA, UtcTimestamp
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import json_object, row_object
from vek1_api.leads import service as leads
from vek1_api.privacy.export_schemas import (
    ExportedItem,
    ExportedOrder,
    ExportedOrderEvent,
    ExportedPayment,
    ExportedProof,
    OrderRow,
)

Lead = leads.MODEL
_THIS = Lead.id == bindparam("lead_id", type_=Uuid)
_TIMES = (datetime, datetime | None)
_NOTHING: ColumnElement[Any] = literal_column("'[]'::json")


def _rows(name: str, schema: type[BaseModel], *keys: str) -> Any:
    """Return a table with the columns that a schema shows, and its keys."""
    shown = [
        column(field, UtcTimestamp()) if info.annotation in _TIMES else column(field)
        for field, info in schema.model_fields.items()
    ]
    return table(name, *shown, *(column(key, Uuid) for key in keys))


_ORDERS = _rows("orders", OrderRow)
_IDENTITIES = table(
    "lead_identity",
    column("lead_id", Uuid),
    column("channel", Text),
    column("identity", Text),
    schema=SCHEMA,
)
_CONTACTS = table(
    "lead_contact", column("lead_id", Uuid), column("reply_to", Text), schema=SCHEMA
)
_MERGES = table(
    "lead_merges", column("lead_id", Uuid), column("into_id", Uuid), schema=SCHEMA
)


def _array(values: Any, order: Any, source: FromClause, condition: Any) -> Any:
    """Return rows of a table, tied to one outside, as a JSON array."""
    gathered = func.json_agg(aggregate_order_by(values, order))
    found = select(gathered).select_from(source).where(condition)
    return func.coalesce(found.scalar_subquery(), _NOTHING)


def _of_order(name: str, schema: type[BaseModel]) -> Any:
    rows = _rows(name, schema, "order_id")
    body = func.json(row_object(rows.c, schema))
    return _array(body, rows.c.created_at, rows, rows.c.order_id == _ORDERS.c.id)


def _proofs() -> Any:
    names = [
        *(ExportedProof.model_fields.keys() - {"file"}),
        *("order_id", "object_key"),
    ]
    rows = table("order_proofs", *map(column, names), schema=SCHEMA)
    # The last step of the key, by which `files` names it.
    name = func.split_part(rows.c.object_key, literal_column("'/'"), literal_column("-1"))
    body = func.json(row_object(rows.c, ExportedProof, {"file": name}))
    return _array(body, rows.c.version, rows, rows.c.order_id == _ORDERS.c.id)


_ORDER = row_object(
    _ORDERS.c,
    ExportedOrder,
    {
        "items": _of_order("order_items", ExportedItem),
        "events": _of_order("order_events", ExportedOrderEvent),
        "payment_attempts": _of_order("payment_attempts", ExportedPayment),
        "proofs": _proofs(),
    },
)

ORDERS = PageQuery(
    scoped(Lead, _ORDER)
    .join(_ORDERS, _ORDERS.c.id == any_(func.vek1_api.orders_of(Lead.id)))
    .where(_THIS),
    at=_ORDERS.c.created_at,
    row_id=_ORDERS.c.id,
)

_IDENTITY = func.json_build_object(
    "channel", _IDENTITIES.c.channel, "identity", _IDENTITIES.c.identity
)
CONTACTS = HotStatement(
    scoped(
        Lead,
        json_object(
            {
                "identities": _array(
                    _IDENTITY,
                    _IDENTITIES.c.identity,
                    _IDENTITIES,
                    _IDENTITIES.c.lead_id == Lead.id,
                ),
                "reply_to": select(_CONTACTS.c.reply_to)
                .where(_CONTACTS.c.lead_id == Lead.id)
                .scalar_subquery(),
                "merged_lead_ids": _array(
                    _MERGES.c.lead_id,
                    _MERGES.c.lead_id,
                    _MERGES,
                    _MERGES.c.into_id == Lead.id,
                ),
            }
        ),
    ).where(_THIS)
)
"""Every id that a person is or was known by."""

OBJECTS = HotStatement(
    scoped(Lead, func.unnest(func.vek1_api.objects_of(Lead.id)).label("key")).where(_THIS)
)
"""The keys of the private objects that are about a person."""

_MESSAGES = _rows("messages_history", MessageRead)

LOOSE_MESSAGES = PageQuery(
    scoped(Lead, row_object(_MESSAGES.c, MessageRead))
    .join(_MESSAGES, _MESSAGES.c.id == any_(func.vek1_api.loose_messages_of(Lead.id)))
    .where(_THIS),
    at=_MESSAGES.c.timestamp,
    row_id=_MESSAGES.c.id,
)
"""Messages that are tied to no lead and came from one of a person's ids."""
