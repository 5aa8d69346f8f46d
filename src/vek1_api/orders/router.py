"""Orders of a store, from draft to fulfilled."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import ForeignReferenceError, PreconditionFailedError
from vek1_api.core.problems import responses
from vek1_api.orders import service, steps, transitions
from vek1_api.orders.errors import (
    AmountTooLargeError,
    InvalidTransitionError,
    NotADraftError,
    OrderNotFoundError,
    ShortStockError,
)
from vek1_api.orders.schemas import (
    NoteCreate,
    OrderCreate,
    OrderEventFilters,
    OrderEventPage,
    OrderFilters,
    OrderPage,
    OrderRead,
    OrderUpdate,
    Reason,
)
from vek1_api.stores.errors import StoreNotFoundError

router = APIRouter(prefix="/v1", tags=["Orders"])
ABOUT = (
    "What was bought, and how far it is. An order becomes only what this table says; the "
    "same step twice succeeds without effect.\n\n" + transitions.table()
)

_STEP = responses(OrderNotFoundError, InvalidTransitionError, PreconditionFailedError)


@router.get(
    "/stores/{store_id}/orders",
    response_model=OrderPage,
    responses=responses(StoreNotFoundError, ForeignReferenceError),
)
async def list_orders(
    read: Read, store_id: UUID, filters: Annotated[OrderFilters, Query()]
) -> Response:
    """List a store's orders, newest first."""
    url = read.resources.settings.api_url
    return read.page(await service.page(read.database, read.access, store_id, filters, url))


@router.post(
    "/stores/{store_id}/orders",
    status_code=201,
    response_model=OrderRead,
    responses=responses(
        StoreNotFoundError, ShortStockError, ForeignReferenceError, AmountTooLargeError
    ),
)
async def create_order(write: Write, store_id: UUID, body: OrderCreate) -> Response:
    """Make a draft: items at the catalogue's prices of this moment, and their stock taken.

    All or nothing. A product that is short is named in `errors`; the same product on two
    lines is counted together.
    """
    url = write.resources.settings.api_url
    return await write.at_once(
        lambda driver: service.create(driver, write.access, store_id, body, url),
        lambda tx: service.create_within(tx, write.access, store_id, body, url),
    )


@router.get(
    "/orders/{order_id}", response_model=OrderRead, responses=responses(OrderNotFoundError)
)
async def get_order(read: Read, order_id: UUID) -> Response:
    """Get an order with its items, its events and its payment attempts."""
    url = read.resources.settings.api_url
    return read.one(await service.get(read.database, read.access, order_id, url))


@router.patch(
    "/orders/{order_id}",
    response_model=OrderRead,
    responses=responses(
        OrderNotFoundError,
        NotADraftError,
        ShortStockError,
        ForeignReferenceError,
        PreconditionFailedError,
    ),
)
async def update_order(write: Write, order_id: UUID, body: OrderUpdate) -> Response:
    """Change an order; items, lead and amounts only while it is a draft.

    Stock moves by the difference.
    """
    url = write.resources.settings.api_url
    return await write(
        lambda tx: service.update(
            tx, write.access, order_id, body, url, if_match=write.if_match
        )
    )


@router.get(
    "/orders/{order_id}/events",
    response_model=OrderEventPage,
    responses=responses(OrderNotFoundError),
)
async def list_order_events(
    read: Read, order_id: UUID, filters: Annotated[OrderEventFilters, Query()]
) -> Response:
    """List what happened to an order, newest first."""
    return read.page(await service.events(read.database, read.access, order_id, filters))


@router.post(
    "/orders/{order_id}/notes",
    status_code=201,
    response_model=OrderRead,
    responses=responses(OrderNotFoundError),
)
async def add_order_note(write: Write, order_id: UUID, body: NoteCreate) -> Response:
    """Write something to remember about an order."""
    url = write.resources.settings.api_url
    return await write(
        lambda tx: service.add_note(tx, write.access, order_id, body.text, url)
    )


@router.post("/orders/{order_id}/confirm", response_model=OrderRead, responses=_STEP)
async def confirm_order(write: Write, order_id: UUID) -> Response:
    """Confirm an order: a person has seen the money."""
    url, if_match = write.resources.settings.api_url, write.if_match
    return await write(lambda tx: steps.confirm(tx, write.access, order_id, url, if_match))


@router.post("/orders/{order_id}/ship", response_model=OrderRead, responses=_STEP)
async def ship_order(write: Write, order_id: UUID) -> Response:
    """Write that a confirmed order is on its way."""
    url, if_match = write.resources.settings.api_url, write.if_match
    return await write(lambda tx: steps.ship(tx, write.access, order_id, url, if_match))


@router.post("/orders/{order_id}/fulfill", response_model=OrderRead, responses=_STEP)
async def fulfill_order(write: Write, order_id: UUID) -> Response:
    """Write that an order has arrived; cash on delivery is paid by that."""
    url, if_match = write.resources.settings.api_url, write.if_match
    return await write(lambda tx: steps.fulfill(tx, write.access, order_id, url, if_match))


@router.post("/orders/{order_id}/cancel", response_model=OrderRead, responses=_STEP)
async def cancel_order(
    write: Write, order_id: UUID, body: Reason | None = None
) -> Response:
    """Cancel an order from any status and give its stock back, once."""
    url, if_match = write.resources.settings.api_url, write.if_match
    reason = None if body is None else body.reason
    return await write(
        lambda tx: steps.cancel(tx, write.access, order_id, reason, url, if_match)
    )
