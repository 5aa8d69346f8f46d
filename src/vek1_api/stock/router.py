"""The ledger of a store: changes by hand, movements, reconciliation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import ForeignReferenceError, PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.products import service as products
from vek1_api.products.errors import InsufficientStockError, ProductNotFoundError
from vek1_api.products.schemas import ProductRead
from vek1_api.stock import reconciliation, service
from vek1_api.stock.schemas import (
    MovementFilters,
    MovementPage,
    ReconciliationPage,
    ReconciliationQuery,
    ReportFormat,
    StockChange,
)
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Stock and ERPs"])

_CSV_EXAMPLE = ";".join(reconciliation.COLUMNS) + "\r\n"


@router.post(
    "/products/{product_id}/stock",
    response_model=ProductRead,
    responses=responses(
        ProductNotFoundError, InsufficientStockError, PreconditionFailedError
    ),
)
async def change_stock(write: Write, product_id: UUID, body: StockChange) -> Response:
    """Change a product's stock by hand, by units or to what was counted; never below zero.

    The ledger gets a movement with the reason `manual`; your words stand in its `payload`.
    """
    return await write(
        lambda tx: products.adjust(
            tx,
            write.access,
            product_id,
            delta=body.delta,
            stock=body.stock,
            why=body.reason,
            if_match=write.if_match,
        )
    )


@router.get(
    "/stores/{store_id}/stock-movements",
    response_model=MovementPage,
    responses=responses(StoreNotFoundError, ForeignReferenceError),
)
async def list_stock_movements(
    read: Read, store_id: UUID, filters: Annotated[MovementFilters, Query()]
) -> Response:
    """List the changes of a store's stock, newest first.

    Every change has its row: the deltas of a product always add up to its stock.
    """
    return read.page(await service.movements(read.database, read.access, store_id, filters))


@router.get(
    "/stores/{store_id}/stock-reconciliation",
    response_model=ReconciliationPage,
    responses=responses(StoreNotFoundError)
    | {
        200: {
            "content": {
                "text/csv": {
                    "schema": {"type": "string", "examples": [_CSV_EXAMPLE]},
                    "example": _CSV_EXAMPLE,
                }
            }
        }
    },
)
async def reconcile_stock(
    read: Read, store_id: UUID, wanted: Annotated[ReconciliationQuery, Query()]
) -> Response:
    """Compare level, ledger and the ERP's last word of every product, the differences first.

    `expected` is what the ERP said plus what moved since: a sale that it has not heard of is
    no difference.
    """
    if wanted.format is ReportFormat.CSV:
        content = await reconciliation.as_csv(read.database, read.access, store_id)
        name = f'attachment; filename="stock-{store_id}.csv"'
        return Response(
            content, media_type="text/csv", headers={"Content-Disposition": name}
        )
    return read.page(
        await reconciliation.page(read.database, read.access, store_id, wanted)
    )
