"""BR Codes, the text behind a PIX QR: EMV merchant-presented mode, as BACEN profiles it.

A code is a row of fields, each two digits of ID, two of length, and the value; a value may
itself be such a row. The last field is a checksum over all that stands before it.
"""

import re
import unicodedata
from binascii import crc_hqx
from dataclasses import dataclass
from types import MappingProxyType

ANY_TXID = "***"
"""The txid of a code that names no payment of its own."""
LARGEST_AMOUNT_CENTS = 999_999_999_999
"""What ten digits before the point can hold."""

_GUI = "br.gov.bcb.pix"
_RECIPIENT_CHARS = 25
_CITY_CHARS = 15
_FIELD_CHARS = 99
_HEAD = re.compile(r"([0-9]{2})([0-9]{2})")
_SEALED = re.compile(r"(.*6304)([0-9A-F]{4})", re.DOTALL)
_KEY = re.compile(r"[!-~]{1,77}")
_TXID = re.compile(r"[A-Za-z0-9]{1,25}|\*{3}")
_AMOUNT = re.compile(r"([0-9]{1,10})\.([0-9]{2})")
_FIXED = MappingProxyType({"00": "01", "53": "986", "58": "BR"})
_ACCOUNTS = tuple(str(number) for number in range(26, 52))


class BrCodeError(ValueError):
    """A text is no BR Code, or nothing that can be made one; the message says why."""


@dataclass(frozen=True, slots=True)
class StaticCode:
    """A code that pays one key: for one amount, or for whatever the payer enters.

    ``key`` is in the form of ``keys.pix_key``. Recipient and city are written as banks read
    them: in plain capitals, cut to 25 and 15 characters. ``info`` is shown by some banks and
    disliked by others.
    """

    key: str
    recipient: str
    city: str
    amount_cents: int | None = None
    txid: str = ANY_TXID
    info: str | None = None

    def text(self) -> str:
        """Return the code, ready to be copied or drawn; raise ``BrCodeError`` if none fits."""
        _demand(_KEY.fullmatch(self.key), "The key has 1 to 77 plain characters, no space.")
        _demand(
            _TXID.fullmatch(self.txid),
            "The txid has 1 to 25 letters and digits, or is ***.",
        )
        info = "" if self.info is None else _field("02", _plain(self.info))
        amount = (
            "" if self.amount_cents is None else _field("54", _reais(self.amount_cents))
        )
        return sealed(
            _field("00", "01")
            + _field("26", _field("00", _GUI) + _field("01", self.key) + info)
            + _field("52", "0000")
            + _field("53", "986")
            + amount
            + _field("58", "BR")
            + _field("59", _capitals(self.recipient, _RECIPIENT_CHARS))
            + _field("60", _capitals(self.city, _CITY_CHARS))
            + _field("62", _field("05", self.txid))
        )


@dataclass(frozen=True, slots=True)
class BrCode:
    """What a BR Code says. A static one has a key, a dynamic one the ``url`` of its charge.

    Neither stands in a code for Pix Automático alone, whose address is in a template of its
    own. ``amount_cents`` is none where the payer, or the charge, decides.
    """

    key: str | None
    url: str | None
    info: str | None
    recipient: str
    city: str
    amount_cents: int | None
    txid: str
    single_use: bool


def parse(text: str) -> BrCode:
    """Return what a BR Code of any maker says.

    Raises ``BrCodeError`` for a wrong checksum, length or value, and for a missing field.
    """
    fields = _checked(text)
    account = _account(fields)
    key, url = account.get("01"), account.get("25")
    _demand(key is None or url is None, "The code has both a key and an address.")
    _demand(key is None or _KEY.fullmatch(key), "Field 26.01 is not a PIX key.")
    txid = _fields(fields["62"], "62.").get("05", "")
    _demand(
        _TXID.fullmatch(txid),
        "Field 62.05 is not a txid: 1 to 25 letters and digits, or ***.",
    )
    return BrCode(
        key=key,
        url=url,
        info=account.get("02"),
        recipient=fields["59"],
        city=fields["60"],
        amount_cents=_cents(fields["54"]) if "54" in fields else None,
        txid=txid,
        single_use=fields.get("01") == "12",
    )


def sealed(fields: str) -> str:
    """Return the fields with their checksum behind them: CRC-16/CCITT-FALSE, the ID included."""
    covered = fields + "6304"
    return covered + _checksum(covered)


def _checksum(covered: str) -> str:
    return f"{crc_hqx(covered.encode(errors='surrogatepass'), 0xFFFF):04X}"


def _checked(text: str) -> dict[str, str]:
    seal = _SEALED.fullmatch(text)
    if seal is None:
        message = (
            "The code does not end with its CRC: 6304 and four digits or capitals A to F."
        )
        raise BrCodeError(message)
    wanted = _checksum(seal[1])
    _demand(seal[2] == wanted, f"The CRC is {seal[2]}, but the text gives {wanted}.")
    fields = _fields(text)
    _demand(text.startswith("000201"), "The code does not begin with 000201.")
    _demand(list(fields)[-1] == "63", "The CRC, field 63, is not the last field.")
    for name in ("52", "53", "58", "59", "60", "62"):
        _demand(name in fields, f"Field {name} is missing.")
    for name, value in _FIXED.items():
        _demand(fields[name] == value, f"Field {name} is {fields[name]}, not {value}.")
    _demand(fields.get("01", "11") in {"11", "12"}, "Field 01 is neither 11 nor 12.")
    _demand(
        len(fields["59"]) <= _RECIPIENT_CHARS, "Field 59, the recipient, is over 25 long."
    )
    _demand(len(fields["60"]) <= _CITY_CHARS, "Field 60, the city, is over 15 long.")
    return fields


def _account(fields: dict[str, str]) -> dict[str, str]:
    """Return the fields of the template that is PIX's; other schemes may stand beside it."""
    for name in _ACCOUNTS:
        inner = _fields(fields[name], f"{name}.") if name in fields else {}
        if inner.get("00", "").lower() == _GUI:
            return inner
    message = f"No field of 26 to 51 is a PIX account: one with {_GUI} as its field 00."
    raise BrCodeError(message)


def _fields(text: str, within: str = "") -> dict[str, str]:
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        head = _HEAD.match(text, at)
        if head is None:
            place = f"field {within[:-1]}" if within else "the code"
            message = f"No field begins at character {at + 1} of {place}."
            raise BrCodeError(message)
        name, length = head[1], int(head[2])
        at = head.end() + length
        value = text[head.end() : at]
        _demand(length, f"Field {within}{name} is empty.")
        _demand(
            len(value) == length,
            f"Field {within}{name} says it is {length} long, but only {len(value)} are left.",
        )
        _demand(name not in fields, f"Field {within}{name} occurs twice.")
        fields[name] = value
    return fields


def _field(name: str, value: str) -> str:
    _demand(value, f"Field {name} is empty.")
    _demand(
        len(value) <= _FIELD_CHARS,
        f"Field {name} would be {len(value)} long, over {_FIELD_CHARS}: shorten key or info.",
    )
    return f"{name}{len(value):02d}{value}"


def _reais(amount_cents: int) -> str:
    _demand(
        0 < amount_cents <= LARGEST_AMOUNT_CENTS,
        "The amount is over zero and below ten billion reais, or left open.",
    )
    return f"{amount_cents // 100}.{amount_cents % 100:02d}"


def _cents(reais: str) -> int:
    match = _AMOUNT.fullmatch(reais)
    cents = int(match[1] + match[2]) if match else 0
    _demand(cents, f"Field 54, the amount, is {reais}, not one such as 12.90.")
    return cents


def _capitals(text: str, longest: int) -> str:
    capitals = _plain(unicodedata.normalize("NFKD", text).upper())[:longest].strip()
    _demand(capitals, "Recipient and city need at least one letter of A to Z.")
    return capitals


def _plain(text: str) -> str:
    """Return printable ASCII: accents break readers, and a length counts characters and bytes."""
    letters = unicodedata.normalize("NFKD", " ".join(text.split()))
    return " ".join("".join(each for each in letters if " " <= each <= "~").split())


def _demand(condition: object, message: str) -> None:
    if not condition:
        raise BrCodeError(message)
