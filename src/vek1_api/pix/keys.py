"""PIX keys in the form in which BACEN's directory holds them."""

import re
import uuid
from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType

from vek1_api.core.brazil import cnpj, cpf, phone_number

LONGEST_EMAIL = 77

_MOBILE = re.compile(r"(?:\+?55)?([1-9]{2}9[0-9]{8})")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+")
_EVP = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


class KeyType(StrEnum):
    """The kinds of PIX key. It is asked, never guessed: 11912345684 is both CPF and phone."""

    CPF = "cpf"
    CNPJ = "cnpj"
    PHONE = "phone"
    EMAIL = "email"
    EVP = "evp"


def pix_key(kind: KeyType, text: str) -> str:
    """Return a key as the directory holds it: no mask, ``+55`` before a phone, lower case.

    Spaces around it are ignored. Raises ``ValueError``, which says what such a key looks like.
    """
    plain = text.strip(" ")
    if not (plain.isascii() and plain.isprintable()):
        message = "has characters that no PIX key has: type it anew, without line breaks"
        raise ValueError(message)
    return _FORMS[kind](plain)


def _phone(text: str) -> str:
    """Demand all nine digits: adding a forgotten one could pay a stranger."""
    match = _MOBILE.fullmatch(re.sub(r"[ ().-]", "", text))
    if match is None:
        message = "is not a mobile phone: area code and nine digits, as in +5531999998888"
        raise ValueError(message)
    return phone_number(f"+55{match[1]}")


def _email(text: str) -> str:
    lower = text.lower()
    if len(lower) > LONGEST_EMAIL or not _EMAIL.fullmatch(lower):
        message = f"is not an e-mail address of up to {LONGEST_EMAIL} characters"
        raise ValueError(message)
    return lower


def _evp(text: str) -> str:
    lower = text.lower()
    if not _EVP.fullmatch(lower):
        message = "is not a random key: 32 digits and letters a to f, as the bank shows it"
        raise ValueError(message)
    return str(uuid.UUID(lower))


_FORMS: MappingProxyType[KeyType, Callable[[str], str]] = MappingProxyType(
    {
        KeyType.CPF: cpf,
        KeyType.CNPJ: cnpj,
        KeyType.PHONE: _phone,
        KeyType.EMAIL: _email,
        KeyType.EVP: _evp,
    }
)
