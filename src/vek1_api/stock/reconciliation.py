"""Ledger, level and the ERP's last word, side by side: the differences first."""

import csv
import io
import re
from typing import Any
from uuid import UUID

from anyio import to_thread

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.core.db import Database
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.imports.cells import guarded
from vek1_api.stock import queries
from vek1_api.stock.schemas import ReconciliationQuery

COLUMNS = (
    "product_id",
    "product_integration_id",
    "name",
    "stock",
    "ledger",
    "erp_level",
    "erp_occurred_at",
    "erp_received_at",
    "erp_external_id",
    "expected",
    "difference",
)
_NAMES = {
    "product_id": "id",
    "erp_level": "level",
    "erp_occurred_at": "occurred_at",
    "erp_received_at": "received_at",
    "erp_external_id": "external_id",
}
_PLACE = re.compile(r"([01])-([0-9a-f]{32})")
_FIRST = False, UUID(int=0)


async def page(
    database: Database, access: Access, store_id: UUID, wanted: ReconciliationQuery
) -> bytes:
    """Return a page of the report as JSON."""
    agrees, after_id = _place_of(wanted.cursor)
    async with database.driver() as driver:
        rows = await queries.RECONCILIATION.rows(
            driver,
            store_id=store_id,
            after_agrees=agrees,
            after_id=after_id,
            row_limit=wanted.limit + 1,
            **access.owner,
        )
        if not rows:
            await assert_owns_store(driver, access, store_id)
    shown = rows[: wanted.limit]
    cursor = "null"
    if len(rows) > wanted.limit:
        cursor = f'"{int(shown[-1]["agrees"])}-{shown[-1]["id"].hex}"'
    items = ",".join(row["body"] for row in shown)
    return f'{{"items":[{items}],"next_cursor":{cursor}}}'.encode()


async def as_csv(database: Database, access: Access, store_id: UUID) -> bytes:
    """Return the whole report as CSV; a Brazilian Excel opens it as a table."""
    async with database.driver() as driver:
        await assert_owns_store(driver, access, store_id)
        rows = await queries.WHOLE_RECONCILIATION.rows(
            driver, store_id=store_id, **access.owner
        )
    return await to_thread.run_sync(_written, rows)


def _written(rows: list[Any]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    names = [_NAMES.get(name, name) for name in COLUMNS]
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return "\ufeff".encode() + text.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as a spreadsheet may read it; a text is never a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    return str(value)


def _place_of(cursor: str | None) -> tuple[bool, UUID]:
    if cursor is None:
        return _FIRST
    found = _PLACE.fullmatch(cursor)
    if found is None:
        problem = FieldError("/query/cursor", "invalid", "Use a `next_cursor` as it came.")
        message = "The cursor is not one of ours."
        raise ValidationFailedError(message, errors=[problem])
    return found[1] == "1", UUID(found[2])
