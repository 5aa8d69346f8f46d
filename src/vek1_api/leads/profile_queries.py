"""The statements of profiles: their versions, their vectors, and finding people by them."""

from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    Double,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    table,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import my_stores, scoped
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import json_object, row_object
from vek1_api.documents.indexing_queries import as_vector
from vek1_api.leads.models import DIMENSIONS, Lead, LeadProfile, LeadVector
from vek1_api.leads.queries import LEAD, resolved
from vek1_api.leads.schemas import ProfileVersion

VERSION = row_object(LeadProfile, ProfileVersion)
_MESSAGES = table("messages_history", column("id", Uuid), column("lead_id", Uuid))
"""As much of the messages as a profile needs; the table itself is conversations'."""
_ROW_ID = bindparam("row_id", type_=Uuid)

VERSIONS = HotStatement(
    scoped(Lead, LeadProfile.version, VERSION)
    .join(LeadProfile, LeadProfile.lead_id == Lead.id)
    .where(
        Lead.id == resolved(_ROW_ID),
        LeadProfile.version < bindparam("before", type_=Integer),
    )
    .order_by(LeadProfile.version.desc())
    .limit(bindparam("row_limit", type_=Integer))
)


def _search() -> HotStatement:
    store = my_stores(bindparam("store_id", type_=Uuid)).subquery()
    moment = Lead.last_contact_at.type
    near = (
        func.vek1_api.search_leads(
            store.c.id,
            bindparam("model_id", type_=SmallInteger),
            cast(bindparam("embedding", type_=Text), VECTOR(DIMENSIONS)),
            bindparam("status", type_=Text),
            bindparam("channel", type_=Text),
            bindparam("city", type_=Text),
            bindparam("last_contact_from", type_=moment),
            bindparam("last_contact_to", type_=moment),
            bindparam("row_limit", type_=Integer),
        )
        .table_valued(column("lead_id", Uuid), column("similarity", Double))
        .lateral("near")
    )
    hit = json_object({"lead": cast_json(LEAD), "similarity": near.c.similarity})
    return HotStatement(
        select(hit)
        .select_from(store.join(near, true()).join(Lead, Lead.id == near.c.lead_id))
        .order_by(near.c.similarity.desc(), Lead.id)
    )


def cast_json(text: Any) -> Any:
    """Return a JSON text as JSON, to stand inside another object."""
    return func.json(text)


SEARCH = _search()


async def said(tx: AsyncConnection, lead_id: UUID, message_ids: set[UUID]) -> set[UUID]:
    """Return which of these are messages of the lead."""
    statement = select(_MESSAGES.c.id).where(
        _MESSAGES.c.lead_id == lead_id, _MESSAGES.c.id.in_(message_ids)
    )
    return set(await tx.scalars(statement))


async def newest(tx: AsyncConnection, lead_id: UUID) -> int:
    """Return the number of a lead's newest version; zero before the first."""
    statement = select(func.max(LeadProfile.version)).where(LeadProfile.lead_id == lead_id)
    return await tx.scalar(statement) or 0


async def add(tx: AsyncConnection, values: dict[str, Any]) -> None:
    """Write a version."""
    await tx.execute(insert(LeadProfile).values(values))


async def source(connection: AsyncConnection, lead_id: UUID) -> Any | None:
    """Return the store, newest version and summary of a lead that has a profile."""
    statement = (
        select(Lead.store_id, LeadProfile.version, LeadProfile.profile_summary)
        .join(LeadProfile, LeadProfile.lead_id == Lead.id)
        .where(Lead.id == lead_id)
        .order_by(LeadProfile.version.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def set_vector(
    tx: AsyncConnection, lead_id: UUID, found: Any, model_id: int, vector: str
) -> None:
    """Write a version's vector if it is still the newest."""
    locked = select(Lead.id).where(Lead.id == lead_id).with_for_update(key_share=True)
    if await tx.scalar(locked) is None or await newest(tx, lead_id) != found.version:
        return
    embedding = as_vector(literal(vector, Text))
    values = {
        "store_id": found.store_id,
        "version": found.version,
        "model_id": model_id,
        "embedding": embedding,
    }
    await tx.execute(
        upsert(LeadVector)
        .values(lead_id=lead_id, **values)
        .on_conflict_do_update(index_elements=[LeadVector.lead_id], set_=values)
    )
    await tx.execute(
        update(Lead).where(Lead.id == lead_id).values(profile_embedding=embedding)
    )


async def left_behind(tx: AsyncConnection, model_id: int, limit: int) -> list[UUID]:
    """Return leads whose newest profile has no vector of the model in use."""
    newest_of = select(func.max(LeadProfile.version)).where(LeadProfile.lead_id == Lead.id)
    statement = (
        select(Lead.id)
        .outerjoin(LeadVector, LeadVector.lead_id == Lead.id)
        .where(
            Lead.profile_summary.is_not(None),
            newest_of.scalar_subquery().is_not(None),
            LeadVector.model_id.is_distinct_from(model_id),
        )
        .limit(limit)
    )
    return list(await tx.scalars(statement))
