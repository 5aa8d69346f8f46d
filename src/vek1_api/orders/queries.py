"""The statements of orders. What makes, fills and empties one is in ``init/01-init.sql``."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import my_stores, scoped, scoped_update
from vek1_api.audit import service as audit_service
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import rfc3339, row_object
from vek1_api.leads import service as leads
from vek1_api.orders.models import AttemptRef, Order, OrderEvent, OrderState
from vek1_api.orders.schemas import OrderEventRead, OrderSummary

_STORE_ID = bindparam("store_id", type_=Uuid)
_ROW_ID = bindparam("row_id", type_=Uuid)
_API_URL = bindparam("api_url", type_=Text)


def _whole(order_id: Any) -> Any:
    return func.vek1_api.order_json(order_id, _API_URL).label("body")


GET = HotStatement(scoped(Order, _whole(Order.id)).where(Order.id == _ROW_ID))


def _create() -> HotStatement:
    store = my_stores(_STORE_ID).subquery()
    made = (
        func.vek1_api.create_order(
            store.c.id, bindparam("order", type_=JSONB), bindparam("items", type_=JSONB)
        )
        .table_valued(column("order_id", Uuid), column("problem", JSONB))
        .lateral("made")
    )
    logged = audit_service.logging("order.created", "order", made.c.order_id, store.c.id)
    is_made = made.c.order_id.is_not(None)
    return HotStatement(
        select(
            made.c.problem,
            case((is_made, _whole(made.c.order_id))).label("body"),
            case((is_made, logged)),
        ).select_from(store.join(made, true()))
    )


CREATE = _create()
"""Make an order, or tell its ``problem``; no row for a store out of reach."""


def _qr(kind: str) -> Any:
    path = func.concat(_API_URL, "/v1/orders/", Order.id, f"/payment/qr.{kind}")
    return case((Order.payment_br_code.is_not(None), path))


_PAYMENT = case(
    (
        Order.payment_method.is_not(None),
        func.json_build_object(
            *("method", Order.payment_method),
            *("provider", Order.payment_provider),
            *("status", AttemptRef.state),
            *("br_code", Order.payment_br_code),
            *("qr_png_url", _qr("png")),
            *("qr_svg_url", _qr("svg")),
            *("expires_at", rfc3339(Order.payment_expires_at)),
        ),
    )
)
_PROOF = case(
    (
        Order.proof_received_at.is_not(None),
        func.json_build_object(
            *("received_at", rfc3339(Order.proof_received_at)),
            *("mime_type", Order.proof_mime_type),
            *("versions", func.coalesce(OrderState.proof_versions, literal(0))),
            *("review", OrderState.proof_review),
        ),
    )
)
SUMMARY = row_object(Order, OrderSummary, {"payment": _PAYMENT, "proof": _PROOF})
_CUSTOMER = func.vek1_api.fold(
    func.concat_ws(
        " ",
        Order.customer_name,
        Order.customer_phone,
        Order.customer_email,
        Order.customer_tax_id,
    )
)
_DATE = Order.created_at.type

PAGE = PageQuery(
    scoped(Order, SUMMARY)
    .outerjoin(OrderState, OrderState.order_id == Order.id)
    .outerjoin(AttemptRef, AttemptRef.attempt_id == OrderState.attempt_id)
    .where(Order.store_id == _STORE_ID),
    at=Order.created_at,
    row_id=Order.id,
    filters={
        "status": Order.status == bindparam("status", type_=Text),
        "lead_id": Order.lead_id == leads.resolved(bindparam("lead_id", type_=Uuid)),
        "number": Order.number == bindparam("number", type_=Integer),
        "created_from": Order.created_at >= bindparam("created_from", type_=_DATE),
        "created_to": Order.created_at < bindparam("created_to", type_=_DATE),
        "q": func.strpos(_CUSTOMER, func.vek1_api.fold(bindparam("q", type_=Text))) > 0,
    },
)

EVENTS = PageQuery(
    scoped(Order, row_object(OrderEvent, OrderEventRead))
    .join(OrderEvent, OrderEvent.order_id == Order.id)
    .where(Order.id == _ROW_ID),
    at=OrderEvent.created_at,
    row_id=OrderEvent.id,
    filters={"type": OrderEvent.type == bindparam("type", type_=Text)},
)

_HELD = (
    *("id", "store_id", "lead_id", "agent_id", "number", "status", "source"),
    *("payment_method", "payment_provider", "payment_br_code", "total_cents"),
    *("shipping_cents", "discount_cents"),
    *("paid_at", "customer_name", "customer_email", "customer_phone", "customer_tax_id"),
)
LOCK = HotStatement(
    scoped(Order, *(getattr(Order, name) for name in _HELD))
    .where(Order.id == _ROW_ID)
    .with_for_update(of=Order)
)
"""An order that stays as it is until the transaction ends."""

STATE = HotStatement(
    select(
        OrderState.attempt_id,
        OrderState.paid_attempt_id,
        OrderState.proof_versions,
        OrderState.proof_review,
    ).where(OrderState.order_id == _ROW_ID)
)

CHANGE_DRAFT = HotStatement(
    select(
        func.vek1_api.change_draft(
            _ROW_ID,
            bindparam("items", type_=JSONB(none_as_null=True)),
            bindparam("shipping", type_=BigInteger),
            bindparam("discount", type_=BigInteger),
        ).label("problem")
    )
)

RELEASE = HotStatement(select(func.vek1_api.release_stock(_ROW_ID)))


def _add_events() -> HotStatement:
    happened = (
        func.jsonb_to_recordset(bindparam("events", type_=JSONB))
        .table_valued(column("type", Text), column("actor", Text), column("data", JSONB))
        .render_derived(with_types=True)
    )
    # Later than the event before it, though both belong to one transaction.
    now = func.timezone("UTC", func.clock_timestamp())
    return HotStatement(
        insert(OrderEvent).from_select(
            ["order_id", "type", "actor", "data", "created_at"],
            select(
                cast(_ROW_ID, Uuid), happened.c.type, happened.c.actor, happened.c.data, now
            ),
        )
    )


ADD_EVENTS = _add_events()


@lru_cache(maxsize=256)
def _change(names: frozenset[str]) -> HotStatement:
    """Return the update of these columns, compiled once for each set of them."""
    values = {
        name: bindparam(f"new_{name}", type_=getattr(Order, name).type) for name in names
    }
    return HotStatement(
        scoped_update(Order).where(Order.id == _ROW_ID).values(values).returning(Order.id)
    )


async def change(
    tx: AsyncConnection, access: Access, order_id: UUID, values: dict[str, Any]
) -> None:
    """Change an order's columns."""
    sent = {f"new_{name}": value for name, value in values.items()}
    statement = _change(frozenset(values))
    row = await statement.row(await driver_of(tx), row_id=order_id, **sent, **access.owner)
    assert row is not None
