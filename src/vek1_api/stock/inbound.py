"""Taking what a store's ERP sends: a batch, a dry run of it, or a plan that a dry run left."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of, to_json
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.stock import queries
from vek1_api.stock.erp_schemas import BatchOptions, StockBatch
from vek1_api.stock.errors import BatchHeldError, PlanNotFoundError
from vek1_api.stores.errors import StoreNotFoundError

_GROUND = "ground"


async def receive(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    sent: StockBatch,
    options: BatchOptions,
) -> Answer:
    """Apply a batch, each item with a verdict of its own, and answer the verdicts.

    Raises ``BatchHeldError``, and changes nothing, where too much of the catalogue would
    change; ``PlanNotFoundError`` for a plan that cannot be applied any more.
    """
    driver = await driver_of(tx)
    rows = await _items(driver, access, store_id, sent, options)
    row = await queries.RECEIVE.row(
        driver,
        store_id=store_id,
        items=rows,
        is_dry_run=options.dry_run,
        is_forced=options.force,
        **access.owner,
    )
    if row is None:
        raise StoreNotFoundError(store_id)
    is_held = row["is_held"] and not options.force
    if is_held and not options.dry_run:
        counts = ("changed", "catalogue", "sold_out", "in_stock")
        raise BatchHeldError(*(row[name] for name in counts))
    if not options.dry_run:
        meta = orjson.loads(row["summary"]) | {"forced": options.force}
        await audit_service.log_audit(
            tx, access, "stock.received", "store", store_id, store_id=store_id, meta=meta
        )
    plan = to_json(row["plan_id"])
    body = (
        f'{{"dry_run":{to_json(options.dry_run)},"plan_id":{plan},'
        f'"needs_force":{to_json(is_held)},'
        f'"summary":{row["summary"]},"items":{row["verdicts"]}}}'
    )
    return Answer(200, body, has_etag=False)


async def note_held(
    database: Database, access: Access, store_id: UUID, error: BatchHeldError
) -> None:
    """Write into the trail that a batch was held; its own transaction is gone."""
    async with database.transaction() as tx:
        await audit_service.log_audit(
            tx,
            access,
            "stock.held",
            "store",
            store_id,
            store_id=store_id,
            meta=error.counts,
        )


async def _items(
    driver: Driver,
    access: Access,
    store_id: UUID,
    sent: StockBatch,
    options: BatchOptions,
) -> list[dict[str, Any]]:
    """Return what is to be applied: the items that were sent, or those of a plan."""
    rows = sent.rows()
    plan_id = sent.plan_id or options.plan_id
    if plan_id is None:
        if rows is None:
            problem = FieldError("/items", "missing", "Send items, or the id of a plan.")
            message = "There is nothing to do."
            raise ValidationFailedError(message, errors=[problem])
        return rows
    pointer = "/plan_id" if sent.plan_id else "/query/plan_id"
    known = await queries.TAKE_PLAN.row(
        driver, store_id=store_id, plan_id=plan_id, **access.owner
    )
    if known is None:
        raise PlanNotFoundError(pointer, plan_id)
    planned: list[dict[str, Any]] = orjson.loads(known["items"])
    if rows is not None and rows != [_without_ground(each) for each in planned]:
        problem = FieldError("/items", "conflict", "The plan was made of other items.")
        message = "Leave the items out to apply the plan."
        raise ValidationFailedError(message, errors=[problem])
    return planned


def _without_ground(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != _GROUND}
