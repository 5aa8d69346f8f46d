"""The statements of the ledger, of levels, and of what ERPs send."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Integer,
    Interval,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    select,
    table,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import my_stores, scoped
from vek1_api.core.db import UtcTimestamp
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import json_object, rfc3339, row_object
from vek1_api.products import service as products
from vek1_api.stock.models import ErpKey, ErpLevel, StockMovement, StockPlan
from vek1_api.stock.schemas import LevelRead, MovementRead, ReconciledProduct

PLANS_LIVE = timedelta(days=1)
_STORE_ID = bindparam("store_id", type_=Uuid)
_MOMENT = UtcTimestamp()
_PRODUCT = products.MODEL

MOVEMENTS = PageQuery(
    scoped(StockMovement, row_object(StockMovement, MovementRead)).where(
        StockMovement.store_id == _STORE_ID
    ),
    at=StockMovement.created_at,
    row_id=StockMovement.id,
    filters={
        "product_id": StockMovement.product_id == bindparam("product_id", type_=Uuid),
        "reason": StockMovement.reason == bindparam("reason", type_=Text),
        "order_id": StockMovement.order_id == bindparam("order_id", type_=Uuid),
        "from_": StockMovement.created_at >= bindparam("from_", type_=_MOMENT),
        "to": StockMovement.created_at < bindparam("to", type_=_MOMENT),
    },
)

_ORDERS = table("orders", column("id", Uuid), column("store_id", Uuid))
"""As much of the orders as a filter needs; the table itself belongs above."""

HAS_ORDER = HotStatement(
    select(_ORDERS.c.id).where(
        _ORDERS.c.id == bindparam("order_id", type_=Uuid),
        _ORDERS.c.store_id.in_(my_stores(_STORE_ID)),
    )
)

_SETTLED = select(func.vek1_api.settled_until(type_=_MOMENT).label("moment")).subquery(
    "settled"
)

SETTLED = HotStatement(select(_SETTLED.c.moment, rfc3339(_SETTLED.c.moment).label("shown")))
"""Up to where a poller may read, and the same as RFC 3339."""

LEVELS = PageQuery(
    scoped(_PRODUCT, row_object(_PRODUCT, LevelRead, {"product_id": _PRODUCT.id})).where(
        _PRODUCT.store_id == _STORE_ID,
        _PRODUCT.updated_at < bindparam("settled_until", type_=_MOMENT),
    ),
    at=_PRODUCT.updated_at,
    row_id=_PRODUCT.id,
    filters={
        "updated_since": _PRODUCT.updated_at >= bindparam("updated_since", type_=_MOMENT)
    },
    is_oldest_first=True,
)
"""Sorted by what a poller keeps its place by. An index on it would cost every sale more than
this list is worth: rows of a sale could no longer be updated in place."""


def _receive() -> HotStatement:
    store = my_stores(_STORE_ID).subquery("store")
    received = (
        func.vek1_api.receive_stock(
            store.c.id,
            bindparam("items", type_=JSONB),
            bindparam("is_dry_run", type_=Boolean),
            bindparam("is_forced", type_=Boolean),
        )
        .table_valued(
            column("is_held", Boolean),
            *(
                column(name, Integer)
                for name in ("changed", "sold_out", "catalogue", "in_stock")
            ),
            column("plan_id", Uuid),
            column("summary", Text),
            column("verdicts", Text),
        )
        .lateral("received")
    )
    return HotStatement(select(*received.c).select_from(store.join(received, true())))


RECEIVE = _receive()
"""Take a batch of the store's ERP, as ``vek1_api.receive_stock`` does."""

TAKE_PLAN = HotStatement(
    delete(StockPlan)
    .where(
        StockPlan.id == bindparam("plan_id", type_=Uuid),
        StockPlan.store_id.in_(my_stores(_STORE_ID)),
        StockPlan.created_at > func.now() - literal(PLANS_LIVE, Interval),
    )
    .returning(cast(StockPlan.items, Text).label("items"))
)
"""A plan is applied once: if that fails, its transaction puts it back."""


async def forget_keys(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete the ids of changes that came before a moment, the oldest first; return how many."""
    place = tuple_(ErpKey.store_id, ErpKey.external_id)
    old = (
        select(ErpKey.store_id, ErpKey.external_id)
        .where(ErpKey.received_at < before)
        .order_by(ErpKey.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await tx.execute(delete(ErpKey).where(place.in_(old)))).rowcount


async def forget_plans(tx: AsyncConnection, before: datetime) -> None:
    """Delete the dry runs of before a moment."""
    await tx.execute(delete(StockPlan).where(StockPlan.created_at < before))


def _zulu(moment: Any) -> ColumnElement[str | None]:
    return rfc3339(func.timezone("UTC", moment, type_=_MOMENT))


def _reconciliation() -> Select[Any]:
    """Select each product of a store with its three witnesses, those that differ first."""
    summed = (
        select(StockMovement.product_id, func.sum(StockMovement.delta).label("ledger"))
        .where(StockMovement.store_id == _STORE_ID)
        .group_by(StockMovement.product_id)
        .subquery("summed")
    )
    moved_since = func.vek1_api.stock_moved_since(
        _PRODUCT.id, ErpLevel.occurred_at, ErpLevel.received_at
    )
    report = (
        scoped(
            _PRODUCT,
            _PRODUCT.id,
            _PRODUCT.product_integration_id,
            _PRODUCT.name,
            _PRODUCT.stock,
            func.coalesce(summed.c.ledger, 0).label("ledger"),
            ErpLevel.level,
            _zulu(ErpLevel.occurred_at).label("occurred_at"),
            _zulu(ErpLevel.received_at).label("received_at"),
            ErpLevel.external_id,
            cast(ErpLevel.level + moved_since, Integer).label("expected"),
        )
        .outerjoin(summed, summed.c.product_id == _PRODUCT.id)
        .outerjoin(ErpLevel, ErpLevel.product_id == _PRODUCT.id)
        .where(_PRODUCT.store_id == _STORE_ID)
        .subquery("report")
    )
    row = report.c
    agrees = and_(
        row.ledger == row.stock, func.coalesce(row.expected, row.stock) == row.stock
    )
    return select(
        *row, (row.stock - row.expected).label("difference"), agrees.label("agrees")
    ).select_from(report)


_REPORT = _reconciliation().subquery("compared")
_WORD = json_object(
    {
        "level": _REPORT.c.level,
        "occurred_at": _REPORT.c.occurred_at,
        "received_at": _REPORT.c.received_at,
        "external_id": _REPORT.c.external_id,
    }
)
_COMPARED = {
    "product_id": _REPORT.c.id,
    "erp": case((_REPORT.c.level.is_not(None), cast(_WORD, JSON))),
}
_PLACE = _REPORT.c.agrees, _REPORT.c.id
_AFTER = tuple_(bindparam("after_agrees", type_=Boolean), bindparam("after_id", type_=Uuid))

RECONCILIATION = HotStatement(
    select(
        row_object(_REPORT.c, ReconciledProduct, _COMPARED),
        _REPORT.c.agrees,
        _REPORT.c.id,
    )
    .where(tuple_(*_PLACE) > _AFTER)
    .order_by(*_PLACE)
    .limit(bindparam("row_limit", type_=Integer))
)
"""A page of the report. Every page compares the whole store: that is what puts the
differences first."""

WHOLE_RECONCILIATION = HotStatement(select(*_REPORT.c).order_by(*_PLACE))
