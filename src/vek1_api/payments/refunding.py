"""Giving money back through AbacatePay: asked for once, done by a job, told when it is done.

The request only writes that the money goes back; the job calls AbacatePay outside any
transaction, which takes a repeat for the same refund. So a process may die at any moment.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import AbacatePayError, ChargeStatus, PaymentState, Refund
from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import driver_of
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.resources import Resources
from vek1_api.orders import attempts, attention, moving
from vek1_api.orders.attempts import Attempt
from vek1_api.orders.attention_schemas import AttentionKind
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.held import Held, actor_of, body_of, hold, hold_if
from vek1_api.orders.status import Actor, AttemptState, EventType, PaymentProvider
from vek1_api.payment_settings import gateways
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payments import asking, learning
from vek1_api.payments.errors import NotRefundableError
from vek1_api.payments.schemas import RefundRequest

JOB = "payments.refund"
MAX_TRIES = 20
"""About three hours; then it is a person's."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)

_S = AttemptState
_MONEY = frozenset((_S.PAID, _S.PAID_AGAIN, _S.WRONG_AMOUNT))
_ON_ITS_WAY = frozenset((_S.REFUNDING, _S.REFUNDED))


async def request(
    tx: AsyncConnection,
    access: Access,
    order_id: UUID,
    wanted: RefundRequest,
    api_url: str,
    if_match: IfMatch,
) -> Answer:
    """Write that a payment goes back, and have it done; what is on its way already stays so."""
    order = await hold_if(tx, access, order_id, api_url, if_match)
    attempt = await _chosen(tx, order, wanted.attempt_id)
    if attempt.state not in _ON_ITS_WAY:
        await attempts.set_state(tx, attempt.attempt_id, AttemptState.REFUNDING)
        payload = {
            "company_id": access.company_id,
            "attempt_id": str(attempt.attempt_id),
            "was": attempt.state,
            "tries": 0,
        }
        await jobs.enqueue(tx, JOB, payload)
        about = {"attempt_id": str(attempt.attempt_id)}
        data = about | {"step": "refund_requested", "amount_cents": attempt.amount_cents}
        if wanted.reason is not None:
            data["reason"] = wanted.reason
        actor = actor_of(access)
        await moving.add_events(tx, order, actor, (EventType.NOTE, data))
        meta = {
            "number": order.number,
            **about,
            "amount_cents": attempt.amount_cents,
        }
        await moving.log(tx, access, "order.refund_requested", order, meta)
    return Answer(200, await body_of(tx, access, order_id, api_url))


async def run(resources: Resources, payload: jobs.Payload) -> None:
    """Give a payment back; what cannot be told yet is tried again later."""
    access = accesses.system(payload["company_id"])
    async with resources.database.read() as connection:
        attempt = await attempts.find(connection, UUID(payload["attempt_id"]))
        if attempt is None or attempt.state is not AttemptState.REFUNDING:
            return
        driver = await driver_of(connection)
        gateway = await gateways.gateway_of(driver, attempt.store_id, resources.keyring)
    try:
        refund = await _given_back(resources, gateway, attempt)
    except AbacatePayError as error:
        async with resources.database.transaction() as tx:
            await _note_failure(tx, access, attempt, payload, error)
        return
    try:
        async with resources.database.transaction() as tx:
            await learning.note_refund(tx, access, attempt, refund.refund_id)
    except OrderNotFoundError:
        return  # The store was closed meanwhile; the money is back.


async def _chosen(tx: AsyncConnection, order: Held, attempt_id: UUID | None) -> Attempt:
    """Return the payment to give back, or raise why there is none, or which could be meant."""
    own = await attempts.of_order(tx, order.id)
    if attempt_id is not None and attempt_id not in {each.attempt_id for each in own}:
        pointers = {"/attempt_id": str(attempt_id)}
        kind = "attempt"
        raise ForeignReferenceError(kind, pointers)
    paid = [
        each
        for each in own
        if each.provider is PaymentProvider.ABACATE_PAY
        and each.state in _MONEY | _ON_ITS_WAY | {AttemptState.DISPUTED}
        and attempt_id in {None, each.attempt_id}
    ]
    if not paid:
        raise NotRefundableError(_why_not(order))
    if len(paid) > 1:
        ids = ", ".join(str(each.attempt_id) for each in paid)
        message = f"The order was paid more than once: say which with attempt_id, of {ids}."
        raise NotRefundableError(message)
    if paid[0].state is AttemptState.DISPUTED:
        message = "The payment is disputed: AbacatePay decides whether it goes back."
        raise NotRefundableError(message)
    return paid[0]


def _why_not(order: Held) -> str:
    if order.paid_at is None:
        return "Nothing was paid through AbacatePay, so there is nothing to give back."
    return (
        "The money did not come through AbacatePay: send it back by hand, and note that "
        "with POST /v1/orders/{order_id}/notes."
    )


async def _given_back(
    resources: Resources, gateway: Gateway | None, attempt: Attempt
) -> Refund:
    if gateway is None or attempt.external_id is None:
        message = "the store has no key of AbacatePay any more"
        raise AbacatePayError(None, "unauthorized", message)
    client = gateways.abacatepay(resources)
    try:
        refund = await client.refund_charge(gateway.api_key, attempt.external_id)
    except AbacatePayError as error:
        if error.is_uncertain or error.is_retryable or error.needs_attention:
            raise
        # Perhaps it went back by the panel.
        told = await asking.ask(client, gateway.api_key, attempt.external_id)
        if told.state is not PaymentState.REFUNDED:
            raise
        return Refund(None, None, ChargeStatus.REFUNDED, was_done_before=True)
    if refund.status is ChargeStatus.FAILED:
        raise AbacatePayError(None, "REFUND_FAILED", "AbacatePay says that it failed")
    return refund


async def _note_failure(
    tx: AsyncConnection,
    access: Access,
    attempt: Attempt,
    payload: jobs.Payload,
    error: AbacatePayError,
) -> None:
    """Have it tried again where that may help; else it is paid still, and a person's."""
    tries = payload["tries"] + 1
    may_help = error.is_retryable or error.is_uncertain
    if may_help and tries < MAX_TRIES:
        wait = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
        await jobs.enqueue(tx, JOB, payload | {"tries": tries}, after=wait)
        return
    try:
        order = await hold(tx, access, attempt.order_id)
    except OrderNotFoundError:
        return
    present = await attempts.find(tx, attempt.attempt_id)
    if present is None or present.state is not AttemptState.REFUNDING:
        return
    await attempts.set_state(tx, attempt.attempt_id, AttemptState(payload["was"]))
    about = {"attempt_id": str(attempt.attempt_id), "reason": error.code}
    await attention.ask_for(
        tx,
        order.store_id,
        AttentionKind.REFUND_FAILED,
        attempt.attempt_id,
        order_id=order.id,
        attempt_id=attempt.attempt_id,
        details={
            "amount_cents": attempt.amount_cents,
            "reason": error.code,
            "message": error.message,
            "is_uncertain": error.is_uncertain,
        },
        is_news=True,
    )
    event = (EventType.NOTE, {"step": "refund_failed", **about})
    await moving.add_events(tx, order, Actor.SYSTEM, event)
    meta = {"number": order.number, **about}
    await moving.log(tx, access, "order.refund_failed", order, meta)
