"""What the text of a PIX receipt says, whichever bank made it and however it was read.

A receipt is a claim: a picture is edited in a minute. These are facts to compare with the
order, and no proof that money came. What cannot be read is absent, never guessed.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from vek1_api.pix.receipt_amounts import amounts
from vek1_api.pix.receipt_names import recipient_names
from vek1_api.pix.txid import order_number_of

LONGEST_TEXT = 20_000
"""Characters that are read: a receipt is a page or two."""
BRASILIA = timezone(timedelta(hours=-3), "BRT")
"""Banks print Brasília's time. It had its last summer time before there was PIX."""

_DIGIT = "[0-9OoQDIl|SsBZz]"
_REPAIRED = str.maketrans("OoQDIl|SsBZz", "000011155822")
"""What OCR makes of a digit, undone where only a digit can stand."""
_LOOKALIKES = str.maketrans("OQDILSBZG", "000115826")

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\ufeff]")
_END_TO_END = re.compile(
    rf"(?<![0-9A-Z])E((?:\s{{0,3}}{_DIGIT}){{20}})((?:\s{{0,3}}[0-9A-Za-z]){{11}})(?![0-9A-Za-z])"
)
_TIME = r"(?:\D{0,20}?(?P<hour>[01]?[0-9]|2[0-3])[h:](?P<minute>[0-5][0-9])(?![0-9]))?"
_SECONDS = r"(?:[:m]?(?P<second>[0-5][0-9])(?![0-9]))?"
_FIRST_YEAR = 2020
_CPF_CHARS = 11
_MONTHS = (
    *("jan", "fev", "mar", "abr", "mai", "jun"),
    *("jul", "ago", "set", "out", "nov", "dez"),
)
_GAP = r"\s{0,2}(?:de\b|[/.-])?\s{0,2}"
_DATES = (
    re.compile(
        rf"(?<![0-9/])(?P<day>{_DIGIT}{{2}})[/.-](?P<month>{_DIGIT}{{2}})"
        rf"[/.-](?P<year>2[0OoQD]{_DIGIT}{{2}}|(?<=/)[0-9]{{2}})(?![0-9/]){_TIME}{_SECONDS}"
    ),
    re.compile(
        rf"(?<![0-9A-Za-z])(?P<day>{_DIGIT}{{1,2}})[º°]?{_GAP}"
        rf"(?P<month>{'|'.join(_MONTHS)})[a-zç]{{0,6}}\.?"
        rf"{_GAP}(?P<year>2[0OoQD]{_DIGIT}{{2}})(?![0-9]){_TIME}{_SECONDS}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![0-9-])(?P<year>20[0-9]{2})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?![0-9-])"
        rf"{_TIME}{_SECONDS}"
    ),
)
_OUR_TXID = re.compile(r"(?<![0-9A-Za-z])VEK\s?([0-9OoQDIl|SsBZz]{6,22})(?![0-9A-Za-z])")
_LABELLED_TXID = re.compile(
    r"(?:tx\s?id|identificador|c[óo]digo de identifica[çc][ãa]o)[^\S\n]{0,3}[:\-]?\s{0,3}"
    r"(?!E[0-9]{8})(?=[A-Za-z]*[0-9])([A-Za-z0-9]{1,35})(?![0-9A-Za-z@.-])",
    re.IGNORECASE,
)
_SHOWN = r"[0-9*•●xX]"
_TAX_IDS = re.compile(
    rf"(?<![0-9A-Za-z*•●.])(?:"
    rf"{_SHOWN}{{3}}\.{_SHOWN}{{3}}\.{_SHOWN}{{3}}-{_SHOWN}{{2}}"
    rf"|[0-9A-Z*•●]{{2}}\.[0-9A-Z*•●]{{3}}\.[0-9A-Z*•●]{{3}}/[0-9A-Z*•●]{{4}}-[0-9*•●xX]{{2}}"
    rf")(?![0-9A-Za-z*•●])"
)
_BARE_TAX_ID = re.compile(
    r"(?:CPF|CNPJ)\b[^0-9*•●\n]{0,30}\n?\s{0,3}"
    r"([0-9A-Z]{12}[0-9]{2}|[0-9*•●]{11})(?![0-9A-Za-z*•●.])",
)
_SCHEDULED = re.compile(
    r"comprovante de agendamento|agendad[oa] (?:para|com sucesso)"
    r"|(?:pix|pagamento|transfer[êe]ncia) agendad[oa]|agendamento (?:de|do) pix",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a receipt says, each in order of appearance and once.

    ``amounts_cents`` leaves out fees, balances, limits and zeros; where it holds several, one
    may come from a message that the payer wrote, and a person must look. ``moments`` are the
    dates that stand beside a time, in Brasília's. ``tax_ids`` have ``*`` for each hidden
    character. ``scheduled`` is true of a payment that is only promised, which the payer can
    still call off.
    """

    amounts_cents: tuple[int, ...]
    end_to_end_ids: tuple[str, ...]
    dates: tuple[date, ...]
    moments: tuple[datetime, ...]
    recipient_names: tuple[str, ...]
    txids: tuple[str, ...]
    tax_ids: tuple[str, ...]
    scheduled: bool


def read_receipt(text: str) -> ReceiptFacts:
    """Return what a receipt's text says, from a PDF or from OCR."""
    visible = _INVISIBLE.sub("", text[:LONGEST_TEXT])
    plain = unicodedata.normalize("NFKC", visible)
    dates, moments = _written(plain)
    return ReceiptFacts(
        amounts_cents=amounts(plain),
        end_to_end_ids=_end_to_end_ids(plain),
        dates=dates,
        moments=moments,
        recipient_names=recipient_names(plain),
        txids=_txids(plain),
        tax_ids=_tax_ids(plain),
        scheduled=_SCHEDULED.search(plain) is not None,
    )


def payment_key(end_to_end_id: str) -> str:
    """Return what two readings of one payment's id have in common.

    The same receipt photographed twice is read as ``…s1O…`` and ``…S10…``: letters that look
    like digits count as these. Two true payments never differ in such letters only, for their
    bank, their minute and eleven random characters would have to agree.
    """
    return end_to_end_id.upper().translate(_LOOKALIKES)


def paid_at(end_to_end_id: str) -> datetime | None:
    """Return the minute that an end-to-end id names, in UTC; none if there is no such minute."""
    try:
        return datetime.strptime(end_to_end_id[9:21], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _end_to_end_ids(text: str) -> tuple[str, ...]:
    """BACEN: ``E``, eight digits of the payer's bank, twelve of the minute, eleven of its own."""
    found: dict[str, str] = {}
    for match in _END_TO_END.finditer(text):
        digits, own = ("".join(part.split()) for part in match.groups())
        each = f"E{digits.translate(_REPAIRED)}{own}"
        when = paid_at(each)
        if when and when.year >= _FIRST_YEAR:
            found.setdefault(payment_key(each), each)
    return tuple(found.values())


def _written(text: str) -> tuple[tuple[date, ...], tuple[datetime, ...]]:
    found: dict[int, datetime | date] = {}
    for pattern in _DATES:
        for match in pattern.finditer(text):
            when = _moment(match)
            if when:
                found.setdefault(match.start(), when)
    ordered = [found[at] for at in sorted(found)]
    days = (each.date() if isinstance(each, datetime) else each for each in ordered)
    moments = (each for each in ordered if isinstance(each, datetime))
    return tuple(dict.fromkeys(days)), tuple(dict.fromkeys(moments))


def _moment(match: re.Match[str]) -> datetime | date | None:
    day, year = (match[part].translate(_REPAIRED) for part in ("day", "year"))
    name = match["month"].lower()
    month = _MONTHS.index(name) + 1 if name in _MONTHS else int(name.translate(_REPAIRED))
    try:
        written = date(int(year[-2:]) + 2000, month, int(day))
    except ValueError:
        return None
    if match["hour"] is None:
        return written
    clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    return datetime.combine(written, clock, BRASILIA)


def _txids(text: str) -> tuple[str, ...]:
    ours = (f"VEK{match[1].translate(_REPAIRED)}" for match in _OUR_TXID.finditer(text))
    found = dict.fromkeys(each for each in ours if order_number_of(each))
    found |= dict.fromkeys(match[1] for match in _LABELLED_TXID.finditer(text))
    return tuple(found)


def _tax_ids(text: str) -> tuple[str, ...]:
    found = {match.start(): match[0] for match in _TAX_IDS.finditer(text)}
    found |= {match.start(1): match[1] for match in _BARE_TAX_ID.finditer(text)}
    return tuple(dict.fromkeys(_stars(found[at]) for at in sorted(found)))


def _stars(shown: str) -> str:
    plain = re.sub(r"[./-]", "", shown)
    # A CNPJ may have an X of its own; in a CPF it hides a digit.
    return re.sub("[•●xX]" if len(plain) == _CPF_CHARS else "[•●]", "*", plain)
