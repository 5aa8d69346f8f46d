"""The statements of what an order knows about its proofs of payment."""

from sqlalchemy import Integer, Text, Uuid, bindparam, update

from vek1_api.core.hot import HotStatement
from vek1_api.orders.models import OrderState

_THIS = OrderState.order_id == bindparam("row_id", type_=Uuid)
_REVIEW = bindparam("review", type_=Text)

NOTE_VERSION = HotStatement(
    update(OrderState)
    .where(_THIS)
    .values(proof_versions=bindparam("version", type_=Integer), proof_review=_REVIEW)
)
NOTE_REVIEW = HotStatement(update(OrderState).where(_THIS).values(proof_review=_REVIEW))
