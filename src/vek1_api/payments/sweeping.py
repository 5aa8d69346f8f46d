"""Asking for charges by ourselves: a webhook that is lost costs minutes, not money."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import structlog

from vek1_api.abacatepay import AbacatePayError
from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.encryption import SealedForNobodyError
from vek1_api.core.resources import Resources
from vek1_api.orders import attempts
from vek1_api.orders.attempts import WAITING, Attempt
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.held import hold
from vek1_api.orders.status import Actor, AttemptState
from vek1_api.payment_settings import gateways
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payments import asking, learning, making
from vek1_api.payments.errors import ChargeNotMadeError

LEASE = timedelta(seconds=90)
AT_ONCE = 8
"""Charges asked for at the same time; as many are taken as can be asked for at once."""

LONGEST_SECONDS = 50.0
FOUND_WITHIN = timedelta(minutes=3)
"""How long a charge may take to show up that was perhaps made."""

log = structlog.get_logger()


async def sweep(resources: Resources) -> int:
    """Ask for every charge that is due, and return how many were; each ends by itself.

    Several sweeps at once share the work: what one has taken, the others pass over.
    """
    asked, stop_at = 0, time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < stop_at:
        async with resources.database.transaction() as tx:
            due = await attempts.lease(tx, LEASE, AT_ONCE)
        ends = await asyncio.gather(
            *(_visit(resources, attempt, company_id) for attempt, company_id in due),
            return_exceptions=True,
        )
        for error in filter(None, ends):
            # One that cannot be dealt with does not keep the others waiting.
            log.error("charge_not_asked_for", exc_info=error)
        asked += len(due)
        if len(due) < AT_ONCE:
            break
    return asked


async def _visit(resources: Resources, attempt: Attempt, company_id: str) -> None:
    access = accesses.system(company_id)
    try:
        gateway = await _gateway(resources, attempt)
        if gateway is None:
            await _look_later(resources, attempt)
        elif attempt.state is AttemptState.CREATING:
            await _resolve(resources, access, attempt, gateway)
        else:
            await _ask(resources, access, attempt, gateway)
    except AbacatePayError as error:
        log.warning("charge_not_told", attempt_id=attempt.attempt_id, code=error.code)
        await _look_later(resources, attempt)
        if error.needs_attention:
            async with resources.database.transaction() as tx:
                await making.refused_key(tx, attempt.store_id, error)
    except OrderNotFoundError:
        # The store was closed: nobody is there any more to be told.
        await _forget(resources, attempt.attempt_id)


async def _gateway(resources: Resources, attempt: Attempt) -> Gateway | None:
    """Return the account that a charge was made with; none if the store has another now."""
    try:
        async with resources.database.driver() as driver:
            gateway = await gateways.gateway_of(driver, attempt.store_id, resources.keyring)
    except SealedForNobodyError:
        log.warning("gateway_key_unreadable", store_id=attempt.store_id)
        return None
    return gateway if gateway and gateway.is_dev == attempt.dev_mode else None


async def _ask(
    resources: Resources, access: Access, attempt: Attempt, gateway: Gateway
) -> None:
    if attempt.external_id is None:
        await _forget(resources, attempt.attempt_id)
        return
    client = gateways.abacatepay(resources)
    told = await asking.ask(client, gateway.api_key, attempt.external_id)
    async with resources.database.transaction() as tx:
        await learning.learn(tx, access, attempt, told, Actor.SYSTEM)
        await attempts.look_again(
            tx, attempt.attempt_id, asking.next_look(attempt, clock.now())
        )


async def _resolve(
    resources: Resources, access: Access, attempt: Attempt, gateway: Gateway
) -> None:
    """Find out whether a charge was made, after a time-out or a crash."""
    client = gateways.abacatepay(resources)
    charge = await client.find_charge(gateway.api_key, str(attempt.attempt_id))
    if charge is not None:
        try:
            await making.keep(resources, access, attempt, charge, Actor.SYSTEM)
        except ChargeNotMadeError as error:
            log.warning("charge_unusable", attempt_id=attempt.attempt_id, why=error.detail)
        return
    if clock.now() - attempt.created_at < FOUND_WITHIN:
        await _look_later(resources, attempt)
        return
    async with resources.database.transaction() as tx:
        order = await hold(tx, access, attempt.order_id)
        present = await attempts.find(tx, attempt.attempt_id)
        if present is not None and present.state in WAITING - {AttemptState.OPEN}:
            await attempts.set_state(
                tx, attempt.attempt_id, AttemptState.FAILED, check_at=None
            )
            reason = "never_made"
            await making.note_failed(tx, access, order, present, reason, Actor.SYSTEM)


async def _look_later(resources: Resources, attempt: Attempt) -> None:
    """Give a charge back unasked; of one that is being made nobody knows now."""
    is_creating = attempt.state is AttemptState.CREATING
    async with resources.database.transaction() as tx:
        await attempts.look_again(
            tx,
            attempt.attempt_id,
            asking.next_look(attempt, clock.now()),
            AttemptState.UNKNOWN if is_creating else None,
        )


async def _forget(resources: Resources, attempt_id: UUID) -> None:
    async with resources.database.transaction() as tx:
        await attempts.look_again(tx, attempt_id, None)
