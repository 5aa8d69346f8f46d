"""Reading and changing how a store is paid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import clock, jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Driver, driver_of
from vek1_api.core.encryption import Keyring
from vek1_api.core.idempotency import Recorded
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.payment_settings import queries, secrets
from vek1_api.payment_settings.rules import checked
from vek1_api.payment_settings.schemas import (
    PaymentSettingsUpdate,
    WebhookSecretResult,
    WebhookSecretRotate,
)
from vek1_api.payment_settings.secrets import API_KEY, NAMES, WEBHOOK_SECRET
from vek1_api.payment_settings.stored import Stored, webhook_url
from vek1_api.stores.errors import StoreNotFoundError

REGISTER = "payment_settings.register_webhook"
"""The job that tells AbacatePay where its webhooks go."""

OVERLAP = timedelta(hours=24)
"""How long a webhook secret is still taken that ``PUT`` has replaced."""


@dataclass(frozen=True, slots=True)
class Saved(Answer):
    """The settings, and beside them a secret that this answer alone shows."""

    revealed: str | None = None

    @override
    def recorded(self) -> Recorded:
        """Return it with the tag that the settings have without the secret."""
        plain = Answer.recorded(self)
        secret = b',"abacate_pay_webhook_secret":' + orjson.dumps(self.revealed) + b"}"
        return Recorded(plain.status, plain.headers, plain.body[:-1] + secret)


async def get(resources: Resources, access: Access, store_id: UUID) -> Json:
    """Return a store's settings, the defaults if it has none."""
    async with resources.database.driver() as driver:
        stored = await find(driver, access, store_id)
    return _shown(resources, stored)


async def find(driver: Driver, access: Access, store_id: UUID) -> Stored:
    """Return a store's settings as they are stored, or raise ``StoreNotFoundError``."""
    row = await queries.GET.row(driver, store_id=store_id, **access.owner)
    if row is None:
        raise StoreNotFoundError(store_id)
    return Stored.of(row)


async def replace(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: PaymentSettingsUpdate,
    *,
    if_match: IfMatch,
    resources: Resources,
) -> Saved:
    """Set how a store is paid; makes a webhook secret where there is a key and none yet."""
    keyring = resources.keyring
    before = await _lock(tx, access, store_id)
    if_match.check(_shown(resources, before))
    held = {name: _readable(keyring, before, name) for name in NAMES}
    sent = {name: getattr(wanted, name) for name in wanted.model_fields_set & set(NAMES)}
    given = held | sent
    values = checked(wanted, given[API_KEY])
    revealed = None
    if given[API_KEY] is not None and given[WEBHOOK_SECRET] is None:
        revealed = given[WEBHOOK_SECRET] = secrets.made()
    changes = {
        name: value for name, value in values.items() if getattr(before, name) != value
    }
    changes |= _changed_secrets(keyring, before, held, given, removed=_nulls(sent))
    if changes:
        await queries.change(tx, store_id, changes)
        await _log(tx, access, "payment_settings.updated", store_id, _meta(before, changes))
    if changes.keys() & set(NAMES):
        await _have_registered(tx, resources, store_id)
    after = await find(await driver_of(tx), access, store_id)
    return Saved(200, _shown(resources, after), revealed=revealed)


async def rotate(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    wanted: WebhookSecretRotate,
    *,
    resources: Resources,
) -> Answer:
    """Make a new webhook secret; the old one is taken for some hours more, or no more."""
    keyring, overlap = resources.keyring, timedelta(hours=wanted.overlap_hours)
    before = await _lock(tx, access, store_id)
    old = _readable(keyring, before, WEBHOOK_SECRET)
    new = secrets.made()
    until = clock.now() + overlap if old and overlap else None
    changes = {
        WEBHOOK_SECRET: secrets.seal(keyring, new, WEBHOOK_SECRET, store_id),
        secrets.PREVIOUS: _previous(keyring, before, old, until) if overlap else [],
    }
    await queries.change(tx, store_id, changes)
    meta = {"overlap_hours": wanted.overlap_hours}
    await _log(tx, access, "payment_settings.webhook_secret_rotated", store_id, meta)
    await _have_registered(tx, resources, store_id)
    result = WebhookSecretResult(
        abacate_pay_webhook_secret=new,
        webhook_url=webhook_url(resources.settings.api_url, store_id),
        previous_valid_until=until,
    )
    return Answer(200, result.model_dump_json(), has_etag=False)


async def _lock(tx: AsyncConnection, access: Access, store_id: UUID) -> Stored:
    if not await queries.lock(tx, access, store_id):
        raise StoreNotFoundError(store_id)
    return await find(await driver_of(tx), access, store_id)


def _shown(resources: Resources, stored: Stored) -> Json:
    return stored.shown(resources.keyring, resources.settings.api_url)


def _readable(keyring: Keyring, stored: Stored, name: str) -> str | None:
    return secrets.readable(keyring, getattr(stored, name), name, stored.store_id)


def _nulls(sent: dict[str, Any]) -> set[str]:
    return {name for name, value in sent.items() if value is None}


def _changed_secrets(
    keyring: Keyring,
    before: Stored,
    held: dict[str, str | None],
    given: dict[str, str | None],
    *,
    removed: set[str],
) -> dict[str, Any]:
    """Return the columns of the secrets that change, sealed."""
    store_id = before.store_id
    changes: dict[str, Any] = {
        name: secrets.seal(keyring, secret, name, store_id)
        for name, secret in given.items()
        if secret is not None and secret != held[name]
    }
    changes |= {
        name: None for name in removed - changes.keys() if getattr(before, name) is not None
    }
    if WEBHOOK_SECRET in removed and before.previous_webhook_secrets:
        changes[secrets.PREVIOUS] = []
    elif WEBHOOK_SECRET in changes and WEBHOOK_SECRET not in removed:
        old, until = held[WEBHOOK_SECRET], clock.now() + OVERLAP
        changes[secrets.PREVIOUS] = _previous(keyring, before, old, until)
    return changes


def _previous(
    keyring: Keyring, before: Stored, old: str | None, until: datetime | None
) -> secrets.Previous:
    """Return the replaced webhook secrets that are still taken, ``old`` among them."""
    valid = secrets.still_valid(before.previous_webhook_secrets, clock.now())
    if old is None or until is None:
        return valid
    return secrets.replaced(keyring, valid, old, before.store_id, until)


def _meta(before: Stored, changes: dict[str, Any]) -> audit_service.Meta:
    """Return which settings changed; of the PIX key, which decides who is paid, its end too."""
    meta: audit_service.Meta = {"fields": sorted(changes.keys() - {secrets.PREVIOUS})}
    if "manual_pix_key" in changes:
        keys = (before.manual_pix_key, changes["manual_pix_key"])
        meta["manual_pix_key"] = [key and f"***{key[-2:]}" for key in keys]
    return meta


async def _have_registered(
    tx: AsyncConnection, resources: Resources, store_id: UUID
) -> None:
    """Have AbacatePay told of the address and the secret, where it could reach us."""
    await queries.note_webhook(tx, store_id, is_registered=False, error=None)
    if resources.settings.public_url.scheme == "https":
        payload = {"store_id": str(store_id)}
        await jobs.enqueue(tx, REGISTER, payload)


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    store_id: UUID,
    meta: audit_service.Meta,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "store", store_id, store_id=store_id, meta=meta
    )
