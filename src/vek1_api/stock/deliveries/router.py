"""What a store's ERP was told."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import ConflictError
from vek1_api.core.problems import responses
from vek1_api.stock.deliveries import service, testing
from vek1_api.stock.deliveries.errors import DeliveryNotFoundError
from vek1_api.stock.deliveries.schemas import DeliveryFilters, DeliveryPage, DeliveryRead
from vek1_api.stock.settings.schemas import StockTestResult
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1/stores/{store_id}/stock-sync", tags=["Stock and ERPs"])


@router.get(
    "/deliveries", response_model=DeliveryPage, responses=responses(StoreNotFoundError)
)
async def list_stock_deliveries(
    read: Read, store_id: UUID, filters: Annotated[DeliveryFilters, Query()]
) -> Response:
    """List the messages to a store's ERP with their attempts, newest first.

    A delivered message is kept for thirty days.
    """
    return read.page(await service.page(read.database, read.access, store_id, filters))


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=DeliveryRead,
    responses=responses(DeliveryNotFoundError, ConflictError),
)
async def redeliver_stock_delivery(
    write: Write, store_id: UUID, delivery_id: UUID
) -> Response:
    """Send a message again now, under the same `webhook-id`.

    It has its old `sequence`, so a receiver that has a later one drops it.
    """
    return await write(
        lambda tx: service.redeliver(tx, write.access, store_id, delivery_id)
    )


@router.post(
    "/test",
    response_model=StockTestResult,
    responses=responses(StoreNotFoundError, ConflictError),
)
async def test_stock_sync(write: Write, store_id: UUID) -> Response:
    """Send the ERP a `stock.test` message now, and say what it answered.

    Sent even while `outbound_enabled` is false, once there is an address and a secret.
    """
    return await testing.send(write, store_id)
