"""Making a charge at AbacatePay: the call itself, and keeping what came of it.

Three steps, and a process may die between any two of them: the attempt is written, AbacatePay
is called outside any transaction, the answer is kept. What is left in between is found again
by our own id, which went along.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    Charge,
    Customer,
    NewCharge,
    PaymentState,
    spellings,
)
from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.resources import Resources
from vek1_api.orders import attempts, attention, moving, offering
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.attention_schemas import AttentionKind
from vek1_api.orders.held import Held, hold
from vek1_api.orders.status import (
    Actor,
    AttemptState,
    EventType,
    OrderStatus,
    PaymentProvider,
)
from vek1_api.payment_settings import gateways
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payments import asking, learning, pictures
from vek1_api.payments.asking import Told
from vek1_api.payments.errors import ChargeNotMadeError

UNKNOWN_LOOK = timedelta(seconds=30)
"""When to look for a charge of which nobody knows whether it was made."""

LEASE = timedelta(seconds=45)
"""How long whoever makes a charge has it to themselves."""

LONGEST_SECONDS = 40.0
"""How long all the calls for one charge may take: less than the lease."""

_ASKED_AGAIN = frozenset((OrderStatus.DRAFT, OrderStatus.AWAITING_PROOF))


@dataclass(frozen=True, slots=True)
class Task:
    """An attempt whose charge is to be made by us, and by nobody else meanwhile.

    ``is_resumed``: somebody tried before, and the charge may be there.
    """

    order: Held
    attempt: Attempt
    gateway: Gateway
    is_resumed: bool


async def make(resources: Resources, access: Access, task: Task, actor: Actor) -> bool:
    """Make the charge of a task and put it on its order, or raise ``ChargeNotMadeError``.

    Returns what ``keep`` does.
    """
    client = gateways.abacatepay(resources)
    try:
        charge = await _in_time(_found_or_made(client, task))
    except AbacatePayError as error:
        async with resources.database.transaction() as tx:
            refusal = await _note_failure(tx, access, task, error, actor)
        raise refusal from error
    return await keep(resources, access, task.attempt, charge, actor)


async def keep(
    resources: Resources, access: Access, attempt: Attempt, charge: Charge, actor: Actor
) -> bool:
    """Write down a charge and ask the customer to pay it; raise if it is not what we need.

    Returns false where the order is not to be paid by it: then nobody sees its code. It may be
    paid already, should the webhook have been here before the answer.
    """
    image = await pictures.address_of(charge.br_code)
    async with resources.database.transaction() as tx:
        order = await hold(tx, access, attempt.order_id)
        present = await attempts.find(tx, attempt.attempt_id)
        assert present is not None
        names = spellings(charge.charge_id)
        if present.external_id not in {None, *names}:
            # Made twice after all, by one whose lease was over: it is watched by itself.
            told = Told(charge.charge_id, charge.state, charge)
            await learning.adopt(tx, access, present, told)
            return True
        await attempts.name(tx, attempt.attempt_id, present.provider, names)
        if present.state not in {AttemptState.CREATING, AttemptState.UNKNOWN}:
            return True
        problem = _problem(charge, present)
        if problem is None:
            return await _open(tx, access, order, present, charge, image, actor)
        await _set_kept(tx, present, charge, AttemptState.FAILED)
        await note_failed(tx, access, order, present, problem, actor)
        if problem == "wrong_environment":
            await attention.ask_for(
                tx, order.store_id, AttentionKind.WRONG_ENVIRONMENT, charge.charge_id
            )
    message = f"AbacatePay made a charge that cannot be used: {problem}."
    raise ChargeNotMadeError(message)


async def note_failed(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    attempt: Attempt,
    reason: str,
    actor: Actor,
    message: str | None = None,
) -> None:
    """Write that no charge came of an attempt; ``reason`` is a code of the gateway's or ours."""
    about = {"attempt_id": str(attempt.attempt_id), "reason": reason}
    data = about if message is None else about | {"message": message}
    await moving.add_events(tx, order, actor, (EventType.PAYMENT_FAILED, data))
    meta = {"number": order.number, **about}
    await moving.log(tx, access, "order.payment_failed", order, meta)


async def refused_key(tx: AsyncConnection, store_id: UUID, error: AbacatePayError) -> None:
    """Have a person look at a key that AbacatePay does not take."""
    await attention.ask_for(
        tx,
        store_id,
        AttentionKind.GATEWAY_REFUSED,
        "key",
        details={"reason": error.code, "message": error.message},
        is_news=True,
    )


async def _in_time(making: Awaitable[Charge]) -> Charge:
    """Return the charge before the lease is over, or raise that nobody knows."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await making
    except TimeoutError:
        said = "no answer in time"
        raise AbacatePayError(
            None, "no_answer", said, is_retryable=True, is_uncertain=True
        ) from None


async def _found_or_made(client: AbacatePay, task: Task) -> Charge:
    key, payment_id = task.gateway.api_key, str(task.attempt.attempt_id)
    if task.is_resumed and (found := await client.find_charge(key, payment_id)):
        return found
    try:
        return await client.create_charge(key, _wanted(task))
    except AbacatePayError as error:
        # Refused perhaps because it is there by now.
        if not task.is_resumed or error.is_uncertain or error.needs_attention:
            raise
        found = await client.find_charge(key, payment_id)
        if found is None:
            raise
        return found


def _wanted(task: Task) -> NewCharge:
    order = task.order
    return NewCharge(
        payment_id=str(task.attempt.attempt_id),
        order_id=str(order.id),
        amount_cents=task.attempt.amount_cents,
        expires_in_seconds=int(task.gateway.expires_in.total_seconds()),
        description=f"Pedido {order.number}",
        customer=Customer(
            order.customer_name,
            order.customer_email,
            order.customer_tax_id or task.gateway.default_tax_id,
            order.customer_phone,
        ),
    )


def _problem(charge: Charge, attempt: Attempt) -> str | None:
    """Return why a charge cannot be shown to anybody, or none."""
    if charge.amount_cents not in {None, attempt.amount_cents}:
        return "wrong_amount"
    if charge.is_dev not in {None, attempt.dev_mode}:
        return "wrong_environment"
    return None if charge.br_code else "no_code"


async def _open(
    tx: AsyncConnection,
    access: Access,
    order: Held,
    attempt: Attempt,
    charge: Charge,
    image: str | None,
    actor: Actor,
) -> bool:
    # A draft may have changed while its charge was made, or the charge was found late.
    is_over = charge.expires_at is not None and charge.expires_at <= clock.now()
    is_right = order.total_cents == attempt.amount_cents and not is_over
    state = AttemptState.OPEN if is_right else AttemptState.EXPIRED
    await _set_kept(tx, attempt, charge, state)
    opened = await attempts.find(tx, attempt.attempt_id)
    assert opened is not None
    is_asked_for = is_right and order.status in _ASKED_AGAIN
    if is_asked_for:
        await offering.offer(tx, access, order, opened, offering.pix(opened, image), actor)
    return is_asked_for


async def _set_kept(
    tx: AsyncConnection, attempt: Attempt, charge: Charge, state: AttemptState
) -> None:
    now = clock.now()
    is_waiting = charge.state is PaymentState.PENDING
    await attempts.set_state(
        tx,
        attempt.attempt_id,
        state,
        external_id=charge.charge_id,
        br_code=charge.br_code,
        expires_at=charge.expires_at or attempt.expires_at,
        check_at=now + asking.FIRST_LOOK if is_waiting else now,
    )


async def _note_failure(
    tx: AsyncConnection, access: Access, task: Task, error: AbacatePayError, actor: Actor
) -> ChargeNotMadeError:
    """Write that a charge was not made, or that nobody knows; return what to tell."""
    order = await hold(tx, access, task.order.id)
    attempt = await attempts.find(tx, task.attempt.attempt_id)
    assert attempt is not None
    if error.needs_attention:
        await refused_key(tx, order.store_id, error)
    is_ours = attempt.state is AttemptState.CREATING
    may_be_there = task.is_resumed and (error.is_retryable or error.needs_attention)
    if error.is_uncertain or may_be_there:
        if is_ours:
            look = clock.now() + UNKNOWN_LOOK
            await attempts.set_state(
                tx, attempt.attempt_id, AttemptState.UNKNOWN, check_at=look
            )
        message = (
            "AbacatePay did not say whether the charge was made. That is found out within "
            "minutes; ask for the payment again to get it, there will be no second charge."
        )
        return ChargeNotMadeError(message, retry_after_seconds=5)
    if is_ours:
        await attempts.set_state(tx, attempt.attempt_id, AttemptState.FAILED, check_at=None)
        await note_failed(tx, access, order, attempt, error.code, actor, error.message)
    return ChargeNotMadeError(_told(error))


def _told(error: AbacatePayError) -> str:
    if error.needs_attention:
        what = "make a new key in its panel and enter it in the payment settings"
    elif error.is_retryable:
        what = "nothing was charged; try again"
    elif error.code == "invalid_tax_id":
        what = "correct the order's customer_tax_id and try again"
    else:
        what = "nothing was charged; correct that and try again, or use pix_manual"
    return f"AbacatePay refused the charge ({error.message}): {what}."


async def prepare(tx: AsyncConnection, order: Held, gateway: Gateway) -> Task:
    """Write an attempt before anything is asked of AbacatePay; ours for a while."""
    now = clock.now()
    attempt_id = await attempts.add(
        tx,
        order,
        PaymentProvider.ABACATE_PAY,
        AttemptState.CREATING,
        dev_mode=gateway.is_dev,
        expires_at=now + gateway.expires_in,
        check_at=now + LEASE,
    )
    attempt = await attempts.find(tx, attempt_id)
    assert attempt is not None
    return Task(order, attempt, gateway, is_resumed=False)
