"""The proof desk: what a proof says against what the order expects. It informs, no more."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from vek1_api.core.money import shown
from vek1_api.orders.status import PaymentMethod
from vek1_api.payment_settings.gateways import ManualPix
from vek1_api.pix.keys import KeyType
from vek1_api.pix.matching import mentions_key, names_match, tax_id_fits
from vek1_api.pix.receipts import BRASILIA, ReceiptFacts, paid_at
from vek1_api.pix.txid import order_number_of, txid_of
from vek1_api.proofs.reasons import reason, worst
from vek1_api.proofs.schemas import (
    AmountCheck,
    DateCheck,
    DeskReason,
    ProofDesk,
    WordsCheck,
)
from vek1_api.proofs.status import Reading

CLOCKS_DIFFER = timedelta(minutes=15)
"""Between a bank and us, before a time counts as too early or too late."""
MINUTES_DIFFER = timedelta(hours=3)
"""Between the moment that an end-to-end id names and the one that is printed."""

_MALFORMED_ID = re.compile(r"(?<![0-9A-Za-z])E[0-9]{12}[0-9A-Za-z]{4,40}(?![0-9A-Za-z])")
NOTHING = ReceiptFacts((), (), (), (), (), (), (), scheduled=False)

Verdict = tuple[bool | None, list[DeskReason]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A proof, the order that it is for, and which others of the store have it too."""

    reading: Reading
    reading_error: str | None
    text: str
    facts: ReceiptFacts
    number: int
    total_cents: int
    ordered_at: datetime
    method: str | None
    pix: ManualPix | None
    """How the store is paid by hand."""
    orders_of_file: list[int]
    orders_of_payment: list[int]
    now: datetime

    @property
    def is_manual(self) -> bool:
        """Whether the order is one that the store's own PIX key is paid for."""
        return self.method == PaymentMethod.PIX_MANUAL

    @property
    def is_read(self) -> bool:
        """Whether there is a text to compare."""
        return self.reading is Reading.READ


def judge(it: Evidence) -> ProofDesk:
    """Return what the merchant is shown."""
    amount, of_amount = _amount(it)
    recipient, of_recipient = _recipient(it)
    day, of_date = _date(it)
    end_to_end, of_end_to_end = _end_to_end_id(it)
    txid, of_txid = _txid(it)
    reasons = [
        *_reuse(it),
        *_readability(it),
        *of_amount,
        *of_recipient,
        *of_date,
        *of_end_to_end,
        *of_txid,
    ]
    if it.facts.scheduled:
        reasons.append(reason("scheduled"))
    moments = it.facts.moments or it.facts.dates
    pix = it.pix if it.is_manual else None
    return ProofDesk(
        applies=it.is_manual,
        risk=worst(reasons),
        reasons=reasons,
        amount=AmountCheck(
            found=list(it.facts.amounts_cents), expected=it.total_cents, matches=amount
        ),
        recipient=WordsCheck(
            found=list(it.facts.recipient_names),
            expected=pix.recipient if pix else None,
            matches=recipient,
        ),
        key=WordsCheck(
            found=list(it.facts.tax_ids),
            expected=pix.key if pix else None,
            matches=(_has_key(it, pix) or None) if pix else None,
        ),
        date=DateCheck(
            found=[each.isoformat() for each in moments],
            expected=it.ordered_at,
            matches=day,
        ),
        end_to_end_id=WordsCheck(
            found=list(it.facts.end_to_end_ids), expected=None, matches=end_to_end
        ),
        txid=WordsCheck(
            found=list(it.facts.txids), expected=txid_of(it.number), matches=txid
        ),
    )


def _reuse(it: Evidence) -> list[DeskReason]:
    found = {
        "file_reused": it.orders_of_file,
        "end_to_end_id_reused": it.orders_of_payment,
    }
    return [
        reason(code, orders=", ".join(map(str, orders)))
        for code, orders in found.items()
        if orders
    ]


def _readability(it: Evidence) -> list[DeskReason]:
    reasons = []
    if not it.is_manual:
        reasons.append(reason("not_manual_pix"))
    elif it.pix is None:
        reasons.append(reason("recipient_unknown"))
    if it.reading is Reading.PENDING:
        reasons.append(reason("reading_pending"))
    elif it.reading is Reading.UNREADABLE:
        is_photo = it.reading_error == "ocr_not_installed"
        reasons.append(reason("ocr_not_installed" if is_photo else "unreadable"))
    return reasons


def _amount(it: Evidence) -> Verdict:
    found = it.facts.amounts_cents
    words = ", ".join(map(shown, found))
    if not found:
        return None, [reason("amount_not_found")] if it.is_read else []
    if it.total_cents not in found:
        return False, [
            reason("amount_differs", found=words, expected=shown(it.total_cents))
        ]
    # One of them may come from a message that the payer wrote.
    return (
        (True, []) if len(found) == 1 else (None, [reason("several_amounts", found=words)])
    )


def _recipient(it: Evidence) -> Verdict:
    if not it.is_manual or it.pix is None or not it.is_read:
        return None, []
    names = it.facts.recipient_names
    if any(names_match(it.pix.recipient, name) for name in names):
        return True, []
    if _has_key(it, it.pix):
        # A company's trade name, or a person behind the key.
        return None, []
    if not names:
        return None, [reason("recipient_not_found")]
    words = {"found": ", ".join(names), "expected": it.pix.recipient}
    return False, [reason("recipient_differs", **words)]


def _has_key(it: Evidence, pix: ManualPix) -> bool:
    is_tax_id = pix.key_type in {KeyType.CPF, KeyType.CNPJ}
    fits = is_tax_id and any(tax_id_fits(pix.key, each) for each in it.facts.tax_ids)
    return fits or mentions_key(it.text, pix.key)


def _date(it: Evidence) -> Verdict:
    named = [when for each in it.facts.end_to_end_ids if (when := paid_at(each))]
    spans = [_span(each) for each in [*_printed(it.facts), *named[:1]]]
    if not spans:
        return None, [reason("date_not_found")] if it.is_read else []
    first, last = min(spans)[0], min(spans, key=lambda span: span[1])[1]
    if last < it.ordered_at - CLOCKS_DIFFER:
        return False, [reason("date_before_order", found=_day(first))]
    latest = max(spans)[0]
    if latest > it.now + CLOCKS_DIFFER:
        return False, [reason("date_in_future", found=_day(latest))]
    return True, []


def _end_to_end_id(it: Evidence) -> Verdict:
    found = it.facts.end_to_end_ids
    if not found:
        malformed = _MALFORMED_ID.search(it.text)
        if malformed:
            return False, [reason("end_to_end_id_malformed", found=malformed[0])]
        return None, [reason("end_to_end_id_not_found")] if it.is_read else []
    is_reused = bool(it.orders_of_payment)
    when, printed = paid_at(found[0]), _printed(it.facts)
    if when is None or not printed:
        return (False if is_reused else None), []
    if not any(_is_close(when, _span(each)) for each in printed):
        return False, [reason("end_to_end_id_time_differs", found=_day(when))]
    return not is_reused, []


def _txid(it: Evidence) -> Verdict:
    numbers = {each: order_number_of(each) for each in it.facts.txids}
    if it.number in numbers.values():
        return True, []
    others = [txid for txid, number in numbers.items() if number is not None]
    if others:
        return False, [reason("txid_of_another_order", found=", ".join(others))]
    return None, []


def _printed(facts: ReceiptFacts) -> tuple[datetime | date, ...]:
    """Return what the proof is dated with: the first moment, else the first day."""
    return (facts.moments or facts.dates)[:1]


def _span(when: datetime | date) -> tuple[datetime, datetime]:
    """Return from when to when it may have been; a day is a long time."""
    if isinstance(when, datetime):
        return when.astimezone(UTC), when.astimezone(UTC)
    start = datetime.combine(when, time(), BRASILIA).astimezone(UTC)
    return start, start + timedelta(days=1)


def _is_close(when: datetime, span: tuple[datetime, datetime]) -> bool:
    return span[0] - MINUTES_DIFFER <= when <= span[1] + MINUTES_DIFFER


def _day(when: datetime) -> str:
    return f"{when.astimezone(BRASILIA):%d/%m/%Y %H:%M}"
