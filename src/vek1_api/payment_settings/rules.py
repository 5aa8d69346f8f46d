"""What payment settings must be to work, and what they are made of the caller's words."""

from collections.abc import Iterator
from typing import Any

from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.payment_settings.schemas import PaymentSettingsUpdate
from vek1_api.payment_settings.secrets import NAMES
from vek1_api.pix.br_code import BrCodeError, StaticCode
from vek1_api.pix.keys import KeyType, pix_key

_IS_DEV = {"abc_dev_": True, "abc_prod_": False}
"""The environment that a key's prefix names; keys without one exist."""

_OF_KEY = {
    "manual_pix_key_type": "say which kind of key it is",
    "manual_pix_recipient": "say who is paid, as payers shall read it",
    "manual_pix_city": "say in which city the recipient is",
}


def checked(wanted: PaymentSettingsUpdate, api_key: str | None) -> dict[str, Any]:
    """Return all that is not a secret, as it is stored; the key as BACEN's directory has it.

    ``api_key`` is the key that the store will have. Raises ``ValidationFailedError`` with
    everything that does not fit together.
    """
    problems = [*_of_gateway(wanted, api_key), *_of_key(wanted)]
    if problems:
        message = "The settings do not fit together; see `errors`."
        raise ValidationFailedError(message, errors=problems)
    values = wanted.model_dump(exclude=set(NAMES))
    if wanted.manual_pix_key is not None and wanted.manual_pix_key_type is not None:
        values["manual_pix_key"] = pix_key(
            wanted.manual_pix_key_type, wanted.manual_pix_key
        )
    return values


def sample_problem(key: str, kind: KeyType, recipient: str, city: str) -> str | None:
    """Return why no code can be made that pays this key, or none if one can."""
    try:
        code = StaticCode(pix_key(kind, key), recipient, city, amount_cents=100)
        code.text()
    except BrCodeError as error:
        return str(error)
    except ValueError as error:
        return f"The key {error}."
    return None


def _of_gateway(wanted: PaymentSettingsUpdate, api_key: str | None) -> Iterator[FieldError]:
    if wanted.pix_enabled and api_key is None:
        message = "set abacate_pay_api_key, without which AbacatePay cannot be used"
        yield FieldError("/pix_enabled", "api_key_missing", message)
    for prefix, is_dev in _IS_DEV.items():
        said = wanted.abacate_pay_dev_mode
        if api_key is not None and api_key.startswith(prefix) and said is not is_dev:
            mode = "the test mode" if is_dev else "the live mode"
            message = f"the key begins with {prefix}: it is one of {mode}"
            yield FieldError("/abacate_pay_dev_mode", "dev_mode_mismatch", message)


def _of_key(wanted: PaymentSettingsUpdate) -> Iterator[FieldError]:
    if wanted.manual_pix_key is None:
        return
    for name, message in _OF_KEY.items():
        if getattr(wanted, name) is None:
            yield FieldError(f"/{name}", "missing", message)
    if wanted.manual_pix_key_type is not None:
        try:
            pix_key(wanted.manual_pix_key_type, wanted.manual_pix_key)
        except ValueError as error:
            yield FieldError("/manual_pix_key", "pix_key_mismatch", str(error))
    for name in ("manual_pix_recipient", "manual_pix_city"):
        words = getattr(wanted, name)
        if words is not None and not _is_readable(words):
            message = "needs a letter of A to Z: banks cannot show any other"
            yield FieldError(f"/{name}", "unreadable", message)


def _is_readable(words: str) -> bool:
    """Return whether something is left of it in a code."""
    try:
        StaticCode("a@b.co", words, words).text()
    except BrCodeError:
        return False
    return True
