"""How an order is paid, and its money given back."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Reading, Write, Writing
from vek1_api.core.answers import Answer, respond
from vek1_api.core.errors import ForeignReferenceError, PreconditionFailedError
from vek1_api.core.preconditions import is_known
from vek1_api.core.problems import responses
from vek1_api.core.representation import etag
from vek1_api.orders import attention
from vek1_api.orders.attention_schemas import (
    AttentionFilters,
    AttentionPage,
    AttentionRead,
)
from vek1_api.orders.errors import AttentionNotFoundError, OrderNotFoundError
from vek1_api.orders.held import body_of
from vek1_api.orders.schemas import OrderRead
from vek1_api.orders.status import PaymentMethod
from vek1_api.payments import charging, pictures, refunding, starting
from vek1_api.payments.errors import (
    AmountTooSmallError,
    ChargeNotMadeError,
    NoCodeError,
    NotRefundableError,
    PaymentNotConfiguredError,
    PaymentNotPossibleError,
)
from vek1_api.payments.pictures import PNG, SVG
from vek1_api.payments.schemas import PaymentStart, RefundRequest
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Payments"])

_CACHED = {"Cache-Control": "private, no-cache"}
"""It is one customer's, and another attempt has another code at the same address."""


def _picture(media_type: str) -> dict[int | str, Any]:
    start = {PNG: "\u0089PNG\r\n", SVG: "<svg …>"}[media_type]
    schema = {"type": "string", "format": "binary"}
    content = {media_type: {"schema": schema, "example": start}}
    shown = {"description": "The picture.", "content": content}
    unchanged = {"description": "The caller has this picture."}
    return {**responses(OrderNotFoundError, NoCodeError), 200: shown, 304: unchanged}


@router.post(
    "/orders/{order_id}/payment",
    response_model=OrderRead,
    responses=responses(
        OrderNotFoundError,
        PaymentNotPossibleError,
        PaymentNotConfiguredError,
        AmountTooSmallError,
        ChargeNotMadeError,
        PreconditionFailedError,
    ),
)
async def start_payment(write: Write, order_id: UUID, body: PaymentStart) -> Response:
    """Ask the customer to pay: PIX to the store's own key, PIX by AbacatePay, or cash.

    The same method again while it can be paid answers the same code; there is never a second
    charge beside an open one. The other PIX method may be asked for too: both are watched,
    and `payment` shows the newest. Cash on delivery confirms the order.
    """
    url, access = write.resources.settings.api_url, write.access
    if_match = write.if_match
    match body.method:
        case PaymentMethod.PIX_MANUAL:
            return await write(
                lambda tx: starting.by_key(tx, access, order_id, url, if_match)
            )
        case PaymentMethod.CASH_ON_DELIVERY:
            return await write(
                lambda tx: starting.by_cash(tx, access, order_id, url, if_match)
            )
        case PaymentMethod.PIX_GATEWAY:
            return await _charge(write, order_id)


@router.get(
    "/orders/{order_id}/payment/qr.png", response_class=Response, responses=_picture(PNG)
)
async def get_payment_png(read: Read, order_id: UUID) -> Response:
    """Get the PIX code as a QR picture for a phone or a screen (PNG)."""
    return await _drawn(read, order_id, PNG)


@router.get(
    "/orders/{order_id}/payment/qr.svg", response_class=Response, responses=_picture(SVG)
)
async def get_payment_svg(read: Read, order_id: UUID) -> Response:
    """Get the PIX code as a QR picture of any size, for a page or a printer (SVG)."""
    return await _drawn(read, order_id, SVG)


@router.post(
    "/orders/{order_id}/refund",
    response_model=OrderRead,
    responses=responses(
        OrderNotFoundError,
        NotRefundableError,
        ForeignReferenceError,
        PreconditionFailedError,
    ),
)
async def refund_order(
    write: Write, order_id: UUID, body: RefundRequest | None = None
) -> Response:
    """Give a payment back through AbacatePay, whole and once.

    The attempt is `refunding`, and `refunded` when AbacatePay has done it; a refund that it
    refuses leaves the attempt as it was, and a line in the store's `attention`. Asking again
    changes nothing. The order itself stays as it is: cancel it by its own step.
    """
    url, wanted = write.resources.settings.api_url, body or RefundRequest()
    return await write(
        lambda tx: refunding.request(
            tx, write.access, order_id, wanted, url, write.if_match
        )
    )


@router.get(
    "/stores/{store_id}/attention",
    response_model=AttentionPage,
    responses=responses(StoreNotFoundError),
)
async def list_attention(
    read: Read, store_id: UUID, filters: Annotated[AttentionFilters, Query()]
) -> Response:
    """List what a person must look at: money that does not fit its order, newest first."""
    body = await attention.page(read.database, read.access, store_id, filters)
    return read.page(body)


@router.post(
    "/stores/{store_id}/attention/{attention_id}/resolve",
    response_model=AttentionRead,
    responses=responses(StoreNotFoundError, AttentionNotFoundError),
)
async def resolve_attention(write: Write, store_id: UUID, attention_id: UUID) -> Response:
    """Tick something off: a person has dealt with it."""
    return await write(
        lambda tx: attention.tick_off(tx, write.access, store_id, attention_id)
    )


async def _charge(write: Writing, order_id: UUID) -> Response:
    """Have a charge open, then answer with its order; the network is asked in between."""
    if known := await write.replayed(await write.claim()):
        return respond(known, replayed=True)
    await charging.open_charge(write.resources, write.access, order_id, write.if_match)
    url = write.resources.settings.api_url

    async def shown(tx: Any) -> Answer:
        return Answer(200, await body_of(tx, write.access, order_id, url))

    return await write(shown)


async def _drawn(read: Reading, order_id: UUID, media_type: str) -> Response:
    code, number = await pictures.code_of(read.database, read.access, order_id)
    tag = etag(f"{media_type} {number} {code}")
    headers = {"ETag": tag, **_CACHED}
    known = read.request.headers.get("if-none-match")
    if known is not None and is_known(known, tag):
        return Response(status_code=304, headers=headers)
    picture = await pictures.drawn(media_type, code, number)
    return Response(picture, media_type=media_type, headers=headers)
