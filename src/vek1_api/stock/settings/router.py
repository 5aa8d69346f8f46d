"""How a store and its ERP are connected."""

from uuid import UUID

from fastapi import APIRouter, Response

from vek1_api.access.dependencies import Read, Write, Writing
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.core.representation import etag
from vek1_api.stock.settings import service
from vek1_api.stock.settings.schemas import (
    SecretResult,
    SecretRotate,
    StockSyncRead,
    StockSyncReplace,
    StockSyncSaved,
)
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1/stores/{store_id}/stock-sync", tags=["Stock and ERPs"])


@router.get("", response_model=StockSyncRead, responses=responses(StoreNotFoundError))
async def get_stock_sync(read: Read, store_id: UUID) -> Response:
    """Get how a store and its ERP are connected."""
    return read.one(await service.get(read.resources, read.access, store_id))


@router.put(
    "",
    response_model=StockSyncSaved,
    responses=responses(StoreNotFoundError, PreconditionFailedError),
)
async def replace_stock_sync(
    write: Write, store_id: UUID, body: StockSyncReplace
) -> Response:
    """Connect a store with its ERP, in one direction or both.

    A direction that is switched on for the first time gets a secret, which only this answer
    shows. Another `outbound_url`, or switching it on again, lets what waits be tried at once.
    """
    answer = await write(
        lambda tx: service.replace(
            tx, write.access, write.resources, store_id, body, if_match=write.if_match
        )
    )
    return _revealed(write, store_id, answer, has_etag=True)


@router.post(
    "/rotate-secret",
    response_model=SecretResult,
    responses=responses(StoreNotFoundError),
)
async def rotate_stock_secret(write: Write, store_id: UUID, body: SecretRotate) -> Response:
    """Replace a secret by a new one, which only this answer shows.

    Meanwhile both are good: what we send has a signature of each, and what the ERP sends may
    be proved by either.
    """
    answer = await write(
        lambda tx: service.rotate(tx, write.access, write.resources, store_id, body)
    )
    return _revealed(write, store_id, answer)


def _revealed(
    write: Writing, store_id: UUID, answer: Response, *, has_etag: bool = False
) -> Response:
    keyring = write.resources.keyring
    body, lasting = service.revealed(bytes(answer.body), store_id, keyring)
    headers = {"ETag": etag(lasting)} if has_etag else {}
    if "idempotency-replayed" in answer.headers:
        headers["Idempotency-Replayed"] = answer.headers["idempotency-replayed"]
    return Response(body, answer.status_code, headers, answer.media_type)
