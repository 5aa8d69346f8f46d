"""Brazilian numbers: CPF, CNPJ with letters, CEP, UF, and phones as people type them."""

import re
from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, Field

_CPF = re.compile(r"[0-9]{11}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_CEP = re.compile(r"([0-9]{5})-?([0-9]{3})")
_SHORT_MOBILE = re.compile(r"(?:\+?55)?([1-9]{2})([6-9][0-9]{7})")
_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)

STATES = frozenset(
    (
        *("AC", "AL", "AP", "AM", "BA", "CE", "DF", "ES", "GO"),
        *("MA", "MT", "MS", "MG", "PA", "PB", "PR", "PE", "PI"),
        *("RJ", "RN", "RS", "RO", "RR", "SC", "SP", "SE", "TO"),
    )
)


def tax_id(text: str) -> str:
    """Return a CPF (11 digits) or CNPJ (14 characters, letters since July 2026) unmasked.

    Raises ``ValueError`` where the check digits do not fit (IN RFB 2.229/2024).
    """
    plain = _unmasked(text)
    if _is_cpf(plain) or _is_cnpj(plain):
        return plain
    message = "is neither a CPF nor a CNPJ: check its digits"
    raise ValueError(message)


def cpf(text: str) -> str:
    """Return a CPF as eleven digits, or raise ``ValueError``."""
    plain = _unmasked(text)
    if not _is_cpf(plain):
        message = "is not a CPF: check its eleven digits"
        raise ValueError(message)
    return plain


def cnpj(text: str) -> str:
    """Return a CNPJ as fourteen characters, or raise ``ValueError``."""
    plain = _unmasked(text)
    if not _is_cnpj(plain):
        message = "is not a CNPJ: check its fourteen digits or letters"
        raise ValueError(message)
    return plain


def _unmasked(text: str) -> str:
    return re.sub(r"[ ./-]", "", text).upper()


def _is_cpf(plain: str) -> bool:
    if not _CPF.fullmatch(plain):
        return False
    digits = [int(digit) for digit in plain]
    first = _check_digit(digits[:9], range(10, 1, -1))
    second = _check_digit(digits[:10], range(11, 1, -1))
    return digits[9:] == [first, second] and len(set(digits)) > 1


def _is_cnpj(plain: str) -> bool:
    if not _CNPJ.fullmatch(plain):
        return False
    values = [ord(character) - ord("0") for character in plain]
    first = _check_digit(values[:12], _CNPJ_WEIGHTS[1:])
    second = _check_digit(values[:13], _CNPJ_WEIGHTS)
    return values[12:] == [first, second] and any(values)


def _check_digit(values: list[int], weights: "range | tuple[int, ...]") -> int:
    rest = sum(v * w for v, w in zip(values, weights, strict=True)) % 11
    return 0 if rest < 2 else 11 - rest  # noqa: PLR2004 - modulo 11, of the Receita Federal.


def postal_code(text: str) -> str:
    """Return a CEP as eight digits, or raise ``ValueError``."""
    match = _CEP.fullmatch(text.strip())
    if match is None:
        message = "is not a CEP: eight digits, as in 30130-010"
        raise ValueError(message)
    return match[1] + match[2]


def state(text: str) -> str:
    """Return a UF in capitals, or raise ``ValueError``."""
    wanted = text.strip().upper()
    if wanted not in STATES:
        message = "is not one of the 27 UFs, such as MG or SP"
        raise ValueError(message)
    return wanted


def phone_number(text: str) -> str:
    """Return a phone that a person typed in E.164 form, or raise ``ValueError``.

    Without a country code it is Brazilian; a mobile without its ninth digit gets it. Only for
    what is typed: what WhatsApp sends is never refused.
    """
    plain = re.sub(r"[ ().-]", "", text)
    if short := _SHORT_MOBILE.fullmatch(plain):
        plain = f"+55{short[1]}9{short[2]}"
    try:
        parsed = phonenumbers.parse(plain, "BR")
    except phonenumbers.NumberParseException as error:
        message = "is not a phone number"
        raise ValueError(message) from error
    if not phonenumbers.is_valid_number(parsed):
        message = "is not a phone number that can exist; give area code and all digits"
        raise ValueError(message)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


TaxId = Annotated[str, Field(max_length=20), AfterValidator(tax_id)]
PostalCode = Annotated[
    str, Field(max_length=9, examples=["30130-010"]), AfterValidator(postal_code)
]
State = Annotated[str, Field(max_length=4, examples=["MG"]), AfterValidator(state)]
PhoneNumber = Annotated[
    str, Field(max_length=30, examples=["+5531999998888"]), AfterValidator(phone_number)
]
