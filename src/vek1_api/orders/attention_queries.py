"""The statements of what a person must look at."""

from sqlalchemy import Text, any_, bindparam, func, update
from sqlalchemy.dialects.postgresql import ARRAY, insert as upsert

from vek1_api.core.hot import HotStatement
from vek1_api.orders.models import Attention

_NAMES = ("store_id", "kind", "subject", "order_id", "attempt_id", "details")

ADD = HotStatement(
    upsert(Attention)
    .values({name: bindparam(name, type_=getattr(Attention, name).type) for name in _NAMES})
    .on_conflict_do_nothing()
    .returning(Attention.id)
)

RESOLVE = HotStatement(
    update(Attention)
    .where(
        Attention.order_id == bindparam("order_id", type_=Attention.order_id.type),
        Attention.kind == any_(bindparam("kinds", type_=ARRAY(Text))),
        Attention.resolved_at.is_(None),
    )
    .values(resolved_at=func.now())
)
