"""A store's leads as CSV, in steps: flat in memory, and no transaction stays open.

It is what ``import_rows`` reads back: with a mark of its encoding and ``;`` a Brazilian Excel
opens it as a table, and no cell is a formula there.
"""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from anyio import to_thread

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core.db import Database
from vek1_api.imports.cells import guarded
from vek1_api.leads import import_queries
from vek1_api.stores import service as stores

STEP_ROWS = 1_000
DELIMITER = ";"
_FIRST = {"after_at": datetime.min.replace(tzinfo=UTC), "after_id": UUID(int=0)}


async def opened(database: Database, access: Access, store_id: UUID) -> str:
    """Return the slug of the store whose leads are taken, and write that they are.

    Raises ``StoreNotFoundError`` for one out of reach.
    """
    slug: str = orjson.loads(await stores.get(database, access, store_id))["slug"]
    async with database.transaction() as tx:
        await audit_service.log_audit(
            tx, access, "leads.exported", "store", store_id, store_id=store_id
        )
    return slug


async def lines(
    database: Database, access: Access, store_id: UUID
) -> AsyncGenerator[bytes]:
    """Yield the file, the oldest leads first; of a store out of reach only the header."""
    yield "\ufeff".encode() + _written([import_queries.EXPORTED])
    place: dict[str, Any] = _FIRST
    while True:
        # The connection goes back before the caller takes what it has got.
        async with database.driver() as driver:
            rows = await import_queries.EXPORT.rows(
                driver, store_id=store_id, row_limit=STEP_ROWS, **place, **access.owner
            )
        if rows:
            yield await to_thread.run_sync(_cells_of, rows)
        if len(rows) < STEP_ROWS:
            return
        place = {
            "after_at": rows[-1]["at"].replace(tzinfo=UTC),
            "after_id": rows[-1]["row_id"],
        }


def _cells_of(rows: Sequence[Any]) -> bytes:
    return _written(
        [guarded(row[name] or "") for name in import_queries.EXPORTED] for row in rows
    )


def _written(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=DELIMITER).writerows(rows)
    return text.getvalue().encode()
