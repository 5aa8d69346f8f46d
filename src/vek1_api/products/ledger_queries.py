"""The one way to ``products.stock``: ``vek1_api.move_stock``, with the movement."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, array

from vek1_api.access.grants import scoped
from vek1_api.core.hot import HotStatement
from vek1_api.products.models import Product


def moving(store_id: Any, products: Any, deltas: Any, *details: Any) -> Any:
    """Return the call as a table: ``product_id``, ``is_moved``, ``before``, ``after``.

    ``details`` are the reason, the order, the external id and the payload.
    """
    return (
        func.vek1_api.move_stock(store_id, products, deltas, *details)
        .table_valued(
            column("product_id", Uuid),
            column("is_moved", Boolean),
            column("before", Integer),
            column("after", Integer),
        )
        .lateral("moved")
    )


def _move() -> HotStatement:
    product = (
        scoped(Product, Product.id, Product.store_id)
        .where(Product.id == bindparam("row_id", type_=Uuid))
        .subquery("product")
    )
    moved = moving(
        product.c.store_id,
        array([product.c.id]),
        array([bindparam("delta", type_=Integer)]),
        bindparam("reason", type_=Text),
        bindparam("order_id", type_=Uuid),
        bindparam("external_id", type_=Text),
        bindparam("payload", type_=JSONB),
    )
    return HotStatement(
        select(moved.c.is_moved, moved.c.after).select_from(product.join(moved, true()))
    )


MOVE = _move()
"""No change where the stock does not allow it; no row for a product out of reach."""
