"""The secrets of a store's payment settings: where each is sealed, and for whom it opens."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from vek1_api.core.encryption import Keyring, SealedForNobodyError
from vek1_api.core.errors import UnavailableError

API_KEY = "abacate_pay_api_key"
WEBHOOK_SECRET = "abacate_pay_webhook_secret"  # noqa: S105 - the name of a column.
NAMES = (API_KEY, WEBHOOK_SECRET)

_MADE_BYTES = 32
PREVIOUS = "previous_webhook_secrets"
_MOST = 8

log = structlog.get_logger()

Previous = list[dict[str, Any]]
"""Webhook secrets that were replaced: ``{sealed, valid_until}``, oldest first."""


def made() -> str:
    """Return a new webhook secret: 256 bits, 43 characters that need no escaping."""
    return secrets.token_urlsafe(_MADE_BYTES)


def place(name: str, store_id: UUID) -> str:
    """Return where a secret of a store is stored: it opens nowhere else."""
    table = "store_payment" if name == PREVIOUS else "store_payment_settings"
    return f"{table}.{name}:{store_id}"


def seal(keyring: Keyring, secret: str, name: str, store_id: UUID) -> str:
    """Return a secret as the column ``name`` of the store may hold it.

    Raises ``UnavailableError`` where this deployment has no key to encrypt with.
    """
    try:
        return keyring.seal(secret, place(name, store_id))
    except SealedForNobodyError as error:
        message = f"Nothing was changed: {error}."
        raise UnavailableError(message) from error


def opened(keyring: Keyring, sealed: str | None, name: str, store_id: UUID) -> str | None:
    """Return a secret, or none where there is none; raise ``SealedForNobodyError``."""
    return keyring.open(sealed, place(name, store_id)) if sealed else None


def readable(keyring: Keyring, sealed: str | None, name: str, store_id: UUID) -> str | None:
    """Return a secret, or none where there is none or its key is gone, which is logged."""
    try:
        return opened(keyring, sealed, name, store_id)
    except SealedForNobodyError as error:
        reason = str(error)
        log.warning(
            "payment_setting_unreadable", column=name, store_id=store_id, reason=reason
        )
        return None


def replaced(
    keyring: Keyring, before: Previous, old: str, store_id: UUID, until: datetime
) -> Previous:
    """Return what is still taken, the one that was replaced just now among it."""
    sealed = seal(keyring, old, PREVIOUS, store_id)
    return [*before, {"sealed": sealed, "valid_until": until.isoformat()}][-_MOST:]


def still_valid(before: Previous, now: datetime) -> Previous:
    """Return those whose time is not over."""
    return [one for one in before if datetime.fromisoformat(one["valid_until"]) > now]


def read_previous(keyring: Keyring, before: Previous, store_id: UUID) -> Iterable[str]:
    """Return the secrets that were replaced, as far as they can be read."""
    found = (readable(keyring, one["sealed"], PREVIOUS, store_id) for one in before)
    return (secret for secret in found if secret)


def resealed(keyring: Keyring, before: Previous, store_id: UUID) -> Previous:
    """Return those that can be read, sealed with the newest key."""
    return [
        one
        if keyring.is_current(one["sealed"])
        else one | {"sealed": seal(keyring, secret, PREVIOUS, store_id)}
        for one in before
        if (secret := readable(keyring, one["sealed"], PREVIOUS, store_id))
    ]
