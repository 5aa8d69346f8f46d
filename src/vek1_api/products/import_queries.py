"""The statements of the import and the export: each does a whole batch of products."""

from typing import Any, cast as typed

from sqlalchemy import (
    Double,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert as upsert

from vek1_api.access.grants import my_stores, scoped, scoped_update
from vek1_api.core.hot import HotStatement
from vek1_api.products.ledger_queries import moving
from vek1_api.products.models import Product, ProductKey
from vek1_api.products.status import MovementReason

_STORE_ID = bindparam("store_id", type_=Uuid)
_BLANKS = " \t\n\r\x0b\x0c\u00a0"

_ROWS = (
    func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    .table_valued(
        column("target", Uuid),
        column("id", Uuid),
        column("product_integration_id", Text),
        column("name", Text),
        column("description", Text),
        column("price", Numeric),
        column("stock", Integer),
        column("custom_props", Text),
    )
    .render_derived(name="given", with_types=True)
)
"""What the rows say, as they were read; ``target`` is the product of each, once it is known."""

_KEY = ["store_id", "product_integration_id", "product_id"]


def _claim() -> HotStatement:
    named = select(Product.id).where(
        Product.id == _ROWS.c.id, Product.store_id == _STORE_ID
    )
    can_be_made = and_(
        _ROWS.c.id.is_(None), _ROWS.c.name.is_not(None), _ROWS.c.price.is_not(None)
    )
    rows = (
        my_stores(_STORE_ID)
        .add_columns(
            _ROWS.c.product_integration_id,
            func.coalesce(_ROWS.c.id, func.gen_random_uuid()),
        )
        .where(
            _ROWS.c.product_integration_id.is_not(None),
            or_(can_be_made, named.exists()),
        )
        .order_by(_ROWS.c.product_integration_id)
    )
    return HotStatement(
        upsert(ProductKey)
        .from_select(_KEY, rows)
        .on_conflict_do_nothing()
        .returning(ProductKey.product_integration_id, ProductKey.product_id)
    )


CLAIM = _claim()
"""Take the ERP's ids that name no product yet, in their order, so that two imports of the same
file wait for each other in one direction only. Returns those that were free."""

KEYED = HotStatement(
    select(ProductKey.product_integration_id, ProductKey.product_id).where(
        ProductKey.store_id.in_(my_stores(_STORE_ID)),
        ProductKey.product_integration_id == any_(bindparam("keys", type_=ARRAY(Text))),
    )
)
"""Which products the ERP's ids name; those that were just taken too."""

LOCK = HotStatement(
    scoped(Product, Product.id, Product.product_integration_id)
    .where(
        Product.store_id == _STORE_ID,
        Product.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(Product.id)
    .with_for_update(of=Product, key_share=True)
)
"""Hold products of the store until the transaction ends, in the order of their ids."""

RELEASE = HotStatement(
    delete(ProductKey).where(
        ProductKey.store_id.in_(my_stores(_STORE_ID)),
        ProductKey.product_integration_id == any_(bindparam("keys", type_=ARRAY(Text))),
    )
)
"""Give back the ERP's ids that were taken for rows which are refused after all."""

_FIELDS = {
    "id": _ROWS.c.target,
    "name": _ROWS.c.name,
    "description": _ROWS.c.description,
    "price": cast(_ROWS.c.price, Double),
    "stock": func.coalesce(_ROWS.c.stock, literal(0)),
    "product_integration_id": _ROWS.c.product_integration_id,
    "custom_props": cast(_ROWS.c.custom_props, JSONB),
}

ADD = HotStatement(
    insert(typed("Table", Product.__table__)).from_select(
        ["store_id", *_FIELDS], my_stores(_STORE_ID).add_columns(*_FIELDS.values())
    )
)
"""Write new products; triggers write their first movements, documents and search words."""


def _move() -> HotStatement:
    store = my_stores(_STORE_ID).subquery("store")
    counted = (
        scoped(Product, Product.id, (_ROWS.c.stock - Product.stock).label("delta"))
        .join(_ROWS, _ROWS.c.target == Product.id)
        .where(Product.store_id == _STORE_ID, _ROWS.c.stock != Product.stock)
        .subquery("counted")
    )
    lists = select(
        func.array_agg(counted.c.id).label("ids"),
        func.array_agg(counted.c.delta).label("deltas"),
    ).subquery("lists")
    moved = moving(
        store.c.id,
        lists.c.ids,
        lists.c.deltas,
        literal(MovementReason.MANUAL.value),
        cast(null(), Uuid),
        cast(null(), Text),
        bindparam("payload", type_=JSONB),
    )
    return HotStatement(
        select(moved.c.product_id.label("id"))
        .select_from(store.join(lists, true()).join(moved, true()))
        .where(moved.c.is_moved)
    )


MOVE = _move()
"""Make the stocks what the rows say; returns the ids of those that changed."""


def _change() -> HotStatement:
    given = select(_ROWS).cte("given")
    after = _after(given.c)
    is_other = or_(
        *(value.is_distinct_from(getattr(Product, name)) for name, value in after.items())
    )
    return HotStatement(
        scoped_update(Product)
        .where(Product.id == given.c.target, Product.store_id == _STORE_ID, is_other)
        .values(after)
        .returning(Product.id)
    )


def _after(given: Any) -> dict[str, Any]:
    """Return what each column but the stock becomes: what the row says, or what it is.

    What differs only below a cent, or by blanks round the name, is what the file could not say.
    """
    cents = func.round(cast(Product.price, Numeric), literal(2))
    price = func.coalesce(cast(given.price, Double), Product.price)
    name = func.coalesce(given.name, Product.name)
    is_same_name = func.btrim(Product.name, literal(_BLANKS)) == given.name
    return {
        "name": case((is_same_name, Product.name), else_=name),
        "description": func.coalesce(given.description, Product.description),
        "price": case((cents == given.price, Product.price), else_=price),
        "product_integration_id": func.coalesce(
            given.product_integration_id, Product.product_integration_id
        ),
        "custom_props": func.coalesce(
            cast(given.custom_props, JSONB), Product.custom_props
        ),
    }


CHANGE = _change()
"""Change the products that the rows differ from, their stock apart; returns the ids of those
that changed."""

_REAIS = func.replace(
    cast(func.round(cast(Product.price, Numeric), literal(2)), Text), ".", ","
)
_PROPS = case(
    (
        func.jsonb_typeof(Product.custom_props) == "object",
        cast(Product.custom_props, Text),
    )
)
_EXPORTED = {
    "id": cast(Product.id, Text),
    "product_integration_id": ProductKey.product_integration_id,
    "name": Product.name,
    "description": Product.description,
    "price": _REAIS,
    "stock": cast(Product.stock, Text),
    "custom_props": _PROPS,
}
EXPORTED = tuple(_EXPORTED)
"""The columns of the export, by their fields."""

_PLACE = Product.created_at, Product.id

EXPORT = HotStatement(
    scoped(Product, *(value.label(name) for name, value in _EXPORTED.items()))
    .add_columns(Product.created_at.label("at"), Product.id.label("row_id"))
    .outerjoin(
        ProductKey,
        and_(
            ProductKey.store_id == Product.store_id,
            ProductKey.product_integration_id == Product.product_integration_id,
            ProductKey.product_id == Product.id,
        ),
    )
    .where(
        Product.store_id == _STORE_ID,
        tuple_(*_PLACE)
        > tuple_(
            bindparam("after_at", type_=Product.created_at.type),
            bindparam("after_id", type_=Uuid),
        ),
    )
    .order_by(*_PLACE)
    .limit(bindparam("row_limit", type_=Integer))
)
"""The next products of a store, the oldest first, as the cells of the export.

An ERP's id that names another product, from before it was kept unique, is left out.
"""
