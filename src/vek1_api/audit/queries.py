"""The statements of the audit log."""

from typing import Any

from sqlalchemy import Text, Uuid, bindparam, column, func, insert, select, table
from sqlalchemy.dialects.postgresql import JSONB

from vek1_api.access.grants import STORES
from vek1_api.audit.models import AuditEntry, AuditTrail
from vek1_api.audit.schemas import AuditEntryRead
from vek1_api.core.hot import HotStatement
from vek1_api.core.pagination import PageQuery
from vek1_api.core.representation import row_object

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

ENTRY = row_object(AuditEntry, AuditEntryRead)


def _append() -> HotStatement:
    values = {name: bindparam(name, type_=kind) for name, kind in _VALUES.items()}
    entry = insert(AuditEntry).values(values).returning(AuditEntry.id, AuditEntry.at, ENTRY)
    made = entry.cte("entry")
    company = bindparam("company_id", type_=Text)
    trail = (
        insert(AuditTrail)
        .from_select(
            ["company_id", "at", "entry_id"],
            select(company, func.timezone("UTC", made.c.at), made.c.id),
        )
        .returning(AuditTrail.entry_id)
    ).cte("trail")
    return HotStatement(select(made.c.body).add_cte(trail))


def _deny(table_name: str) -> HotStatement:
    rows = table(table_name, column("id", Uuid), column("store_id", Uuid))
    store_id = STORES.c.id if table_name == "stores" else rows.c.store_id
    wanted = (STORES.c.id if table_name == "stores" else rows.c.id) == bindparam(
        "row_id", type_=Uuid
    )
    owner = select(STORES.c.id, STORES.c.company_id).where(
        wanted, STORES.c.company_id != bindparam("actor_company_id", type_=Text)
    )
    if table_name != "stores":
        owner = owner.join(rows, store_id == STORES.c.id)
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


DENY = {
    kind: _deny(table_name)
    for kind, table_name in {
        "store": "stores",
        "agent": "agents",
        "document": "documents",
        "product": "products",
        "lead": "leads",
        "order": "orders",
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
