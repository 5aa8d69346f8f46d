"""The statements that find drafts which nobody wants any more."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import STORES
from vek1_api.orders.attempts import WAITING
from vek1_api.orders.models import AttemptRef, Order, OrderState

DEFAULT_MINUTES = 1440
_LONGEST_MINUTES = 525_600
_COMPANIES = table("company_profiles", column("id", Text), column("settings", JSONB))


def _stale() -> Select[Any]:
    """Select drafts older than ``settings.orders.draft_ttl_minutes`` of their company.

    What is no number of minutes counts as not set; null says never.
    """
    said = _COMPANIES.c.settings["orders"]["draft_ttl_minutes"]
    digits = said.astext.op("~")(r"^[0-9]{1,6}$")
    minutes = case(
        (and_(func.jsonb_typeof(said) == "number", digits), cast(said.astext, Integer)),
        else_=literal(DEFAULT_MINUTES),
    )
    is_for_ever = func.coalesce(func.jsonb_typeof(said) == "null", False)
    # Somebody may be paying it this moment.
    waits = AttemptRef.order_id == Order.id, AttemptRef.state.in_(WAITING)
    age = func.make_interval(0, 0, 0, 0, 0, func.least(minutes, _LONGEST_MINUTES))
    return (
        select(Order.id, STORES.c.company_id)
        .join(OrderState, OrderState.order_id == Order.id)
        .join(STORES, STORES.c.id == Order.store_id)
        .join(_COMPANIES, _COMPANIES.c.id == STORES.c.company_id)
        .where(
            Order.status == "draft",
            STORES.c.status != "deleted",
            OrderState.drafted_at < func.now() - age,
            ~is_for_ever,
            ~exists().where(*waits),
        )
    )


async def stale_drafts(connection: AsyncConnection, limit: int) -> list[tuple[UUID, str]]:
    """Return drafts to be cancelled and their companies, the oldest first."""
    statement = _stale().order_by(OrderState.drafted_at).limit(limit)
    return [(row[0], row[1]) for row in await connection.execute(statement)]


async def is_stale(tx: AsyncConnection, order_id: UUID) -> bool:
    """Return whether the draft, which the caller holds, is still to be cancelled."""
    return (await tx.execute(_stale().where(Order.id == order_id))).first() is not None
