"""The statements of products. Those of the stock are in ``ledger``."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Double,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import my_stores, scoped, scoped_delete, scoped_update
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import Json, row_object
from vek1_api.products.models import Product, ProductIndex, ProductKey
from vek1_api.products.schemas import ProductRead

PRODUCT = row_object(Product, ProductRead)
_STORE_ID = bindparam("store_id", type_=Uuid)
_INTEGRATION_ID = bindparam("product_integration_id", type_=Text)

GET = HotStatement(
    scoped(Product, PRODUCT).where(Product.id == bindparam("row_id", type_=Uuid))
)

# As a scalar subquery it is asked once, not for every row.
_WANTED = select(func.vek1_api.product_query(_STORE_ID, bindparam("q", type_=Text)))
_FOUND = select(ProductIndex.product_id).where(
    ProductIndex.store_id == _STORE_ID,
    ProductIndex.terms.op("@@")(_WANTED.scalar_subquery()),
)

PAGE = PageQuery(
    scoped(Product, PRODUCT).where(Product.store_id == _STORE_ID),
    at=Product.created_at,
    row_id=Product.id,
    filters={
        "q": Product.id.in_(_FOUND),
        "in_stock": (Product.stock > 0) == bindparam("in_stock", type_=Boolean),
        "product_integration_id": Product.product_integration_id == _INTEGRATION_ID,
        "updated_since": Product.updated_at
        >= bindparam("updated_since", type_=Product.updated_at.type),
    },
)

_KEY = ["store_id", "product_integration_id", "product_id"]
_NEW: dict[str, Any] = {
    "id": Uuid,
    "name": Text,
    "description": Text,
    "price": Double,
    "stock": Integer,
    "product_integration_id": Text,
    "custom_props": JSONB,
}


def _claim(product_id: Any) -> Any:
    """Return the insert of an ERP's id for a product; without effect if another has it."""
    key = my_stores(_STORE_ID).add_columns(_INTEGRATION_ID, product_id)
    return (
        upsert(ProductKey)
        .from_select(_KEY, key.where(_INTEGRATION_ID.is_not(None)))
        .on_conflict_do_nothing()
        .returning(ProductKey.product_id)
    )


def _add() -> HotStatement:
    values = {name: bindparam(name, type_=kind) for name, kind in _NEW.items()}
    claimed = _claim(values["id"]).cte("claimed")
    is_free = or_(_INTEGRATION_ID.is_(None), select(claimed.c.product_id).exists())
    table = cast("Table", Product.__table__)
    product = (
        insert(table)
        .from_select(
            ["store_id", *values],
            my_stores(_STORE_ID).add_columns(*values.values()).where(is_free),
        )
        .returning(table)
        .cte("product")
    )
    return HotStatement(select(product.c.id, row_object(product.c, ProductRead)))


ADD = _add()
"""Write a product; no row if the store is out of reach or the ERP's id is taken.

Triggers write the movement of its first stock, its document, and what it is found by.
"""

CLAIM = HotStatement(_claim(bindparam("row_id", type_=Uuid)))
"""Take an ERP's id for a product; no row if another product has it."""

BY_KEY = HotStatement(
    select(ProductKey.product_id).where(
        and_(
            ProductKey.store_id.in_(my_stores(_STORE_ID)),
            ProductKey.product_integration_id == _INTEGRATION_ID,
        )
    )
)
"""Which product an ERP's id names."""

GET_BY_KEY = HotStatement(
    scoped(Product, PRODUCT)
    .join(ProductKey, ProductKey.product_id == Product.id)
    .where(
        ProductKey.store_id == _STORE_ID,
        ProductKey.product_integration_id == _INTEGRATION_ID,
    )
)

SPEAKS_FOR = HotStatement(
    select(ProductIndex.product_id).where(
        ProductIndex.document_id == bindparam("document_id", type_=Uuid)
    )
)
"""Which product a generated document speaks for."""

_LOST = (
    select(Product.id)
    .outerjoin(ProductIndex, ProductIndex.product_id == Product.id)
    .where(ProductIndex.product_id.is_(None))
    .limit(bindparam("row_limit", type_=Integer))
    .subquery()
)
INDEX_LOST = HotStatement(
    select(
        func.vek1_api.index_products(func.array_agg(_LOST.c.id)),
        func.count().label("found"),
    ).select_from(_LOST)
)
"""Make what triggers missed, for products that were written while they were away."""


async def lock(tx: AsyncConnection, access: Access, product_id: UUID) -> Json | None:
    """Return the product as JSON, locked against other changes."""
    statement = scoped(Product, PRODUCT).where(Product.id == product_id)
    locked = statement.with_for_update(of=Product, key_share=True)
    body: Json | None = await tx.scalar(locked, access.owner)
    return body


async def change(
    tx: AsyncConnection, access: Access, product_id: UUID, values: dict[str, Any]
) -> None:
    """Change a product's columns, the stock apart."""
    statement = scoped_update(Product).where(Product.id == product_id).values(**values)
    await tx.execute(statement, access.owner)


async def remove(tx: AsyncConnection, access: Access, product_id: UUID) -> None:
    """Delete a product; triggers unlink its history and remove what is derived from it."""
    await tx.execute(scoped_delete(Product).where(Product.id == product_id), access.owner)
