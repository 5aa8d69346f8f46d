"""What a store's ERP calls, with the store's inbound secret."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.core.bodies import json_body, validated
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.problems import responses
from vek1_api.stock import inbound, service
from vek1_api.stock.dependencies import ErpRead, ErpWrite
from vek1_api.stock.erp_schemas import BatchOptions, StockBatch, StockResult
from vek1_api.stock.errors import BatchHeldError
from vek1_api.stock.schemas import LevelFilters, LevelPage
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/erp/v1/stores/{store_id}", tags=["Stock and ERPs"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/StockBatch"}}
        },
    }
}


@router.post(
    "/stock",
    response_model=StockResult,
    responses=responses(StoreNotFoundError, BatchHeldError, ForeignReferenceError),
    openapi_extra=_BODY,
)
async def receive_stock(
    write: ErpWrite, store_id: UUID, options: Annotated[BatchOptions, Query()]
) -> Response:
    """Take levels and changes from the ERP, each item with a verdict of its own.

    A level counts as of its `occurred_at`: what was sold here since then is taken off again.
    An older level, or a change that a level already has in it, is `stale`. An `external_id`
    that was seen before is a `duplicate`. One bad item stops no other. A batch that would
    change, or sell out, more than half of the catalogue (a setting of the store) waits for
    `force=true`.
    """
    # Read by hand, so that strangers hear of no fault in what they sent.
    is_bare = options.plan_id is not None and not await write.request.body()
    sent = {} if is_bare else await json_body(write.request)
    batch = validated(StockBatch, sent)
    try:
        return await write(
            lambda tx: inbound.receive(tx, write.access, store_id, batch, options)
        )
    except BatchHeldError as error:
        database = write.resources.database
        await inbound.note_held(database, write.access, store_id, error)
        raise


@router.get(
    "/stock",
    response_model=LevelPage,
    responses=responses(StoreNotFoundError),
)
async def list_stock_levels(
    read: ErpRead, store_id: UUID, filters: Annotated[LevelFilters, Query()]
) -> Response:
    """List what is in stock, those that changed last at the end.

    For a poller that misses nothing: read all pages, keep the first one's `read_until`, and
    send it as `updated_since` the next time. A change shows after two seconds at the
    earliest. Products that were deleted are not there any more.
    """
    return read.page(await service.levels(read.database, read.access, store_id, filters))
