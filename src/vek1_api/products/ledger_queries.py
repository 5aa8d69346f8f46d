"""The one statement that changes ``products.stock`` and writes the movement with it."""

from typing import Any

from sqlalchemy import Integer, Text, Uuid, bindparam, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from vek1_api.access.grants import scoped_update
from vek1_api.core.hot import HotStatement
from vek1_api.products.models import Product, StockMovement
from vek1_api.products.schemas import LARGEST_STOCK

_DETAILS: dict[str, Any] = {
    "reason": Text,
    "order_id": Uuid,
    "external_id": Text,
    "payload": JSONB,
}


def _move() -> HotStatement:
    delta = bindparam("delta", type_=Integer)
    moved = (
        scoped_update(Product)
        .where(
            Product.id == bindparam("row_id", type_=Uuid),
            (Product.stock + delta).between(0, LARGEST_STOCK),
        )
        .values(stock=Product.stock + delta)
        .returning(Product.id, Product.store_id, Product.stock)
        .cte("moved")
    )
    details = {name: bindparam(name, type_=kind) for name, kind in _DETAILS.items()}
    values = select(moved.c.store_id, moved.c.id, delta, *details.values())
    movement = (
        insert(StockMovement)
        .from_select(["store_id", "product_id", "delta", *details], values)
        .cte("movement")
    )
    return HotStatement(select(moved.c.stock).add_cte(movement))


MOVE = _move()
"""Conditional: no row, and no change, where the stock does not allow it."""
