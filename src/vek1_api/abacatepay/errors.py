"""What goes wrong with AbacatePay, in words that may be stored, logged and shown."""

import re
from collections.abc import Iterable
from http import HTTPStatus

import orjson

from vek1_api.abacatepay.reading import mapping, words

_SHOWN_CHARACTERS = 500
_READ_CHARACTERS = 4_000
_REDACTED = "[redacted]"

_RETRYABLE = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        *range(520, 528),  # What a proxy in front of them says when they are away.
    }
)
_UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

_THEIR_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_CODES_BY_WORDS = (
    (re.compile(r"(?i)tax[ _]?id"), "invalid_tax_id"),
    (re.compile(r"(?i)reembolsad|already.{0,20}refunded"), "already_refunded"),
)
_RETRYABLE_CODES = frozenset(
    {"LOCK_NOT_ACQUIRED", "REFUND_REQUEST_FAILED", "REFUND_CONFIRMATION_FAILED"}
)
_UNCERTAIN_CODES = frozenset({"REFUND_CONFIRMATION_FAILED"})
_DECISIONS = frozenset(
    {
        "LOCK_NOT_ACQUIRED",
        "TRANSACTION_NOT_FOUND",
        "TRANSACTION_NOT_REFUNDABLE",
        "TRANSACTION_UNDER_DISPUTE",
        "INVALID_METHOD",
        "INSUFFICIENT_FUNDS",
        "STORE_NOT_FOUND",
    }
)

_SECRET = re.compile(
    r"(?i)\babc_[a-z]+_\w+|bearer\s+\S+|"
    r"(?<=secret=)[^&\s\"]+|(?<=secret\":\")[^\"]+|(?<=secret\": \")[^\"]+"
)
_PERSONAL = re.compile(
    r"[^\s\"'<>@,;:]{1,64}@[^\s\"'<>@,;:]{1,190}|"  # An e-mail address.
    r"\+?\(?\d[\d\s().*/-]{6,20}[\d*]"  # A phone number, a CPF or a CNPJ, masked or not.
)


class AbacatePayError(Exception):
    """A call that did not do what was asked, or of which nobody knows whether it did.

    ``status`` is that of the answer, None without one. ``code`` is theirs in capitals
    (``INSUFFICIENT_FUNDS``), else ours: ``not_sent``, ``no_answer``, ``unreadable_answer``,
    ``answer_too_large``, ``redirected``, ``malformed_key``, ``amount_too_small``,
    ``invalid_tax_id``, ``already_refunded``, ``unauthorized``, ``refused``,
    ``unavailable``. ``is_uncertain``: it may have happened; ask before doing it again.
    ``message`` holds no secret and no person.
    """

    def __init__(
        self,
        status: int | None,
        code: str,
        message: str,
        *,
        is_retryable: bool = False,
        is_uncertain: bool = False,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"AbacatePay: {message} ({code}, status {status})")
        self.status = status
        self.code = code
        self.message = message
        self.is_retryable = is_retryable
        self.is_uncertain = is_uncertain
        self.retry_after_seconds = retry_after_seconds

    @property
    def needs_attention(self) -> bool:
        """Whether the key is not valid or may not do this: a person must change it."""
        return self.status in _UNAUTHORIZED or self.code == "malformed_key"


def unreadable(status: int, message: str) -> AbacatePayError:
    """Return the error of a good status with an answer that says nothing."""
    return AbacatePayError(
        status, "unreadable_answer", message, is_retryable=True, is_uncertain=True
    )


def refusal(
    status: int, body: bytes, retry_after: str = "", private: Iterable[str] = ()
) -> AbacatePayError:
    """Return the error that an answer tells of; ``private`` texts are taken out of it."""
    said, code = _said(body)
    code = code or _code(status, said)
    is_gone_wrong = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    is_slow = status == HTTPStatus.REQUEST_TIMEOUT
    return AbacatePayError(
        status,
        code,
        cleaned(said, private) or f"answered {status}",
        is_retryable=status in _RETRYABLE or code in _RETRYABLE_CODES,
        # Unless it is a decision of theirs, such an answer may hide a success.
        is_uncertain=code in _UNCERTAIN_CODES
        or ((is_gone_wrong or is_slow) and code not in _DECISIONS),
        retry_after_seconds=int(retry_after) if _is_seconds(retry_after) else None,
    )


def cleaned(text: str, private: Iterable[str] = ()) -> str:
    """Return a text without secrets and persons, on one line and cut short."""
    text = text[:_READ_CHARACTERS]
    for value in sorted(private, key=len, reverse=True):
        if value.strip():
            text = re.sub(re.escape(value.strip()), _REDACTED, text, flags=re.IGNORECASE)
    text = _PERSONAL.sub(_REDACTED, _SECRET.sub(_REDACTED, text))
    return words(text, _SHOWN_CHARACTERS) or ""


def _said(body: bytes) -> tuple[str, str | None]:
    """Return the message of an error's body, and the code, if it gives one."""
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:_READ_CHARACTERS].decode(errors="replace"), None
    error = mapping(envelope).get("error")
    for said in (mapping(error).get("message"), error, mapping(envelope).get("message")):
        if isinstance(said, str) and said.strip():
            code = mapping(error).get("code") or said
            is_code = isinstance(code, str) and _THEIR_CODE.fullmatch(code.strip())
            return said, code.strip() if is_code else None
    # Written anew, so that no escape hides a name from the redaction.
    return orjson.dumps(envelope).decode(), None


def _code(status: int, said: str) -> str:
    if status in _UNAUTHORIZED:
        return "unauthorized"
    if status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "unavailable"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "redirected"
    for pattern, code in _CODES_BY_WORDS:
        if pattern.search(said):
            return code
    return "refused"


def _is_seconds(header: str) -> bool:
    return header.isascii() and header.isdecimal() and len(header) <= len("86400")
