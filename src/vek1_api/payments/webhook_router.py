"""Where AbacatePay's webhooks come in: proved, kept, answered; understood later by a job.

AbacatePay drops what is answered 4xx, so that is only for those who do not prove themselves.
Its probes (GET and HEAD) and a slash at the end are ``core.middleware``'s.
"""

import secrets
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from vek1_api.abacatepay import (
    PUBLIC_KEY,
    is_authentic,
    read_event_id,
    redacted,
    signature_ok,
)
from vek1_api.access.dependencies import resources_of
from vek1_api.core.encryption import SealedForNobodyError
from vek1_api.core.errors import UnauthenticatedError, UnavailableError
from vek1_api.core.problems import responses
from vek1_api.core.resources import Resources
from vek1_api.inbox import service as inbox
from vek1_api.inbox.service import MAX_BODY_BYTES, Arrival
from vek1_api.payment_settings import gateways

SOURCE = "abacatepay"

_SECRET_HEADER, _SECRET_PARAMETER = "X-Webhook-Secret", "webhookSecret"
_SIGNATURE_HEADER = "X-Webhook-Signature"
_NOBODY = UUID(int=0)
_NOBODYS_SECRET = secrets.token_urlsafe(32)

log = structlog.get_logger()
router = APIRouter(prefix="/webhooks/abacatepay", tags=["Payments"])


class WebhookReceived(BaseModel):
    """The webhook is kept."""

    received: bool = Field(examples=[True])


@router.post("/{store_id}", responses=responses(UnauthenticatedError, UnavailableError))
async def receive_abacatepay_webhook(request: Request, store_id: str) -> WebhookReceived:
    """Take a webhook of AbacatePay's.

    The store's webhook secret comes in `X-Webhook-Secret` or as `?webhookSecret=`, and
    `X-Webhook-Signature` fits the body. Then the answer is 200, whatever the body.
    """
    resources = resources_of(request)
    store = _store(store_id)
    valid = await _secrets(resources, store)
    offered = [
        *request.headers.getlist(_SECRET_HEADER),
        *request.query_params.getlist(_SECRET_PARAMETER),
    ]
    if not is_authentic(offered, valid):
        raise _refusal()
    raw, is_whole = await _body(request)
    if is_whole and not _is_signed(request, raw, resources):
        raise _refusal()
    arrival = Arrival(
        source=SOURCE,
        store_id=store,
        event_key=read_event_id(raw),
        headers=request.headers.items(),
        body=redacted(raw, valid),
        secrets=valid,
        is_whole=is_whole,
    )
    async with resources.database.driver() as driver:
        await inbox.receive(driver, arrival)
    return WebhookReceived(received=True)


async def _secrets(resources: Resources, store_id: UUID) -> tuple[str, ...]:
    """Return the secrets of a store; of one that is unknown or closed, one that nobody has."""
    try:
        async with resources.database.driver() as driver:
            found = await gateways.webhook_secrets_of(driver, store_id, resources.keyring)
    except SealedForNobodyError as error:
        # Not a refusal, after which AbacatePay would not come again.
        log.exception("webhook_secret_unreadable", store_id=store_id)
        message = "The store's webhook secret cannot be read now."
        raise UnavailableError(message, retry_after_seconds=300) from error
    return found or (_NOBODYS_SECRET,)


async def _body(request: Request) -> tuple[bytes, bool]:
    """Return a body and whether it is whole; the rest of a large one is read and dropped."""
    kept, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        kept += piece[: MAX_BODY_BYTES - len(kept)]
    return bytes(kept), size == len(kept)


def _is_signed(request: Request, raw: bytes, resources: Resources) -> bool:
    signature = request.headers.get(_SIGNATURE_HEADER)
    if signature is None:
        return not resources.settings.abacatepay_require_signature
    key = resources.settings.abacatepay_public_key or PUBLIC_KEY
    return signature_ok(raw, signature, key)


def _store(text: str) -> UUID:
    """Return the store of the path; what is no id is one that nobody has."""
    try:
        return UUID(text)
    except ValueError:
        return _NOBODY


def _refusal() -> UnauthenticatedError:
    message = "Send the store's webhook secret, and the signature of the body."
    return UnauthenticatedError(message)
