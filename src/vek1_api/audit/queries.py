"""The statements of the audit log."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SelectBase,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    insert,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from vek1_api.access.grants import STORES
from vek1_api.audit.models import AuditEntry, AuditTrail
from vek1_api.audit.schemas import AuditEntryRead
from vek1_api.core.db import SCHEMA
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import rfc3339, row_object

_VALUES: dict[str, Any] = {
    "actor_user_id": Text,
    "store_id": Uuid,
    "action": Text,
    "target_type": Text,
    "target_id": Text,
    "ip": Text,
    "ua": Text,
    "request_id": Text,
    "meta": JSONB,
}
_BOUND = {
    name: bindparam(f"audit_{name}", type_=kind)
    for name, kind in {"company_id": Text, **_VALUES}.items()
}
"""In the order of ``vek1_api.log_audit``; prefixed, for statements that bind more."""

ENTRY = row_object(AuditEntry, AuditEntryRead)


def logging(**values: Any) -> ColumnElement[UUID]:
    """Return the call that writes an entry; a value that is not given is a parameter."""
    written: ColumnElement[UUID] = func.vek1_api.log_audit(*(_BOUND | values).values())
    return written


def _append() -> HotStatement:
    moment = func.timezone("UTC", func.now(), type_=AuditEntry.at.type)
    shown = _BOUND | {"id": logging(), "at": rfc3339(moment)}
    return HotStatement(select(row_object(AuditEntry, AuditEntryRead, shown)))


def _rows(table_name: str, schema: str | None = None) -> Select[Any]:
    """Select the id and store of the rows of a table that has both."""
    rows = table(table_name, column("id", Uuid), column("store_id", Uuid), schema=schema)
    return select(rows.c.id, rows.c.store_id)


def _rows_of_products(name: str, row_id: str, schema: str | None = None) -> Select[Any]:
    """Select the id and store of rows that hang on a product."""
    rows = table(name, column(row_id, Uuid), column("product_id", Uuid), schema=schema)
    products = table("products", column("id", Uuid), column("store_id", Uuid))
    return select(rows.c[row_id].label("id"), products.c.store_id).join(
        products, products.c.id == rows.c.product_id
    )


_FILES = union_all(
    _rows_of_products("product_files", "id"),
    _rows_of_products("file_uploads", "file_id", SCHEMA),
)


def _deny(rows: SelectBase) -> HotStatement:
    wanted = rows.subquery()
    owner = (
        select(STORES.c.id, STORES.c.company_id)
        .join(wanted, wanted.c.store_id == STORES.c.id)
        .where(
            wanted.c.id == bindparam("row_id", type_=Uuid),
            STORES.c.company_id != bindparam("actor_company_id", type_=Text),
        )
    )
    found = owner.cte("owner")
    names = [name for name in _VALUES if name != "store_id"]
    values = select(
        found.c.id, *(bindparam(name, type_=_VALUES[name]) for name in names)
    ).select_from(found)
    made = (
        insert(AuditEntry)
        .from_select(["store_id", *names], values)
        .returning(AuditEntry.id, AuditEntry.at)
        .cte("entry")
    )
    trail = insert(AuditTrail).from_select(
        ["company_id", "at", "entry_id"],
        select(found.c.company_id, func.timezone("UTC", made.c.at), made.c.id),
    )
    return HotStatement(trail)


_NOTICES = table(
    "stock_notices", column("movement_id", Uuid), column("store_id", Uuid), schema=SCHEMA
)
DENY = {
    kind: _deny(rows)
    for kind, rows in {
        "store": select(STORES.c.id, STORES.c.id.label("store_id")),
        "agent": _rows("agents"),
        "document": _rows("documents"),
        "product": _rows("products"),
        "product_file": _FILES,
        "import": _rows("imports", SCHEMA),
        "lead": _rows("leads"),
        "stock_delivery": select(_NOTICES.c.movement_id.label("id"), _NOTICES.c.store_id),
        "order": _rows("orders"),
        "attention": _rows("attention", SCHEMA),
    }.items()
}
"""Write ``access.denied`` in the trail of the owner of a row, if it has another owner."""

APPEND = _append()
"""Write an entry and its place in a company's trail; answer its JSON."""


PAGE = PageQuery(
    select(ENTRY)
    .select_from(AuditTrail)
    .join(AuditEntry, AuditEntry.id == AuditTrail.entry_id)
    .where(AuditTrail.company_id == bindparam("company_id", type_=Text)),
    at=AuditTrail.at,
    row_id=AuditTrail.entry_id,
    filters={
        "action": AuditEntry.action == bindparam("action", type_=Text),
        "target_type": AuditEntry.target_type == bindparam("target_type", type_=Text),
        "target_id": AuditEntry.target_id == bindparam("target_id", type_=Text),
        "store_id": AuditEntry.store_id == bindparam("store_id", type_=Uuid),
        "from_": AuditTrail.at >= bindparam("from_", type_=AuditTrail.at.type),
        "to": AuditTrail.at < bindparam("to", type_=AuditTrail.at.type),
    },
)
"""A company's trail, newest first."""
