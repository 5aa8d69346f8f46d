"""The statements of privacy. What erasing takes is in ``init/01-init.sql``: ``erase_lead``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.db import UtcTimestamp
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import Json, row_object
from vek1_api.leads import service as leads
from vek1_api.privacy.models import StorePrivacy
from vek1_api.privacy.schemas import PrivacyRead

Lead = leads.MODEL
_STORE_ID = bindparam("store_id", type_=Uuid)
_LEAD_ID = bindparam("lead_id", type_=Uuid)
_MOMENT = UtcTimestamp()

_ENDED = ("fulfilled", "cancelled")
"""Statuses of orders after which nothing is owed to the customer."""

_ORDERS = table(
    "orders", column("lead_id", Uuid), column("status", Text), column("updated_at", _MOMENT)
)
_MESSAGES = table(
    "messages_history", column("store_id", Uuid), column("timestamp", _MOMENT)
)

HOLD = HotStatement(select(func.vek1_api.hold_lead(_LEAD_ID)))
"""Keep a lead as it is until the transaction ends."""


def _erase() -> HotStatement:
    erased = func.vek1_api.erase_lead(_LEAD_ID).table_valued(
        column("objects", ARRAY(Text)), column("receipt", JSONB), name="erased"
    )
    return HotStatement(
        select(erased.c.objects, cast(erased.c.receipt, Text).label("receipt"))
    )


ERASE = _erase()
"""Forget a lead; the objects to remove and the counts, or no row if there is no such lead."""


def _forget_messages() -> HotStatement:
    forgotten = func.vek1_api.forget_messages(
        _STORE_ID,
        bindparam("before", type_=DateTime(timezone=False)),
        bindparam("row_limit", type_=Integer),
    ).table_valued(column("objects", ARRAY(Text)), column("messages", Integer))
    return HotStatement(select(forgotten.c.objects, forgotten.c.messages))


FORGET_MESSAGES = _forget_messages()
"""Delete a store's oldest messages from before a moment (UTC, naive)."""

SETTINGS = HotStatement(
    select(row_object(StorePrivacy, PrivacyRead))
    .select_from(STORES)
    .outerjoin(StorePrivacy, StorePrivacy.store_id == STORES.c.id)
    .where(STORES.c.id.in_(my_stores(_STORE_ID)))
)
"""The periods of a store within reach; both are null where none were set."""


@dataclass(frozen=True, slots=True)
class Periods:
    """A store's periods, and whose store it is."""

    company_id: str
    messages_days: int | None
    leads_days: int | None


async def lock(tx: AsyncConnection, access: Access, store_id: UUID) -> Json | None:
    """Return a store's periods as JSON, locked; the row is made when it is first needed."""
    store = my_stores(store_id)
    await tx.execute(
        upsert(StorePrivacy).from_select(["store_id"], store).on_conflict_do_nothing(),
        access.owner,
    )
    statement = select(row_object(StorePrivacy, PrivacyRead)).where(
        StorePrivacy.store_id.in_(store)
    )
    body: Json | None = await tx.scalar(statement.with_for_update(), access.owner)
    return body


async def change(tx: AsyncConnection, store_id: UUID, values: dict[str, Any]) -> Json:
    """Change the periods of a store that is locked, and return them."""
    statement = (
        update(StorePrivacy)
        .where(StorePrivacy.store_id == store_id)
        .values(**values, updated_at=func.now())
        .returning(row_object(StorePrivacy, PrivacyRead))
    )
    return str(await tx.scalar(statement))


async def periods(connection: AsyncConnection, store_id: UUID) -> Periods | None:
    """Return the periods of any store: a closed one forgets, too."""
    statement = (
        select(STORES.c.company_id, StorePrivacy.messages_days, StorePrivacy.leads_days)
        .join(StorePrivacy, StorePrivacy.store_id == STORES.c.id)
        .where(STORES.c.id == store_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Periods(*row)


async def with_periods(connection: AsyncConnection) -> Sequence[UUID]:
    """Return the stores that keep something for a time only."""
    limited = or_(
        StorePrivacy.messages_days.is_not(None), StorePrivacy.leads_days.is_not(None)
    )
    return (await connection.scalars(select(StorePrivacy.store_id).where(limited))).all()


def _silent(before: datetime) -> ColumnElement[bool]:
    """Nothing heard since, and nothing owed."""
    is_busy = or_(_ORDERS.c.status.not_in(_ENDED), _ORDERS.c.updated_at >= before)
    busy = exists().where(_ORDERS.c.lead_id == Lead.id, is_busy)
    return (Lead.last_contact_at < before) & ~busy


async def count_messages(
    connection: AsyncConnection, store_id: UUID, before: datetime
) -> int:
    """Return how many of a store's messages were said before a moment."""
    statement = (
        select(func.count())
        .select_from(_MESSAGES)
        .where(_MESSAGES.c.store_id == store_id, _MESSAGES.c.timestamp < before)
    )
    return await connection.scalar(statement) or 0


async def count_silent(
    connection: AsyncConnection, store_id: UUID, before: datetime
) -> int:
    """Return how many of a store's people are silent since a moment."""
    statement = (
        select(func.count())
        .select_from(Lead)
        .where(Lead.store_id == store_id, _silent(before))
    )
    return await connection.scalar(statement) or 0


async def silent(
    connection: AsyncConnection, store_id: UUID, before: datetime, limit: int
) -> Sequence[UUID]:
    """Return people of a store who are silent since a moment."""
    statement = select(Lead.id).where(Lead.store_id == store_id, _silent(before))
    return (await connection.scalars(statement.limit(limit))).all()


async def is_silent(tx: AsyncConnection, lead_id: UUID, before: datetime) -> bool:
    """Return whether somebody is still there and still silent."""
    statement = select(Lead.id).where(Lead.id == lead_id, _silent(before))
    return await tx.scalar(statement) is not None
