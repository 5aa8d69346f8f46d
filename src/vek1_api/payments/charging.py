"""Asking for a charge: one is open at a time, however many ask and however often."""

import asyncio
import time
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import MINIMUM_CENTS
from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.db import driver_of
from vek1_api.core.encryption import Keyring, SealedForNobodyError
from vek1_api.core.errors import UnavailableError
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.resources import Resources
from vek1_api.orders import attempts, offering
from vek1_api.orders.attempts import WAITING, Attempt
from vek1_api.orders.held import Held, actor_of, hold_if
from vek1_api.orders.status import (
    AttemptState,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
)
from vek1_api.payment_settings import gateways
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payments import making, pictures
from vek1_api.payments.errors import (
    AmountTooSmallError,
    ChargeNotMadeError,
    PaymentNotConfiguredError,
    PaymentNotPossibleError,
)
from vek1_api.payments.making import Task

PATIENCE_SECONDS = 25.0
"""How long to wait for a charge that somebody else is making."""

FIRST_LOOK_SECONDS = 0.02
LONGEST_LOOK_SECONDS = 0.5


async def open_charge(
    resources: Resources, access: Access, order_id: UUID, if_match: IfMatch
) -> None:
    """Have a charge open for an order, and its code on it.

    Raises ``ChargeNotMadeError`` where AbacatePay makes none, or does not say.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    url = resources.settings.api_url
    while time.monotonic() < deadline:
        async with resources.database.transaction() as tx:
            order = await hold_if(tx, access, order_id, url, if_match)
            found = await _find_or_take(tx, access, order, resources.keyring)
        # What changes from now on is our own doing.
        if_match = IfMatch()
        match found:
            case None:
                return
            case Task():
                actor = actor_of(access, found.order.source)
                if await making.make(resources, access, found, actor):
                    return
            case Attempt():
                await _wait_for(resources, found, deadline)
    message = "The charge is still being made; ask again in a moment."
    raise UnavailableError(message, retry_after_seconds=5)


async def _find_or_take(
    tx: AsyncConnection, access: Access, order: Held, keyring: Keyring
) -> Task | Attempt | None:
    """Return a charge to be made, or one that another request makes; none if one is open."""
    if order.status not in {OrderStatus.DRAFT, OrderStatus.AWAITING_PROOF}:
        raise PaymentNotPossibleError(order.status, PaymentMethod.PIX_GATEWAY)
    now = clock.now()
    waiting = await _waiting(tx, order)
    if waiting is not None and _is_in_hand(waiting, now):
        return waiting
    if waiting is not None and not await _is_of_use(tx, order, waiting, now):
        # It goes on being watched: somebody may pay it all the same.
        await attempts.set_state(tx, waiting.attempt_id, AttemptState.EXPIRED)
        waiting = None
    if waiting is not None and waiting.state is AttemptState.OPEN:
        await _show(tx, access, order, waiting)
        return None
    gateway = await _gateway(tx, order, keyring)
    if waiting is None:
        return await making.prepare(tx, order, gateway)
    await attempts.set_state(
        tx, waiting.attempt_id, AttemptState.CREATING, check_at=now + making.LEASE
    )
    return Task(order, waiting, gateway, is_resumed=True)


async def _waiting(tx: AsyncConnection, order: Held) -> Attempt | None:
    """Return the charge that waits; the key of ``attempt_ref`` lets there be one."""
    return next(
        (
            attempt
            for attempt in await attempts.of_order(tx, order.id)
            if attempt.provider is PaymentProvider.ABACATE_PAY and attempt.state in WAITING
        ),
        None,
    )


async def _is_of_use(
    tx: AsyncConnection, order: Held, attempt: Attempt, now: datetime
) -> bool:
    """Return whether the customer may be asked to pay this charge, or one to be found.

    One of the test mode takes no money once the store's key is a live one, nor the other
    way round.
    """
    is_dev = await gateways.dev_mode_of(await driver_of(tx), order.store_id)
    if is_dev not in {None, attempt.dev_mode}:
        return False
    return attempt.state is not AttemptState.OPEN or _is_payable(order, attempt, now)


def _is_payable(order: Held, attempt: Attempt, now: datetime) -> bool:
    is_open = attempt.expires_at is None or attempt.expires_at > now
    return is_open and attempt.amount_cents == order.total_cents


def _is_in_hand(attempt: Attempt, now: datetime) -> bool:
    is_creating = attempt.state is AttemptState.CREATING
    return is_creating and attempt.check_at is not None and attempt.check_at > now


async def _show(tx: AsyncConnection, access: Access, order: Held, attempt: Attempt) -> None:
    if not offering.is_offered(order, attempt):
        image = await pictures.address_of(attempt.br_code)
        shown = offering.pix(attempt, image)
        actor = actor_of(access, order.source)
        await offering.offer(tx, access, order, attempt, shown, actor)


async def _gateway(tx: AsyncConnection, order: Held, keyring: Keyring) -> Gateway:
    """Return the store's account, or raise why no charge can be made with it."""
    if order.total_cents < MINIMUM_CENTS:
        raise AmountTooSmallError(order.total_cents, MINIMUM_CENTS)
    driver = await driver_of(tx)
    try:
        gateway = await gateways.gateway_of(driver, order.store_id, keyring)
    except SealedForNobodyError as error:
        message = "AbacatePay's key cannot be read any more: enter it again."
        raise PaymentNotConfiguredError(message) from error
    if gateway is None or not gateway.is_enabled:
        message = (
            "The store does not take PIX through AbacatePay: set abacate_pay_api_key and "
            "pix_enabled with PUT /v1/stores/{store_id}/payment-settings."
        )
        raise PaymentNotConfiguredError(message)
    return gateway


async def _wait_for(resources: Resources, attempt: Attempt, deadline: float) -> None:
    """Return when another request has made a charge; raise if it could not."""
    pause, present = FIRST_LOOK_SECONDS, attempt
    while _is_in_hand(present, clock.now()) and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
        async with resources.database.read() as connection:
            found = await attempts.find(connection, attempt.attempt_id)
        if found is None:
            return
        present = found
    if present.state is AttemptState.UNKNOWN:
        message = "AbacatePay did not say whether the charge was made; ask again."
        raise ChargeNotMadeError(message, retry_after_seconds=5)
    if present.state is AttemptState.FAILED:
        message = "AbacatePay made no charge; the order's events say why."
        raise ChargeNotMadeError(message)
