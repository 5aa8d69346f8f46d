"""The secrets between a store and its ERP: made, sealed, opened, both valid while they rotate."""

import base64
import secrets
from uuid import UUID

import structlog

from vek1_api.core.db import Driver
from vek1_api.core.encryption import Keyring, SealedForNobodyError
from vek1_api.core.errors import UnavailableError
from vek1_api.core.outbound.signing import PREFIX
from vek1_api.stock import secrets_queries
from vek1_api.stock.outbound_status import Which

SECRET_BYTES = 32

log = structlog.get_logger()


def new_secret(store_id: UUID, which: Which, keyring: Keyring) -> str:
    """Return a new secret, sealed (``whsec_`` and base64, as Standard Webhooks wants).

    Raises ``UnavailableError`` where the deployment has no key to seal it with.
    """
    secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    try:
        return keyring.seal(secret, place(store_id, which))
    except SealedForNobodyError as error:
        message = "Secrets cannot be kept: this deployment has no VEK1_ENCRYPTION_KEYS."
        raise UnavailableError(message) from error


def place(store_id: UUID, which: Which) -> str:
    """Return where a secret is at home: what it is sealed for."""
    return f"store_stock_sync_settings.{which}_secret:{store_id}"


def opened(sealed: list[str], store_id: UUID, which: Which, keyring: Keyring) -> list[str]:
    """Return the secrets in the open; one that no key opens any more is left out."""
    found = []
    for each in sealed:
        try:
            found.append(keyring.open(each, place(store_id, which)))
        except SealedForNobodyError as error:
            log.warning(
                "stock_secret_unreadable",
                store_id=str(store_id),
                which=which.value,
                reason=str(error),
            )
    return found


async def inbound_secrets(
    driver: Driver, store_id: UUID, keyring: Keyring
) -> tuple[str, list[str]]:
    """Return whose store it is, and what its ERP may prove itself by, newest first.

    Nothing of both where inbound is off, where there is no secret, and of a store that is not
    there or is closed.
    """
    row = await secrets_queries.INBOUND.row(driver, store_id=store_id)
    if row is None:
        return "", []
    return row["company_id"], opened(row["sealed"], store_id, Which.INBOUND, keyring)
