"""Whether what a receipt shows, masked and shortened, fits what the store knows."""

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase

_MASKS = "*•●"
_MASK = rf"[{_MASKS}xX]"
_NO_PART_OF_A_NAME = frozenset(
    (
        *("A", "AS", "DA", "DAS", "DE", "DO", "DOS", "D", "E"),
        *("LTDA", "ME", "EPP", "MEI", "EIRELI", "SS", "CIA"),
    )
)
_CUT_CHARS = 20
"""A printed name this long may have been cut: a BR Code holds 25, statements even fewer."""
_TELLING_LETTERS = 3
_TELLING_DIGITS = 5
_TELLING_PHONE_DIGITS = 4
_EMAIL = re.compile(rf"(?<![\w.+{_MASKS}-])[\w.+{_MASKS}-]{{1,64}}@[\w.{_MASKS}-]{{1,77}}")
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = rf"(?<![\w{_MASKS}])", rf"(?![\w{_MASKS}])"


def names_match(known: str, shown: str) -> bool:
    """Tell whether two names may be one person's or company's.

    Accents, case, particles and company forms do not count; an initial stands for a name that
    begins so (``JOSE D SILVA``), an asterisk for any letters (``J*** SILVA``), and middle names
    may be missing. First and last name must agree, and at least one of them be a whole word.
    """
    pair = (_words(known), _words(shown))
    first, second = sorted(pair, key=lambda words: (len(words), len(" ".join(words))))
    if not first or not any(_is_telling(each, second) for each in first):
        return False
    if not _agree(first[0], second[0]) or not _in_order(first, second):
        return False
    return _agree(first[-1], second[-1]) or len(" ".join(first)) >= _CUT_CHARS


def tax_id_fits(tax_id: str, shown: str) -> bool:
    """Tell whether a CPF or CNPJ may be the one of ``ReceiptFacts.tax_ids``."""
    return (
        len(tax_id) == len(shown)
        and len(shown) - shown.count("*") >= _TELLING_DIGITS
        and all(theirs in {"*", ours} for ours, theirs in zip(tax_id, shown, strict=True))
    )


def mentions_key(text: str, key: str) -> bool:
    """Tell whether a receipt shows a PIX key, in the form of ``keys.pix_key``.

    Masks count where enough stays readable: ``***.444.777-**``, ``+55 (11) 9****-5678``,
    ``pix@****.com``.
    """
    plain = unicodedata.normalize("NFKC", text)
    if "@" in key:
        return any(_email_fits(key, shown) for shown in _EMAIL.findall(plain))
    telling = _TELLING_PHONE_DIGITS if key.startswith("+") else _TELLING_DIGITS
    pattern = _NO_LETTER_BEFORE + _printed(key) + _NO_LETTER_AFTER
    found = re.finditer(pattern, plain, re.IGNORECASE)
    return any(len(re.sub(rf"{_MASK}|\W", "", match["own"])) >= telling for match in found)


def _words(name: str) -> list[str]:
    letters = (
        unicodedata.normalize("NFKD", name).upper().translate(str.maketrans("•●", "**"))
    )
    letters = re.sub(r"\bS[./ ]A\b\.?", " ", letters.encode("ascii", "ignore").decode())
    letters = re.sub(r"(?<=[A-Z])\.", "*", letters.replace("'", ""))
    words = re.findall(r"[A-Z*][A-Z0-9*]*", re.sub(r"\b[0-9][0-9./-]*", " ", letters))
    return [
        each for each in words if each.rstrip("*") not in _NO_PART_OF_A_NAME or "**" in each
    ]


def _agree(one: str, other: str) -> bool:
    return any(_stands_for(a, b) for a, b in ((one, other), (other, one)))


def _stands_for(short: str, whole: str) -> bool:
    if len(short) == 1:
        return whole.startswith(short)
    return fnmatchcase(whole, short)


def _is_telling(word: str, others: Iterable[str]) -> bool:
    return len(word) >= _TELLING_LETTERS and "*" not in word and word in others


def _in_order(few: list[str], many: list[str]) -> bool:
    """Tell whether each of the few has its like among the many, in the same order."""
    rest = iter(many)
    cut = len(" ".join(few)) >= _CUT_CHARS
    return all(
        any(
            _agree(each, other) or (cut and last and other.startswith(each))
            for other in rest
        )
        for each, last in ((each, at == len(few)) for at, each in enumerate(few, start=1))
    )


def _email_fits(key: str, shown: str) -> bool:
    address = shown.lower().rstrip(".")
    local, _, domain = address.partition("@")
    readable = re.sub(r"[\W_]", "", local + domain.rpartition(".")[0])
    return (
        local.strip(_MASKS) != ""
        and len(readable) >= _TELLING_LETTERS
        and fnmatchcase(key, re.sub(rf"[{_MASKS}]+", "*", address))
    )


def _printed(key: str) -> str:
    """Return the pattern of how banks print a key, with each character shown or hidden.

    The marks are those of its own kind: ``119.123.456-84`` is a CPF, ``(11) 91234-5684`` a phone.
    """
    if key.startswith("+"):
        area, nine, middle, end = map(_hidden, (key[3:5], key[5], key[6:10], key[10:]))
        own = rf"\(?{area}\)?\s?{nine}\s?{middle}\s?-?\s?{end}"
        return rf"(?:\+?\s?55\s?)?(?P<own>{own})"
    if "-" in key:
        evp = r"\s?".join(_hidden(each) if each != "-" else "-" for each in key)
        return f"(?P<own>{evp})"
    ends = (3, 6, 9) if len(key) == len("00000000000") else (2, 5, 8, 12)
    groups = [
        key[start:end] for start, end in zip((0, *ends), (*ends, len(key)), strict=True)
    ]
    tax_id = r"\s?[./-]?\s?".join(map(_hidden, groups))
    return f"(?P<own>{tax_id})"


def _hidden(group: str) -> str:
    return "".join(rf"(?:{re.escape(each)}|{_MASK})" for each in group)
