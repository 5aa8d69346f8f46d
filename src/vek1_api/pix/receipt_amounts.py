"""The amounts on a receipt, told from fees, balances, account numbers and times."""

import re

_CENTS = r"[0-9]{1,3}(?:[.,][0-9]{3})*[.,][0-9]{2}|[0-9]+[.,][0-9]{2}"
_WHOLE = r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,6}"
_ENDS = r"(?![0-9]|[.,:/-][0-9])"
# A sign as OCR reads it (RS, R5) is also a state before a CEP: it needs the cents.
_AMOUNT = re.compile(
    rf"(?<![A-Za-z])R\s?\$\s{{0,3}}(?:(?P<cents>{_CENTS}){_ENDS}|(?P<whole>{_WHOLE}){_ENDS})"
    rf"|(?<![A-Za-z])(?:R\s?[S5s§]|BRL)\s{{0,3}}(?P<misread>{_CENTS}){_ENDS}"
    rf"|\bvalor\b[^\d\n$]{{0,30}}\n?\s{{0,3}}(?P<labelled>{_CENTS}){_ENDS}",
    re.IGNORECASE,
)
_ASIDE = (
    r"tarifas?|taxas?|saldo|limite|troco|descontos?|juros|multa|encargos|iof|cashback"
    r"|rendimento|cheque especial|abatimento"
)
_ASIDE_VALUE = re.compile(rf"valor\s+(?:total\s+)?d[aeo]s?\s+(?:{_ASIDE})", re.IGNORECASE)
_NO_ASIDE = re.compile(rf"\b(?:sem|isento de) (?:{_ASIDE})", re.IGNORECASE)
_ASIDE_WORD = re.compile(rf"\b(?:{_ASIDE})\b", re.IGNORECASE)
_ASIDE_AFTER = re.compile(rf"\s(?:de|em) (?:{_ASIDE})\b", re.IGNORECASE)
_VALUE_WORD = re.compile(r"\bvalor\b|\bpix de\b|\bpagou\b|\benviou\b", re.IGNORECASE)


def amounts(text: str) -> tuple[int, ...]:
    """Return the sums that a receipt may mean, in cents, each once and none of them zero."""
    found: list[int] = []
    end = 0
    for match in _AMOUNT.finditer(text):
        cents = _cents(match)
        number = "labelled" if match["labelled"] else 0
        label = _label(text, end, match.start(number))
        if cents and not (_is_aside(label) or _ASIDE_AFTER.match(text, match.end())):
            found.append(cents)
        end = match.end()
    return tuple(dict.fromkeys(found))


def _cents(match: re.Match[str]) -> int:
    if match["whole"]:
        return int(match["whole"].replace(".", "")) * 100
    exact = match["cents"] or match["misread"] or match["labelled"]
    return int(re.sub(r"[.,]", "", exact))


def _label(text: str, earlier: int, at: int) -> str:
    """Return what names the amount: words before it on its line, else the line above."""
    line = text.rfind("\n", 0, at) + 1
    beside = text[max(line, earlier) : at]
    if any(map(str.isalpha, beside)):
        return beside
    above = text[:line].rstrip()
    return above[above.rfind("\n") + 1 :]


def _is_aside(label: str) -> bool:
    own = _ASIDE_VALUE.sub("tarifa", _NO_ASIDE.sub("", label))
    return bool(_ASIDE_WORD.search(own)) and not _VALUE_WORD.search(own)
