"""``log_audit``, the only writer of the audit log, and reading a company's trail."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, cast, literal
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import queries
from vek1_api.audit.schemas import AuditFilters
from vek1_api.core import context
from vek1_api.core.db import Database, driver_of, to_json
from vek1_api.core.representation import Json

Meta = dict[str, Any]


async def log_audit(
    tx: AsyncConnection,
    access: Access,
    action: str,
    target_type: str,
    target_id: object,
    *,
    store_id: UUID | None = None,
    meta: Meta | None = None,
) -> Json:
    """Write that ``access`` did ``action``, in the transaction of the change itself.

    ``action`` is ``<noun>.<past participle>``. ``meta`` holds ids, amounts and changed fields,
    never secrets, message texts or personal data.
    """
    row = await queries.APPEND.row(
        await driver_of(tx),
        audit_action=action,
        audit_target_type=target_type,
        audit_target_id=None if target_id is None else str(target_id),
        audit_store_id=store_id,
        **values(access, meta),
    )
    assert row is not None
    return str(row["body"])


def logging(
    action: str,
    target_type: str,
    target_id: ColumnElement[Any],
    store_id: ColumnElement[UUID],
) -> ColumnElement[UUID]:
    """Return ``log_audit`` as a column of a hot statement: an entry for each of its rows.

    The statement binds ``**values(access, meta)``. Of several rows fetch all: one that is
    not fetched may write no entry.
    """
    return queries.logging(
        action=literal(action),
        target_type=literal(target_type),
        target_id=cast(target_id, Text),
        store_id=store_id,
    )


def values(access: Access, meta: Meta | None = None) -> dict[str, Any]:
    """Return what a statement with ``logging`` binds: who acts, and ``meta``."""
    return {
        "audit_company_id": access.company_id,
        "audit_actor_user_id": access.actor_user_id,
        "audit_ip": access.ip,
        "audit_ua": access.user_agent,
        "audit_request_id": context.request_id.get(),
        "audit_meta": meta,
    }


def differing(before: Meta, wanted: Meta) -> Meta:
    """Return the fields of ``wanted`` whose values are not those of ``before``, which is JSON."""
    shown = orjson.loads(to_json(wanted))
    return {
        name: value for name, value in wanted.items() if before.get(name) != shown[name]
    }


def changed(before: Meta, after: Meta) -> Meta:
    """Return ``{"changes": {field: [before, after]}}``."""
    return {"changes": {name: [before.get(name), value] for name, value in after.items()}}


async def page(database: Database, access: Access, filters: AuditFilters) -> bytes:
    """Return a page of the company's own trail, newest first."""
    async with database.driver() as driver:
        return await queries.PAGE.fetch(driver, filters, company_id=access.company_id)
