"""The jobs of payment settings."""

from uuid import UUID

import structlog
from pydantic import SecretStr

from vek1_api.abacatepay import AbacatePay, AbacatePayError
from vek1_api.core import jobs
from vek1_api.core.encryption import Keyring
from vek1_api.core.resources import Resources
from vek1_api.payment_settings import gateways, queries, secrets, service
from vek1_api.payment_settings.gateways import Gateway
from vek1_api.payment_settings.stored import Stored, webhook_url

BATCH = 200

log = structlog.get_logger()


@jobs.periodic("payment_settings.seal", "*/10 * * * *")
async def seal(resources: Resources) -> None:
    """Seal what the front end wrote in the open, and after a rotation what old keys sealed."""
    if not resources.settings.encryption_keys:
        log.warning("payment_settings_unsealed", reason="VEK1_ENCRYPTION_KEYS is not set")
        return
    after: UUID | None = None
    while True:
        async with resources.database.read() as connection:
            batch = await queries.with_secrets(connection, after, BATCH)
        for stored in batch:
            await _seal(resources, stored)
        if len(batch) < BATCH:
            return
        after = batch[-1].store_id


@jobs.handles(service.REGISTER, concurrency=1)
async def register_webhook(resources: Resources, payload: jobs.Payload) -> None:
    """Tell AbacatePay where a store's webhooks go, instead of what we told it before.

    A second run replaces what the first registered; one at a time, so that the last to run
    leaves the secret of now.
    """
    store_id = UUID(payload["store_id"])
    async with resources.database.driver() as driver:
        gateway = await gateways.gateway_of(driver, store_id, resources.keyring)
    if gateway is None or not gateway.webhook_secrets:
        return
    error = None
    url = webhook_url(resources.settings.api_url, store_id)
    try:
        await _register(gateways.abacatepay(resources), gateway, url)
    except AbacatePayError as refused:
        if refused.is_retryable or refused.is_uncertain:
            raise
        error = refused.message
    async with resources.database.transaction() as tx:
        await queries.note_webhook(tx, store_id, is_registered=error is None, error=error)


async def _register(client: AbacatePay, gateway: Gateway, url: str) -> None:
    for webhook in await client.list_webhooks(gateway.api_key):
        # An old one may carry its secret in the address.
        if (webhook.endpoint or "").partition("?")[0].rstrip("/") == url:
            await client.delete_webhook(gateway.api_key, webhook.webhook_id)
    await client.create_webhook(
        gateway.api_key,
        name="vek1",
        endpoint=url,
        secret=SecretStr(gateway.webhook_secrets[0]),
    )


async def _seal(resources: Resources, stored: Stored) -> None:
    changed = _sealed_anew(resources.keyring, stored)
    if changed:
        async with resources.database.transaction() as tx:
            for name, value in changed.items():
                old = getattr(stored, name)
                await queries.replace_secret(tx, stored.store_id, name, old, value)


def _sealed_anew(keyring: Keyring, stored: Stored) -> dict[str, object]:
    """Return the columns whose secrets the newest key has not sealed, sealed by it.

    What cannot be read stays as it is: its key may come back.
    """
    changed: dict[str, object] = {}
    for name in secrets.NAMES:
        held = getattr(stored, name)
        if held and not keyring.is_current(held):
            secret = secrets.readable(keyring, held, name, stored.store_id)
            if secret is not None:
                changed[name] = secrets.seal(keyring, secret, name, stored.store_id)
    previous = stored.previous_webhook_secrets
    anew = secrets.resealed(keyring, previous, stored.store_id)
    return changed | ({secrets.PREVIOUS: anew} if anew != previous else {})
