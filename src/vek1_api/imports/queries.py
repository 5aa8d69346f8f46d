"""The statements of imports."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.db import SCHEMA, Driver
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import json_object, rfc3339
from vek1_api.imports.importers import Key
from vek1_api.imports.models import Import, ImportRow
from vek1_api.imports.status import ImportStatus, RowStatus

_IMPORT_ID = bindparam("import_id", type_=Uuid)
_SHOWN = (
    "id",
    "store_id",
    "kind",
    "dry_run",
    "status",
    "total_rows",
    "done_rows",
    "summary",
)
_HEAD = json_object(
    {name: getattr(Import, name) for name in _SHOWN}
    | {
        name: rfc3339(func.timezone("UTC", getattr(Import, name)))
        for name in ("created_at", "finished_at")
    }
)

GET = HotStatement(
    select(Import.kind, _HEAD).where(
        Import.id == _IMPORT_ID, exists(my_stores(Import.store_id))
    )
)
"""An import without its rows."""

_STATUS = func.coalesce(ImportRow.status, RowStatus.PENDING.value)
_VERDICT = func.jsonb_strip_nulls(
    func.jsonb_build_object(
        "row",
        ImportRow.row,
        "status",
        _STATUS,
        bindparam("target", type_=Text),
        ImportRow.target_id,
        "errors",
        ImportRow.errors,
    )
)
_WANTED = bindparam("status", type_=Text)

ROWS = HotStatement(
    select(ImportRow.row, cast(_VERDICT, Text).label("body"))
    .where(
        ImportRow.import_id == _IMPORT_ID,
        ImportRow.row > bindparam("after", type_=Integer),
        case((_WANTED.is_(None), literal(True)), else_=_STATUS == _WANTED),  # noqa: FBT003 - SQL.
    )
    .order_by(ImportRow.row)
    .limit(bindparam("row_limit", type_=Integer))
)
"""Rows after one, in the order of the file; of an import that ``GET`` has found."""

ADD = HotStatement(
    insert(Import).values(
        {
            name: bindparam(name, type_=getattr(Import, name).type)
            for name in (
                "id",
                "store_id",
                "kind",
                "dry_run",
                "status",
                "actor_user_id",
                "total_rows",
                "done_rows",
                "summary",
            )
        }
    )
)

LOCK = HotStatement(
    select(
        Import.store_id,
        Import.kind,
        Import.dry_run,
        Import.actor_user_id,
        Import.done_rows,
        cast(Import.summary, Text).label("summary"),
        STORES.c.company_id,
    )
    .join(STORES, STORES.c.id == Import.store_id)
    .where(Import.id == _IMPORT_ID, Import.finished_at.is_(None))
    .with_for_update(of=Import)
)
"""An import that is not finished, for one run at a time; a job has no company but its store's."""

WAITING = HotStatement(
    select(ImportRow.row, cast(ImportRow.values, Text).label("values"))
    .where(
        ImportRow.import_id == _IMPORT_ID,
        ImportRow.row > bindparam("after", type_=Integer),
        ImportRow.status.is_(None),
    )
    .order_by(ImportRow.row)
    .limit(bindparam("row_limit", type_=Integer))
)
"""The next rows that have no verdict."""

_VERDICTS = (
    func.jsonb_to_recordset(bindparam("verdicts", type_=JSONB))
    .table_valued(
        column("row", Integer),
        column("status", Text),
        column("target_id", Uuid),
        column("errors", JSONB),
    )
    .render_derived(name="verdict", with_types=True)
)

SETTLE = HotStatement(
    update(ImportRow)
    .where(
        ImportRow.import_id == _IMPORT_ID,
        ImportRow.row == _VERDICTS.c.row,
        # However many rows the import is thought to have, only these are looked at.
        ImportRow.row >= bindparam("first", type_=Integer),
        ImportRow.row <= bindparam("last", type_=Integer),
    )
    .values(
        {
            "values": null(),
            "status": _VERDICTS.c.status,
            "target_id": _VERDICTS.c.target_id,
            "errors": _VERDICTS.c.errors,
        }
    )
)
"""Write verdicts of the rows from `first` to `last`; what the rows said is forgotten."""

PROGRESS = HotStatement(
    update(Import)
    .where(Import.id == _IMPORT_ID)
    .values(
        status=bindparam("status", type_=Text),
        done_rows=bindparam("done_rows", type_=Integer),
        summary=bindparam("summary", type_=JSONB),
        finished_at=case(
            (
                bindparam("status", type_=Text).in_(
                    [literal(ImportStatus.DONE.value), literal(ImportStatus.FAILED.value)]
                ),
                func.now(),
            )
        ),
    )
)


async def stage(driver: Driver, records: AsyncIterator[tuple[Any, ...]]) -> None:
    """Write rows by COPY; a record is import, number, values, verdict and errors."""
    await driver.copy_records_to_table(
        ImportRow.__tablename__,
        schema_name=SCHEMA,
        columns=("import_id", "row", "values", "status", "errors"),
        records=records,
    )


async def refuse_duplicates(tx: AsyncConnection, import_id: UUID, key: Key) -> int:
    """Refuse waiting rows that are about the same as an earlier one; return how many."""
    about = key.of(type_coerce(ImportRow.values, JSONB))
    waiting = (
        select(
            ImportRow.row, func.min(ImportRow.row).over(partition_by=about).label("first")
        )
        .where(
            ImportRow.import_id == import_id,
            ImportRow.status.is_(None),
            about.is_not(None),
        )
        .subquery("waiting")
    )
    # One object and no join: nothing is known of a new import, and a nested loop over its
    # rows would be chosen, which never ends.
    later = (
        select(func.jsonb_object_agg(cast(waiting.c.row, Text), waiting.c.first))
        .where(waiting.c.row > waiting.c.first)
        .scalar_subquery()
    )
    first = func.jsonb_extract_path_text(later, cast(ImportRow.row, Text))
    error = func.jsonb_build_object(
        *("pointer", f"/{key.field}", "code", "duplicate", "message"),
        func.format("Row %s is about the same %s.", first, key.field),
    )
    refused = await tx.execute(
        update(ImportRow)
        .where(ImportRow.import_id == import_id, first.is_not(None))
        .values(
            {
                "values": null(),
                "status": RowStatus.ERROR.value,
                "errors": func.jsonb_build_array(error),
            }
        )
    )
    return refused.rowcount


async def give_up(tx: AsyncConnection, import_id: UUID) -> None:
    """End an import that cannot go on; what its rows said is forgotten."""
    await tx.execute(
        update(Import)
        .where(Import.id == import_id, Import.finished_at.is_(None))
        .values(status=ImportStatus.FAILED, finished_at=func.now())
    )
    await tx.execute(
        update(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.values.is_not(None))
        .values(values=null())
    )


async def finished_before(
    tx: AsyncConnection, moment: datetime, limit: int
) -> Sequence[UUID]:
    """Return imports that ended before a moment, or began and never did; the oldest first."""
    ended = func.coalesce(Import.finished_at, Import.created_at) < moment
    found = select(Import.id).where(ended).order_by(Import.created_at).limit(limit)
    return (await tx.scalars(found)).all()


async def remove(tx: AsyncConnection, import_id: UUID) -> None:
    """Delete an import with its rows."""
    await tx.execute(delete(ImportRow).where(ImportRow.import_id == import_id))
    await tx.execute(delete(Import).where(Import.id == import_id))
