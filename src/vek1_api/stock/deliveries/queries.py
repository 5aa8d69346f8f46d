"""The statements of messages to ERPs. Their steps are functions in ``init/01-init.sql``."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Executable,
    Integer,
    Interval,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import json_object, rfc3339
from vek1_api.stock.outbound_models import (
    StockAttempt,
    StockNotice,
    StockOutlet,
    StockSyncSettings,
)
from vek1_api.stock.outbound_status import AGAIN, OF_ORDERS, DeliveryStatus, MessageType
from vek1_api.stock.secrets_queries import valid_secrets

SHOWN_ATTEMPTS = 20

_STORE_ID = bindparam("store_id", type_=Uuid)
_MOMENT = DateTime(timezone=True)
_STATUS = bindparam("status", type_=Text)


def _utc(moment: Any) -> Any:
    return rfc3339(func.timezone("UTC", moment))


def _attempts() -> Any:
    attempt = StockAttempt
    newest = (
        select(
            attempt.number,
            _utc(attempt.at).label("at"),
            attempt.duration_ms,
            attempt.status,
            attempt.error,
            attempt.answer,
        )
        .where(attempt.movement_id == StockNotice.movement_id)
        .order_by(attempt.number.desc())
        .limit(SHOWN_ATTEMPTS)
        .correlate(StockNotice)
        .subquery("newest")
    )
    row = func.row_to_json(newest.table_valued())
    shown = select(func.coalesce(func.json_agg(row), func.json_build_array()))
    return shown.select_from(newest).scalar_subquery()


def _delivery() -> Any:
    notice = StockNotice
    is_waiting = or_(notice.status == DeliveryStatus.WAITING.value, notice.status == AGAIN)
    is_of_order = or_(*(notice.reason == each for each in OF_ORDERS))
    return json_object(
        {
            "id": notice.movement_id,
            "type": case(
                (~is_of_order, MessageType.ADJUSTED.value),
                (notice.delta < 0, MessageType.DECREMENTED.value),
                else_=MessageType.RESTORED.value,
            ),
            "product_id": notice.product_id,
            "product_integration_id": notice.product_integration_id,
            "sequence": notice.sequence,
            "stock": notice.level,
            "delta": notice.delta,
            "reason": notice.reason,
            "order_id": notice.order_id,
            "status": case(
                (notice.status == AGAIN, DeliveryStatus.WAITING.value), else_=notice.status
            ),
            "created_at": _utc(notice.created_at),
            "next_attempt_at": case(
                (
                    and_(is_waiting, func.isfinite(notice.due_at)),
                    _utc(notice.due_at),
                )
            ),
            "delivered_at": _utc(notice.delivered_at),
            "attempt_count": notice.attempts,
            "attempts": _attempts(),
        }
    )


_MINE = StockNotice.store_id.in_(my_stores(_STORE_ID))
_NOTICE_ID = bindparam("notice_id", type_=Uuid)

PAGE = PageQuery(
    select(_delivery()).where(_MINE),
    at=StockNotice.created_at,
    row_id=StockNotice.movement_id,
    filters={
        "status": or_(
            StockNotice.status == _STATUS,
            and_(
                literal(DeliveryStatus.WAITING.value) == _STATUS,
                StockNotice.status == AGAIN,
            ),
        ),
        "product_id": StockNotice.product_id == bindparam("product_id", type_=Uuid),
    },
)

GET = HotStatement(select(_delivery()).where(_MINE, StockNotice.movement_id == _NOTICE_ID))


def _target() -> Executable:
    settings = StockSyncSettings
    return (
        select(settings.outbound_url, valid_secrets("outbound").label("sealed"))
        .select_from(settings)
        .join(StockOutlet, StockOutlet.store_id == settings.store_id)
        .join(STORES, STORES.c.id == settings.store_id)
        .where(
            settings.store_id == _STORE_ID,
            StockOutlet.is_open,
            STORES.c.status != "deleted",
        )
    )


TARGET = HotStatement(_target())
"""Where a store's messages go, and the sealed secrets that sign them; no row: nowhere."""


def _take() -> Select[Any]:
    kinds: dict[str, Any] = {
        "movement_id": Uuid,
        "product_id": Uuid,
        "product_integration_id": Text,
        "sequence": BigInteger,
        "level": Integer,
        "delta": Integer,
        "reason": Text,
        "order_id": Uuid,
        "origin": Text,
        "created_at": _MOMENT,
        "wanted_at": _MOMENT,
        "attempts": Integer,
    }
    taken = func.vek1_api.take_notices(
        _STORE_ID,
        bindparam("row_limit", type_=Integer),
        bindparam("lease", type_=Interval),
    ).table_valued(*(column(name, kind) for name, kind in kinds.items()), name="taken")
    return select(*taken.c)


TAKE = HotStatement(_take())
"""Lend the next notices of a store to this worker."""

SETTLE = HotStatement(
    select(
        func.vek1_api.settle_notices(
            _STORE_ID,
            bindparam("results", type_=JSONB),
            bindparam("paused_until", type_=_MOMENT),
        ).label("failing_since")
    )
)
"""Write down what came of attempts."""

REST = HotStatement(
    select(
        func.vek1_api.rest_deliveries(_STORE_ID, bindparam("is_tired")).label("is_at_rest")
    )
)
"""End a store's delivery, unless there is something to send."""


async def lock(
    tx: AsyncConnection, access: Access, store_id: UUID, notice_id: UUID
) -> bool:
    """Keep a notice for this transaction; false if there is none within reach."""
    statement = select(StockNotice.movement_id).where(
        StockNotice.movement_id == notice_id, StockNotice.store_id.in_(my_stores(store_id))
    )
    return await tx.scalar(statement.with_for_update(), access.owner) is not None


async def is_open(tx: AsyncConnection, store_id: UUID) -> bool:
    """Return whether a store tells its ERP now."""
    statement = select(StockOutlet.is_open).where(StockOutlet.store_id == store_id)
    return bool(await tx.scalar(statement))


async def want_again(tx: AsyncConnection, notice_id: UUID) -> None:
    """Have a notice sent now, with a day of attempts before it.

    One that waits keeps its place among its product's; one that is done holds no others back.
    """
    waits = StockNotice.status == DeliveryStatus.WAITING.value
    await tx.execute(
        update(StockNotice)
        .where(StockNotice.movement_id == notice_id)
        .values(
            status=case((waits, StockNotice.status), else_=AGAIN),
            wanted_at=func.clock_timestamp(),
            due_at=func.clock_timestamp(),
        )
    )


async def with_due(tx: AsyncConnection) -> list[UUID]:
    """Return the stores that have something to send by now."""
    waits = select(StockNotice.movement_id).where(
        StockNotice.store_id == StockOutlet.store_id,
        StockNotice.status.in_((DeliveryStatus.WAITING.value, AGAIN)),
    )
    following = func.vek1_api.next_notices(StockOutlet.store_id).table_valued(
        column("free_at", _MOMENT), name="following"
    )
    soonest = select(func.min(following.c.free_at)).correlate(StockOutlet)
    statement = select(StockOutlet.store_id).where(
        StockOutlet.is_open,
        waits.exists(),
        soonest.scalar_subquery() <= func.now(),
    )
    return list((await tx.scalars(statement)).all())


async def forget(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete delivered and held messages of before a moment; return how many."""
    old = (
        select(StockNotice.movement_id)
        .where(
            StockNotice.created_at < before,
            StockNotice.status.in_(
                (DeliveryStatus.DELIVERED.value, DeliveryStatus.HELD.value)
            ),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await tx.scalars(old)).all())
    await tx.execute(delete(StockAttempt).where(StockAttempt.movement_id.in_(ids)))
    await tx.execute(delete(StockNotice).where(StockNotice.movement_id.in_(ids)))
    return len(ids)
