"""What the payments of a store need of its settings: for jobs and webhooks, without a caller.

Nothing here is scoped: a request has passed the ownership of the store before.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr

from vek1_api.abacatepay import AbacatePay
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.core.encryption import Keyring
from vek1_api.core.resources import Resources
from vek1_api.payment_settings import queries, secrets
from vek1_api.payment_settings.secrets import API_KEY, WEBHOOK_SECRET
from vek1_api.payment_settings.stored import Stored
from vek1_api.pix.keys import KeyType


@dataclass(frozen=True, slots=True)
class Gateway:
    """A store's account at AbacatePay.

    ``is_enabled``: new charges may be made. One that is not may still be paid and refunded.
    """

    api_key: SecretStr
    is_dev: bool
    webhook_secrets: tuple[str, ...]
    expires_in: timedelta
    is_enabled: bool
    default_tax_id: str | None


@dataclass(frozen=True, slots=True)
class ManualPix:
    """The PIX key that a store's customers pay to by hand, in the form of ``pix.keys``."""

    key: str
    key_type: KeyType
    recipient: str
    city: str
    instructions: str | None


async def gateway_of(driver: Driver, store_id: UUID, keyring: Keyring) -> Gateway | None:
    """Return the account of a store, a closed one too, or none without a key.

    Raises ``SealedForNobodyError`` if the key is there, but cannot be opened any more.
    """
    stored = await _settings(driver, store_id)
    key = secrets.opened(keyring, stored.abacate_pay_api_key, API_KEY, store_id)
    if key is None:
        return None
    return Gateway(
        api_key=SecretStr(key),
        is_dev=stored.abacate_pay_dev_mode,
        webhook_secrets=_webhook_secrets(stored, keyring),
        expires_in=timedelta(minutes=stored.pix_expires_in_minutes),
        is_enabled=stored.pix_enabled,
        default_tax_id=stored.default_tax_id,
    )


async def dev_mode_of(driver: Driver, store_id: UUID) -> bool | None:
    """Return whether a store's key is one of the test mode, or none without a key."""
    stored = await _settings(driver, store_id)
    return None if stored.abacate_pay_api_key is None else stored.abacate_pay_dev_mode


async def webhook_secrets_of(
    driver: Driver, store_id: UUID, keyring: Keyring
) -> tuple[str, ...]:
    """Return the secrets that prove a webhook of a store: none of one that is closed.

    Raises ``SealedForNobodyError`` if the present one cannot be opened any more.
    """
    row = await queries.OF_OPEN_STORE.row(driver, store_id=store_id)
    return () if row is None else _webhook_secrets(Stored.of(row), keyring)


async def manual_of(driver: Driver, store_id: UUID) -> ManualPix | None:
    """Return the PIX key of a store, or none as long as something of it is missing."""
    stored = await _settings(driver, store_id)
    kind, key = stored.key_type, stored.manual_pix_key
    recipient, city = stored.manual_pix_recipient, stored.manual_pix_city
    if not (kind and key and recipient and city):
        return None
    return ManualPix(key, kind, recipient, city, stored.payment_instructions)


async def cash_on_delivery_enabled(driver: Driver, store_id: UUID) -> bool:
    """Return whether a store takes cash on delivery."""
    return (await _settings(driver, store_id)).cash_on_delivery_enabled


def abacatepay(resources: Resources) -> AbacatePay:
    """Return the client of AbacatePay."""
    return AbacatePay(str(resources.settings.abacatepay_url), resources.http)


async def _settings(driver: Driver, store_id: UUID) -> Stored:
    row = await queries.OF_STORE.row(driver, store_id=store_id)
    return Stored(store_id) if row is None else Stored.of(row)


def _webhook_secrets(stored: Stored, keyring: Keyring) -> tuple[str, ...]:
    """Return the present secret, then those that were replaced and are still taken."""
    name, store_id = WEBHOOK_SECRET, stored.store_id
    now = secrets.opened(keyring, stored.abacate_pay_webhook_secret, name, store_id)
    valid = secrets.still_valid(stored.previous_webhook_secrets, clock.now())
    return (*((now,) if now else ()), *secrets.read_previous(keyring, valid, store_id))
