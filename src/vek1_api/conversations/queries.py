"""The statements of messages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import my_stores, scoped
from vek1_api.agents import service as agents
from vek1_api.audit import service as audit_service
from vek1_api.conversations.models import Message, MessageTerms
from vek1_api.conversations.schemas import MessageRead
from vek1_api.conversations.status import Role
from vek1_api.core.db import Driver, UtcTimestamp
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import row_object
from vek1_api.leads import service as leads

_STORE_ID = bindparam("store_id", type_=Uuid)
_ROW_ID = bindparam("row_id", type_=Uuid)
_MESSAGES = bindparam("messages", type_=JSONB)
_MOMENT = UtcTimestamp()
MESSAGE = row_object(Message, MessageRead, {"metadata": Message.meta})

_TEXTS = ("user_id", "agent_type", "role", "content")
_UUIDS = ("id", "store_id", "agent_id", "lead_id")


def _append() -> HotStatement:
    forgotten = func.vek1_api.any_erased(_STORE_ID, _MESSAGES)
    store = my_stores(_STORE_ID).where(not_(forgotten)).subquery()
    said = (
        func.vek1_api.append_messages(store.c.id, _MESSAGES)
        .table_valued(
            column("place", Integer),
            column("is_new", Boolean),
            *(column(name, Uuid) for name in _UUIDS),
            *(column(name, Text) for name in _TEXTS),
            column("metadata", JSONB),
            column("timestamp", _MOMENT),
        )
        .lateral("said")
    )
    kept = (
        select(said.c.place, said.c.is_new, row_object(said.c, MessageRead))
        .select_from(store.join(said, true()))
        .cte("kept")
    )
    added = select(func.count().label("messages")).where(kept.c.is_new).subquery("added")
    logged = (
        select(audit_service.logging("messages.appended", "store", _STORE_ID, _STORE_ID))
        .select_from(added)
        .where(added.c.messages > 0)
    )
    return HotStatement(
        select(kept.c.is_new, kept.c.body, logged.scalar_subquery()).order_by(kept.c.place)
    )


APPEND = _append()
"""Write messages of a store within reach; no row if a lead or an agent is not of it, or one
of them was forgotten."""

_ERASED = HotStatement(
    select(func.vek1_api.any_erased(_STORE_ID, _MESSAGES).label("is_erased"))
)

_FILTERS: dict[str, ColumnElement[bool]] = {
    "role": Message.role == bindparam("role", type_=Text),
    "from_": Message.timestamp >= bindparam("from_", type_=_MOMENT),
    "to": Message.timestamp < bindparam("to", type_=_MOMENT),
}
_WANTED = select(func.vek1_api.every_word(bindparam("q", type_=Text)))
_FOUND = select(MessageTerms.message_id).where(
    MessageTerms.store_id == _STORE_ID,
    MessageTerms.terms.op("@@")(_WANTED.scalar_subquery()),
)
_OF_STORE = {
    "q": Message.id.in_(_FOUND),
    "lead_id": Message.lead_id == leads.resolved(bindparam("lead_id", type_=Uuid)),
    "agent_id": Message.agent_id == bindparam("agent_id", type_=Uuid),
}


class Pages:
    """A list of messages, with what is for developers only and without."""

    def __init__(
        self, statement: Select[Any], filters: dict[str, ColumnElement[bool]]
    ) -> None:
        shown = statement.where(Message.role != Role.DEBUG.value)
        self._all, self._shown = (
            PageQuery(each, at=Message.timestamp, row_id=Message.id, filters=filters)
            for each in (statement, shown)
        )

    def of(self, *, include_debug: bool) -> PageQuery:
        """Return the list to show."""
        return self._all if include_debug else self._shown


OF_LEAD = Pages(
    scoped(leads.MODEL, MESSAGE)
    .join(Message, Message.lead_id == leads.MODEL.id)
    .where(leads.MODEL.id == leads.resolved(_ROW_ID)),
    _FILTERS,
)
OF_AGENT = Pages(
    scoped(agents.MODEL, MESSAGE)
    .join(Message, Message.agent_id == agents.MODEL.id)
    .where(agents.MODEL.id == _ROW_ID),
    _FILTERS,
)
OF_STORE = Pages(
    select(MESSAGE).where(Message.store_id.in_(my_stores(_STORE_ID))),
    _FILTERS | _OF_STORE,
)


async def in_one_order(
    tx: AsyncConnection, contacts: set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return contacts in the order of who they mean, however they are spelled."""
    if len(contacts) <= 1:
        return [*contacts]
    sent = func.unnest(
        cast([channel for channel, _ in contacts], ARRAY(Text)),
        cast([contact for _, contact in contacts], ARRAY(Text)),
    ).table_valued(column("channel", Text), column("contact", Text), name="sent")
    sent = sent.render_derived()
    statement = select(sent.c.channel, sent.c.contact).order_by(
        sent.c.channel,
        func.vek1_api.contact_id(sent.c.channel, sent.c.contact),
        sent.c.contact,
    )
    return [(row[0], row[1]) for row in await tx.execute(statement)]


async def any_erased(
    driver: Driver, store_id: UUID, messages: Sequence[dict[str, Any]]
) -> bool:
    """Return whether one of the messages of ``APPEND`` was said before its lead was forgotten."""
    row = await _ERASED.row(driver, store_id=store_id, messages=messages)
    return row is not None and bool(row["is_erased"])
