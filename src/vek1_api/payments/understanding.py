"""Understanding AbacatePay's webhooks: a claim, for which AbacatePay itself is then asked.

Nothing that a webhook says is believed where it costs money: its signature can be made by
anybody, and its secret may have leaked.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    Event,
    EventKind,
    PaymentState,
    read_event,
    spellings,
)
from vek1_api.access import access as accesses
from vek1_api.core import clock
from vek1_api.core.resources import Resources
from vek1_api.inbox import service as inbox
from vek1_api.inbox.service import Kept
from vek1_api.inbox.status import Verdict
from vek1_api.orders import attempts, attention
from vek1_api.orders.attempts import Attempt, Match
from vek1_api.orders.attention_schemas import AttentionKind
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.status import Actor, PaymentProvider
from vek1_api.payment_settings import gateways
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payments import asking, learning, making
from vek1_api.payments.asking import Told
from vek1_api.payments.learning import Learned

SOON = timedelta(seconds=15)
"""When to ask again about a charge that a webhook says more of than AbacatePay does."""

_GATEWAY = PaymentProvider.ABACATE_PAY
_CLAIMED = {
    EventKind.PAID: PaymentState.PAID,
    EventKind.REFUNDED: PaymentState.REFUNDED,
    EventKind.DISPUTED: PaymentState.DISPUTED,
    EventKind.DISPUTE_LOST: PaymentState.DISPUTED,
}
_UNPAID = frozenset(
    (
        PaymentState.PENDING,
        PaymentState.EXPIRED,
        PaymentState.CANCELLED,
        PaymentState.FAILED,
    )
)
_LOST = frozenset((PaymentState.DISPUTED, PaymentState.REFUNDED))
_WITHOUT_EFFECT = frozenset((Verdict.DUPLICATE, Verdict.STALE, Verdict.IGNORED))


@dataclass(frozen=True, slots=True)
class _Verdict(Learned):
    """A verdict that needs no order, and what a person must look at because of it."""

    kind: AttentionKind | None = None


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A webhook about a charge that may be ours, and all that is needed to ask."""

    kept: Kept
    event: Event
    match: Match
    attempt: Attempt
    gateway: Gateway


async def understand(resources: Resources, inbox_id: UUID) -> None:
    """Act on a webhook, once. Raises ``AbacatePayError`` while AbacatePay does not say."""
    async with resources.database.driver() as driver:
        kept = await inbox.load(driver, inbox_id)
    if kept is None or kept.handled_at is not None:
        return
    event = read_event(kept.body)
    found = await _judged(resources, kept, event)
    verdict = await _asked(resources, found) if isinstance(found, _Suspect) else found
    if verdict is not None:
        await _conclude(resources, kept, event, verdict)


async def _judged(resources: Resources, kept: Kept, event: Event) -> _Suspect | _Verdict:
    """Return what can be said without asking anybody, or whom to ask about what."""
    if not event.is_known:
        return _Verdict(Verdict.IGNORED, "It tells of no money.")
    async with resources.database.driver() as driver:
        gateway = await gateways.gateway_of(driver, kept.store_id, resources.keyring)
        our_ids = (*event.payment_ids, *event.external_ids)
        match = await attempts.match(
            driver, _GATEWAY, event.charge_ids, our_ids, heard_by=kept.store_id
        )
        attempt = None if match is None else await attempts.read(driver, match.attempt_id)
    if gateway is None:
        message = "The store has no key of AbacatePay any more."
        return _Verdict(Verdict.ERROR, message, AttentionKind.GATEWAY_REFUSED)
    if match is None and event.dev_mode == gateway.is_dev:
        message = "No order of this store has such a charge."
        return _Verdict(Verdict.UNMATCHED, message, AttentionKind.UNKNOWN_CHARGE)
    if match is not None and match.store_id != kept.store_id:
        # Two stores of one merchant may share an account: each then hears of both.
        kind = None if match.is_in_the_family else AttentionKind.UNKNOWN_CHARGE
        return _Verdict(Verdict.REJECTED_STORE, "The charge is another store's.", kind)
    is_test = event.dev_mode or (attempt is not None and attempt.dev_mode)
    if match is None or attempt is None or is_test != gateway.is_dev:
        message = "It is of the other mode (test or live) than the store's key."
        kind = AttentionKind.WRONG_ENVIRONMENT
        return _Verdict(Verdict.REJECTED_DEV_MODE, message, kind)
    return _Suspect(kept, event, match, attempt, gateway)


async def _asked(resources: Resources, suspect: _Suspect) -> _Verdict | None:
    """Ask AbacatePay about a charge and act on its answer; none if that is concluded."""
    try:
        told = await _told(gateways.abacatepay(resources), suspect)
    except AbacatePayError as error:
        if asking.is_unknown_there(error):
            message = "AbacatePay knows no such charge."
            return _Verdict(Verdict.UNMATCHED, message, AttentionKind.UNKNOWN_CHARGE)
        if error.needs_attention:
            async with resources.database.transaction() as tx:
                await making.refused_key(tx, suspect.kept.store_id, error)
        raise
    if told is None:
        message = "AbacatePay says that the charge was not made for this payment."
        return _Verdict(Verdict.UNMATCHED, message, AttentionKind.UNKNOWN_CHARGE)
    try:
        async with resources.database.transaction() as tx:
            await _apply(tx, suspect, told)
    except OrderNotFoundError:
        return _Verdict(Verdict.IGNORED, "The store is closed.")
    return None


async def _told(client: AbacatePay, suspect: _Suspect) -> Told | None:
    """Return what AbacatePay says of the charge; none if it is not one of this attempt's."""
    key, attempt = suspect.gateway.api_key, suspect.attempt
    if suspect.match.is_named and attempt.external_id is not None:
        return await asking.ask(client, key, attempt.external_id)
    # Our own answer is not there yet, or there is a second charge under one id of ours.
    charge = await asking.charge_of(
        client, key, attempt.attempt_id, suspect.event.charge_ids
    )
    if charge is None:
        return None
    told = await asking.ask(client, key, charge.charge_id)
    return Told(told.charge_id, told.state, charge)


async def _apply(tx: AsyncConnection, suspect: _Suspect, told: Told) -> None:
    """Act on what AbacatePay says, and write the verdict, in one transaction."""
    access = accesses.system(suspect.match.company_id)
    attempt, event = suspect.attempt, suspect.event
    if attempt.external_id not in {None, *spellings(told.charge_id)}:
        attempt = await learning.adopt(tx, access, attempt, told)
    amounts = (event.amount_cents, event.paid_amount_cents)
    learned = await learning.learn(
        tx,
        access,
        attempt,
        told,
        Actor.WEBHOOK,
        [cents for cents in amounts if cents is not None],
    )
    if event.kind is EventKind.DISPUTE_LOST and told.state in _LOST:
        await _note_loss(tx, attempt)
    if told.state in _UNPAID:
        await attempts.look_again(tx, attempt.attempt_id, clock.now() + SOON)
    learned = _in_view_of(learned, _CLAIMED[event.kind], told.state)
    await inbox.conclude(
        tx, suspect.kept.id, learned.verdict, learned.reason, attempt.order_id
    )


def _in_view_of(learned: Learned, claimed: PaymentState, said: PaymentState) -> Learned:
    """Return the verdict on a claim, by what AbacatePay itself says and what came of that."""
    is_more = said.may_become(claimed)
    if is_more and (said in _UNPAID or learned.verdict in _WITHOUT_EFFECT):
        message = f"AbacatePay itself says that the charge is {said}."
        return Learned(Verdict.IGNORED, message)
    if learned.verdict is Verdict.DUPLICATE and claimed is not said:
        return Learned(Verdict.STALE, f"The charge is {said} by now.")
    return learned


async def _note_loss(tx: AsyncConnection, attempt: Attempt) -> None:
    """Have a person look at a dispute that is lost: goods and money are both gone."""
    await attention.ask_for(
        tx,
        attempt.store_id,
        AttentionKind.DISPUTE,
        f"{attempt.attempt_id}:lost",
        order_id=attempt.order_id,
        attempt_id=attempt.attempt_id,
        details={"amount_cents": attempt.amount_cents, "is_lost": True},
    )


async def _conclude(
    resources: Resources, kept: Kept, event: Event, found: _Verdict
) -> None:
    async with resources.database.transaction() as tx:
        is_first = await inbox.conclude(tx, kept.id, found.verdict, found.reason)
        if is_first and found.kind is not None:
            charge_id = event.charge_ids[0] if event.charge_ids else event.event_id
            details = {
                "charge_id": charge_id,
                "event": event.name,
                "amount_cents": event.amount_cents,
            }
            await attention.ask_for(
                tx, kept.store_id, found.kind, charge_id, details=details
            )
