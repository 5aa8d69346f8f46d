"""Numbers as merchants write them: ``1.234,56``, ``1,234.56``, ``R$ 10``; never a float.

Most cells say by themselves which mark is the decimal one. ``1.234`` does not: the other
numbers of its file decide, and where there are none, the delimiter of the file.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

MAX_CHARS = 40

_MINUS = "-\u2212"
_NUMBER = re.compile(
    rf"(?P<sign>[{_MINUS}+]?) *(?:R\$ *(?P<later_sign>[{_MINUS}+]?) *)?(?P<digits>[0-9][0-9.,]*)",
    re.IGNORECASE,
)
_NO_BREAK = str.maketrans("\u00a0\u202f\u2009", "   ")


class Notation(StrEnum):
    """Which mark stands before the decimals."""

    COMMA = "comma"
    POINT = "point"
    UNCLEAR = "unclear"


_DIGITS = {
    Notation.COMMA: re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+)?"),
    Notation.POINT: re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?"),
}
_POINTED: dict[Notation, dict[int, str | None]] = {
    Notation.COMMA: {ord("."): None, ord(","): "."},
    Notation.POINT: {ord(","): None},
}


class NotANumberError(ValueError):
    """The text is no number."""


class AmbiguousNumberError(ValueError):
    """The text is one number in Brazilian notation and another one in English."""


def evidence(text: str) -> Notation | None:
    """Return the only notation in which the text is a number; none for both and for neither."""
    try:
        digits, _ = _parts(text)
    except NotANumberError:
        return None
    readings = _readings(digits)
    return readings[0] if len(readings) == 1 else None


def decided(proven: Iterable[Notation], delimiter: str) -> Notation:
    """Return a file's notation, from what its numbers prove and the delimiter of its cells.

    A file that proves both says nothing about the numbers that could be either.
    """
    found = set(proven)
    if len(found) > 1:
        return Notation.UNCLEAR
    if found:
        return found.pop()
    return Notation.POINT if delimiter == "," else Notation.COMMA


def decimal(text: str, notation: Notation) -> Decimal:
    """Return the number that a text is; ``notation`` decides only where the text does not.

    Raises ``NotANumberError`` and ``AmbiguousNumberError``.
    """
    digits, is_negative = _parts(text)
    readings = _readings(digits)
    if not readings:
        raise NotANumberError
    values = {each: Decimal(digits.translate(_POINTED[each])) for each in readings}
    chosen = readings[0] if len(set(values.values())) == 1 else notation
    if chosen not in values:
        raise AmbiguousNumberError
    return -values[chosen] if is_negative else values[chosen]


def _parts(text: str) -> tuple[str, bool]:
    plain = text.translate(_NO_BREAK).strip()
    match = _NUMBER.fullmatch(plain) if len(plain) <= MAX_CHARS else None
    if match is None or (match["sign"] and match["later_sign"]):
        raise NotANumberError
    sign = match["sign"] or match["later_sign"] or ""
    return match["digits"], sign in {*_MINUS}


def _readings(digits: str) -> list[Notation]:
    return [each for each, pattern in _DIGITS.items() if pattern.fullmatch(digits)]
