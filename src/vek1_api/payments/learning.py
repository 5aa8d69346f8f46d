"""What becomes of an order when AbacatePay says how its charge is; whoever asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import PaymentState, spellings
from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.inbox.status import Verdict
from vek1_api.orders import attempts, attention, moving, settling
from vek1_api.orders.attempts import WAITING, Attempt
from vek1_api.orders.attention_schemas import AttentionKind
from vek1_api.orders.held import Held, hold
from vek1_api.orders.settling import Settled
from vek1_api.orders.status import Actor, AttemptState, EventType, PaymentProvider
from vek1_api.payments import asking
from vek1_api.payments.asking import Told

_ENDED = {
    PaymentState.EXPIRED: AttemptState.EXPIRED,
    PaymentState.CANCELLED: AttemptState.FAILED,
    PaymentState.FAILED: AttemptState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of it, in the words of the inbox; ``reason`` is for a person."""

    verdict: Verdict
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """An order in hand, the attempt in question, and what is said about its charge."""

    tx: AsyncConnection
    access: Access
    order: Held
    attempt: Attempt
    told: Told
    actor: Actor

    async def set_state(self, state: AttemptState, **values: Any) -> None:
        await attempts.set_state(self.tx, self.attempt.attempt_id, state, **values)

    async def note(self, kind: EventType, action: str, **data: Any) -> None:
        """Write an event and an audit entry about the attempt."""
        about = {"attempt_id": str(self.attempt.attempt_id), **data}
        await moving.add_events(self.tx, self.order, self.actor, (kind, about))
        meta = {"number": self.order.number, **about}
        await moving.log(self.tx, self.access, action, self.order, meta)

    async def ask_for(self, kind: AttentionKind, **details: Any) -> None:
        await attention.ask_for(
            self.tx,
            self.order.store_id,
            kind,
            self.attempt.attempt_id,
            order_id=self.order.id,
            attempt_id=self.attempt.attempt_id,
            details={"amount_cents": self.attempt.amount_cents, **details},
        )


async def learn(
    tx: AsyncConnection,
    access: Access,
    attempt: Attempt,
    told: Told,
    actor: Actor,
    claimed_cents: Iterable[int] = (),
) -> Learned:
    """Move an order's attempt on by what AbacatePay says; never back.

    ``claimed_cents`` are amounts that a webhook told: one that differs is enough for a person
    to look before anything is confirmed. Raises ``OrderNotFoundError`` for a closed store.
    """
    order = await hold(tx, access, attempt.order_id)
    # Only now does it stay as it is.
    present = await attempts.find(tx, attempt.attempt_id)
    assert present is not None
    case = _Case(tx, access, order, await _named(tx, present, told), told, actor)
    known = asking.standing(present.state)
    if not known.may_become(told.state):
        return await _nothing_new(case, known)
    match told.state:
        case PaymentState.PAID:
            return await _take_money(case, told.amounts | set(claimed_cents))
        case PaymentState.DISPUTED:
            return await _dispute(case)
        case PaymentState.REFUNDED:
            await _give_back(case, None)
            return Learned(Verdict.APPLIED)
        case PaymentState.EXPIRED | PaymentState.CANCELLED | PaymentState.FAILED:
            return await _end(case, _ENDED[told.state])
        case PaymentState.PENDING:
            return Learned(Verdict.IGNORED)


async def note_refund(
    tx: AsyncConnection, access: Access, attempt: Attempt, refund_id: str | None
) -> None:
    """Write that an attempt's money went back; a second time changes nothing."""
    order = await hold(tx, access, attempt.order_id)
    present = await attempts.find(tx, attempt.attempt_id)
    assert present is not None
    if present.state is not AttemptState.REFUNDED:
        told = Told(present.external_id or "", PaymentState.REFUNDED)
        case = _Case(tx, access, order, present, told, Actor.SYSTEM)
        await _give_back(case, refund_id)


async def adopt(
    tx: AsyncConnection, access: Access, attempt: Attempt, told: Told
) -> Attempt:
    """Return the attempt of a charge that was made a second time under one id of ours.

    It gets a row of its own: each charge is paid, and given back, by itself.
    """
    order = await hold(tx, access, attempt.order_id)
    for other in await attempts.of_order(tx, order.id):
        if other.external_id in spellings(told.charge_id):
            return other
    assert told.charge is not None
    attempt_id = await attempts.add(
        tx,
        order,
        PaymentProvider.ABACATE_PAY,
        AttemptState.EXPIRED,
        dev_mode=attempt.dev_mode,
        external_id=told.charge_id,
        br_code=told.charge.br_code,
        expires_at=told.charge.expires_at,
        check_at=clock.now() + asking.FIRST_LOOK,
    )
    names = spellings(told.charge_id)
    await attempts.name(tx, attempt_id, PaymentProvider.ABACATE_PAY, names)
    adopted = await attempts.find(tx, attempt_id)
    assert adopted is not None
    return adopted


async def _named(tx: AsyncConnection, attempt: Attempt, told: Told) -> Attempt:
    """Keep which charge it is, should this come before the answer that made it."""
    if attempt.external_id is not None:
        return attempt
    charge = told.charge
    await attempts.name(tx, attempt.attempt_id, attempt.provider, spellings(told.charge_id))
    await attempts.set_state(
        tx,
        attempt.attempt_id,
        attempt.state,
        external_id=told.charge_id,
        br_code=charge and charge.br_code,
        expires_at=(charge and charge.expires_at) or attempt.expires_at,
        check_at=clock.now() + asking.FIRST_LOOK,
    )
    named = await attempts.find(tx, attempt.attempt_id)
    assert named is not None
    return named


async def _nothing_new(case: _Case, known: PaymentState) -> Learned:
    if case.told.state is not PaymentState.PENDING:
        return Learned(Verdict.DUPLICATE if known is case.told.state else Verdict.STALE)
    ends = case.attempt.expires_at
    if case.attempt.state is AttemptState.OPEN and ends and ends < clock.now():
        # Their own list may say pending for ever.
        await _end(case, AttemptState.EXPIRED)
    return Learned(Verdict.IGNORED, "AbacatePay says that the charge is not paid.")


async def _take_money(case: _Case, amounts: set[int]) -> Learned:
    expected = case.attempt.amount_cents
    wrong = (amounts | {case.order.total_cents}) - {expected}
    if wrong:
        return await _refuse_amount(case, amounts)
    settled = await settling.settle_charge(
        case.tx, case.access, case.order, case.attempt, case.actor
    )
    match settled:
        case Settled.NOW | Settled.BEFORE:
            return Learned(Verdict.APPLIED)
        case Settled.LATE:
            return Learned(Verdict.LATE, "The order was cancelled before.")
        case Settled.TWICE:
            return Learned(Verdict.LATE, "The order was paid by another charge before.")


async def _refuse_amount(case: _Case, amounts: set[int]) -> Learned:
    expected, told = case.order.total_cents, sorted(amounts)
    await case.set_state(AttemptState.WRONG_AMOUNT, check_at=None)
    await case.ask_for(
        AttentionKind.WRONG_AMOUNT,
        number=case.order.number,
        amount_cents=next(iter(amounts - {expected}), case.attempt.amount_cents),
        expected_cents=expected,
        told_cents=told,
    )
    await case.note(
        EventType.PAYMENT_FAILED,
        "order.payment_failed",
        reason="wrong_amount",
        expected_cents=expected,
        told_cents=told,
    )
    reason = f"Told were {told} cents, and the order costs {expected}."
    return Learned(Verdict.REJECTED_AMOUNT, reason)


async def _dispute(case: _Case) -> Learned:
    await case.set_state(AttemptState.DISPUTED, check_at=None)
    await case.ask_for(AttentionKind.DISPUTE, number=case.order.number)
    await case.note(EventType.NOTE, "order.payment_disputed", step="payment_disputed")
    return Learned(Verdict.APPLIED)


async def _give_back(case: _Case, refund_id: str | None) -> None:
    await case.set_state(AttemptState.REFUNDED, check_at=None, refund_id=refund_id)
    await attention.settle_attempt(case.tx, case.attempt.attempt_id)
    amount = case.attempt.amount_cents
    await case.note(EventType.NOTE, "order.refunded", step="refunded", amount_cents=amount)


async def _end(case: _Case, state: AttemptState) -> Learned:
    if case.attempt.state not in WAITING:
        return Learned(Verdict.STALE)
    later = asking.next_look(case.attempt, clock.now())
    await case.set_state(state, check_at=later)
    if state is AttemptState.EXPIRED:
        await case.note(EventType.NOTE, "order.payment_expired", step="payment_expired")
    else:
        reason = case.told.state.value
        await case.note(EventType.PAYMENT_FAILED, "order.payment_failed", reason=reason)
    return Learned(Verdict.APPLIED)
