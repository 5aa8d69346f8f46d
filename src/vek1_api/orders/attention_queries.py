"""The statements of what a person must look at."""

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    any_,
    bindparam,
    case,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert as upsert

from vek1_api.access.grants import scoped, scoped_update
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import rfc3339, row_object
from vek1_api.orders.attention_schemas import ADVICE, AttentionRead
from vek1_api.orders.models import Attention, Order

_NAMES = ("store_id", "kind", "subject", "order_id", "attempt_id", "details")

ADD = HotStatement(
    upsert(Attention)
    .values({name: bindparam(name, type_=getattr(Attention, name).type) for name in _NAMES})
    .on_conflict_do_nothing()
    .returning(Attention.id)
)

ADD_AGAIN = HotStatement(
    upsert(Attention)
    .values({name: bindparam(name, type_=getattr(Attention, name).type) for name in _NAMES})
    .on_conflict_do_update(
        index_elements=["store_id", "kind", "subject"],
        set_={
            "details": bindparam("details", type_=Attention.details.type),
            # What is open still keeps its place in the list.
            "created_at": case(
                (Attention.resolved_at.is_(None), Attention.created_at), else_=func.now()
            ),
            "resolved_at": None,
        },
    )
    .returning(Attention.id)
)
"""The same, and what was resolved is open again."""

RESOLVE = HotStatement(
    update(Attention)
    .where(
        Attention.order_id == bindparam("order_id", type_=Attention.order_id.type),
        Attention.kind == any_(bindparam("kinds", type_=ARRAY(Text))),
        Attention.resolved_at.is_(None),
    )
    .values(resolved_at=func.now())
)

RESOLVE_ATTEMPT = HotStatement(
    update(Attention)
    .where(
        Attention.attempt_id == bindparam("attempt_id", type_=Attention.attempt_id.type),
        Attention.resolved_at.is_(None),
    )
    .values(resolved_at=func.now())
)

_STORE_ID = bindparam("store_id", type_=Attention.store_id.type)
_ITEM_ID = bindparam("attention_id", type_=Attention.id.type)
_ITEM = row_object(
    Attention,
    AttentionRead,
    {
        "number": select(Order.number)
        .where(Order.id == Attention.order_id)
        .scalar_subquery(),
        "amount_cents": cast(Attention.details["amount_cents"].astext, Integer),
        "advice": case(dict(ADVICE), value=Attention.kind),
        "created_at": rfc3339(func.timezone("UTC", Attention.created_at)),
        "resolved_at": rfc3339(func.timezone("UTC", Attention.resolved_at)),
    },
)
PAGE = PageQuery(
    scoped(Attention, _ITEM).where(Attention.store_id == _STORE_ID),
    at=Attention.created_at,
    row_id=Attention.id,
    filters={
        "kind": Attention.kind == bindparam("kind", type_=Text),
        "order_id": Attention.order_id
        == bindparam("order_id", type_=Attention.order_id.type),
        "resolved": Attention.resolved_at.is_not(None)
        == bindparam("resolved", type_=Boolean),
    },
)
GET = HotStatement(
    scoped(Attention, _ITEM).where(
        Attention.store_id == _STORE_ID, Attention.id == _ITEM_ID
    )
)
TICK_OFF = HotStatement(
    scoped_update(Attention)
    .where(
        Attention.store_id == _STORE_ID,
        Attention.id == _ITEM_ID,
        Attention.resolved_at.is_(None),
    )
    .values(resolved_at=func.now())
    .returning(Attention.kind, Attention.order_id)
)
