"""How a store is paid."""

from uuid import UUID

from fastapi import APIRouter, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.answers import respond
from vek1_api.core.errors import PreconditionFailedError, UpstreamFailedError
from vek1_api.core.problems import responses
from vek1_api.payment_settings import checking, service
from vek1_api.payment_settings.revealing import reveal
from vek1_api.payment_settings.schemas import (
    PaymentSettingsRead,
    PaymentSettingsSaved,
    PaymentSettingsTestResult,
    PaymentSettingsUpdate,
    WebhookSecretResult,
    WebhookSecretRotate,
)
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1/stores/{store_id}", tags=["Payments"])

_AS_USUAL = WebhookSecretRotate()


@router.get(
    "/payment-settings",
    response_model=PaymentSettingsRead,
    responses=responses(StoreNotFoundError),
)
async def get_payment_settings(read: Read, store_id: UUID) -> Response:
    """Get how a store is paid; the defaults, if nothing was set yet."""
    return read.one(await service.get(read.resources, read.access, store_id))


@router.put(
    "/payment-settings",
    response_model=PaymentSettingsSaved,
    responses=responses(StoreNotFoundError, PreconditionFailedError),
)
async def replace_payment_settings(
    write: Write, store_id: UUID, body: PaymentSettingsUpdate
) -> Response:
    """Set how a store is paid: all of it, but secrets that are left out stay.

    With a key and no webhook secret, one is made; it is shown in this answer alone.
    """
    return await write(
        lambda tx: service.replace(
            tx,
            write.access,
            store_id,
            body,
            if_match=write.if_match,
            resources=write.resources,
        )
    )


@router.post(
    "/payment-settings/test",
    response_model=PaymentSettingsTestResult,
    responses=responses(StoreNotFoundError, UpstreamFailedError),
)
async def check_payment_settings(write: Write, store_id: UUID) -> Response:
    """Ask AbacatePay whether it takes the key, and try to make a code for the PIX key."""
    if known := await write.replayed(await write.claim()):
        return respond(known, replayed=True)
    result = await checking.check(write.resources, write.access, store_id)
    return await write(lambda tx: checking.note(tx, write.access, store_id, result))


@router.post(
    "/rotate-webhook-secret",
    response_model=WebhookSecretResult,
    responses=responses(StoreNotFoundError),
)
# Beside the settings too, where one would look for it.
@router.post(
    "/payment-settings/rotate-webhook-secret",
    response_model=WebhookSecretResult,
    responses=responses(StoreNotFoundError),
    include_in_schema=False,
)
async def rotate_webhook_secret(
    write: Write, store_id: UUID, body: WebhookSecretRotate = _AS_USUAL
) -> Response:
    """Make a new webhook secret; the old one is still taken for some hours.

    The new one is shown in this answer alone: enter it at AbacatePay with `webhook_url`.
    """
    return await reveal(
        write,
        lambda tx: service.rotate(
            tx, write.access, store_id, body, resources=write.resources
        ),
    )
