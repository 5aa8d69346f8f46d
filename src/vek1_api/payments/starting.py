"""Payments that need nobody's answer: PIX to the store's own key, and cash on delivery."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.core.answers import Answer
from vek1_api.core.db import driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.orders import attempts, offering, transitions
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.held import Held, actor_of, body_of, hold_if
from vek1_api.orders.offering import Offer
from vek1_api.orders.status import (
    AttemptState,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
)
from vek1_api.payment_settings import gateways
from vek1_api.payments import pictures
from vek1_api.payments.errors import (
    AmountTooSmallError,
    PaymentNotConfiguredError,
    PaymentNotPossibleError,
)
from vek1_api.pix.br_code import BrCodeError, StaticCode
from vek1_api.pix.txid import txid_of

_SETTINGS = "PUT /v1/stores/{store_id}/payment-settings"


async def by_key(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Ask for PIX to the store's own key; the code that is shown already stays."""
    order = await hold_if(tx, access, order_id, api_url, if_match)
    if order.status not in {OrderStatus.DRAFT, OrderStatus.AWAITING_PROOF}:
        raise PaymentNotPossibleError(order.status, PaymentMethod.PIX_MANUAL)
    code = await _code(tx, order)
    attempt = await _open_attempt(tx, order)
    if attempt is not None and attempt.br_code != code:
        # The store's key has changed since.
        await attempts.set_state(tx, attempt.attempt_id, AttemptState.EXPIRED)
        attempt = None
    if attempt is None:
        attempt = await _begin(tx, order, code)
    if not offering.is_offered(order, attempt):
        shown = offering.pix(attempt, await pictures.address_of(code))
        actor = actor_of(access, order.source)
        await offering.offer(tx, access, order, attempt, shown, actor)
    return Answer(200, await body_of(tx, access, order_id, api_url))


async def by_cash(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Agree on cash on delivery, which confirms the order."""
    order = await hold_if(tx, access, order_id, api_url, if_match)
    method = PaymentMethod.CASH_ON_DELIVERY
    is_agreed = order.status is OrderStatus.CONFIRMED and order.payment_method is method
    if not is_agreed:
        if order.status is not OrderStatus.DRAFT:
            raise PaymentNotPossibleError(order.status, method)
        if not await gateways.cash_on_delivery_enabled(await driver_of(tx), order.store_id):
            message = f"The store takes no cash on delivery: allow it with {_SETTINGS}."
            raise PaymentNotConfiguredError(message)
        attempt = await _begin(tx, order, None)
        shown = Offer(method, PaymentProvider.MANUAL)
        actor, step = actor_of(access, order.source), transitions.DELIVER_FOR_CASH
        await offering.offer(tx, access, order, attempt, shown, actor, step)
    return Answer(200, await body_of(tx, access, order_id, api_url))


async def _code(tx: AsyncConnection, order: Held) -> str:
    """Return the BR Code of an order, which its bank statement will name by the txid."""
    if order.total_cents < 1:
        raise AmountTooSmallError(order.total_cents, 1)
    key = await gateways.manual_of(await driver_of(tx), order.store_id)
    if key is None:
        message = (
            "The store has no PIX key to be paid to: set manual_pix_key, its type, "
            f"recipient and city with {_SETTINGS}."
        )
        raise PaymentNotConfiguredError(message)
    code = StaticCode(
        key.key,
        key.recipient,
        key.city,
        amount_cents=order.total_cents,
        txid=txid_of(order.number),
    )
    try:
        return code.text()
    except BrCodeError as error:
        message = f"No code can be made of the store's PIX key: {error}"
        raise PaymentNotConfiguredError(message) from error


async def _open_attempt(tx: AsyncConnection, order: Held) -> Attempt | None:
    return next(
        (
            attempt
            for attempt in await attempts.of_order(tx, order.id)
            if attempt.provider is PaymentProvider.MANUAL
            and attempt.state is AttemptState.OPEN
        ),
        None,
    )


async def _begin(tx: AsyncConnection, order: Held, code: str | None) -> Attempt:
    attempt_id = await attempts.add(
        tx, order, PaymentProvider.MANUAL, AttemptState.OPEN, br_code=code
    )
    attempt = await attempts.find(tx, attempt_id)
    assert attempt is not None
    return attempt
