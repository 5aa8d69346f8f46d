"""Connecting a store with its ERP, and replacing the secrets between them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import clock
from vek1_api.core.answers import Answer
from vek1_api.core.db import Driver, driver_of
from vek1_api.core.encryption import Keyring, last_four
from vek1_api.core.errors import FieldError, ValidationFailedError
from vek1_api.core.outbound.targets import TargetRefusedError, checked_url
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources
from vek1_api.stock import secrets
from vek1_api.stock.outbound_status import DisabledReason, Which
from vek1_api.stock.settings import queries
from vek1_api.stock.settings.schemas import (
    DEFAULT_HOLD_PERCENT,
    DEFAULT_HOLD_PRODUCTS,
    SecretRotate,
    StockSyncReplace,
)
from vek1_api.stores.errors import StoreNotFoundError

Row = Mapping[str, Any]
_HOLD = ("hold_above_percent", "hold_from_products")


async def get(resources: Resources, access: Access, store_id: UUID) -> Json:
    """Return how a store and its ERP are connected, or raise ``StoreNotFoundError``."""
    async with resources.database.driver() as driver:
        return _json(_shown(resources, store_id, await read(driver, access, store_id)))


async def replace(
    tx: AsyncConnection,
    access: Access,
    resources: Resources,
    store_id: UUID,
    wanted: StockSyncReplace,
    *,
    if_match: IfMatch,
) -> Answer:
    """Make the connection be so; a direction that is switched on and has no secret gets one.

    The new secrets are in the answer, sealed: ``revealed`` opens them at the edge.
    """
    row = await _locked(tx, access, store_id)
    old = _shown(resources, store_id, row)
    if_match.check(_json(old))
    _check(wanted, private_allowed=resources.settings.private_targets_allowed)
    values = audit_service.differing(old, wanted.model_dump())
    made = {
        which: secrets.new_secret(store_id, which, resources.keyring)
        for which in Which
        if getattr(wanted, f"{which}_enabled") and not row[_column(which)]
    }
    hold = {name: values.pop(name) for name in _HOLD if name in values}
    if hold:
        both = {name: getattr(wanted, name) for name in _HOLD}
        await queries.guard(tx, store_id, both)
    sealed = {_column(which): secret for which, secret in made.items()}
    if values or sealed:
        await queries.change(tx, store_id, values | sealed)
    if values or hold or sealed:
        changed = sorted([*values, *hold, *sealed])
        # An address may hold a token: the names of what changed must do.
        await _log(tx, access, "stock_sync.updated", store_id, {"changed": changed})
    after = _shown(resources, store_id, await read(await driver_of(tx), access, store_id))
    shown = {_column(which): sealed.get(_column(which)) for which in Which}
    return Answer(200, _json(after | shown), has_etag=False)


async def rotate(
    tx: AsyncConnection,
    access: Access,
    resources: Resources,
    store_id: UUID,
    wanted: SecretRotate,
) -> Answer:
    """Replace a secret; the old one stays good for the overlap, and without any not at all."""
    row = await _locked(tx, access, store_id)
    which, old = wanted.which, row[_column(wanted.which)]
    sealed = secrets.new_secret(store_id, which, resources.keyring)
    until = None
    if wanted.overlap_hours == 0:
        await queries.forget_old_secrets(tx, store_id, which)
    elif old:
        until = clock.now() + timedelta(hours=wanted.overlap_hours)
        await queries.keep_old_secret(tx, store_id, which, old, until)
    await queries.change(tx, store_id, {_column(which): sealed})
    meta = {"which": which.value, "overlap_hours": wanted.overlap_hours}
    await _log(tx, access, "stock_sync.secret_rotated", store_id, meta)
    shown = {"which": which.value, "secret": sealed, "old_secret_until": until}
    return Answer(200, _json(shown), has_etag=False)


async def disable(
    tx: AsyncConnection, store_id: UUID, url: str, reason: DisabledReason
) -> None:
    """Stop telling an ERP that wants nothing or takes nothing; visibly, and only once.

    Nothing where the store tells another address by now: that one is not to blame.
    """
    company_id = await queries.close(tx, store_id, url, reason.value)
    if company_id is not None:
        access = accesses.system(company_id)
        meta = {"reason": reason.value}
        await _log(tx, access, "stock_sync.outbound_disabled", store_id, meta)


def revealed(body: bytes, store_id: UUID, keyring: Keyring) -> tuple[bytes, Json]:
    """Return an answer with its secrets in the open, and what of it has an ``ETag``.

    What is kept for a repeated request keeps them sealed.
    """
    shown = orjson.loads(body)
    secret_names = {_column(which): which for which in Which}
    if "which" in shown:
        secret_names = {"secret": Which(shown["which"])}
    lasting = {name: value for name, value in shown.items() if name not in secret_names}
    for name, which in secret_names.items():
        if shown[name] is not None:
            shown[name] = keyring.open(shown[name], secrets.place(store_id, which))
    return orjson.dumps(shown), _json(lasting)


async def read(driver: Driver, access: Access, store_id: UUID) -> Row:
    """Return a store's settings with their secrets sealed, or raise ``StoreNotFoundError``."""
    row: Row | None = await queries.SETTINGS.row(driver, store_id=store_id, **access.owner)
    if row is None:
        raise StoreNotFoundError(store_id)
    return row


async def _locked(tx: AsyncConnection, access: Access, store_id: UUID) -> Row:
    if not await queries.lock(tx, access, store_id):
        raise StoreNotFoundError(store_id)
    return await read(await driver_of(tx), access, store_id)


def _check(wanted: StockSyncReplace, *, private_allowed: bool) -> None:
    pointer, problem = "/outbound_url", None
    if wanted.outbound_url is not None:
        try:
            checked_url(wanted.outbound_url, private_allowed=private_allowed)
        except TargetRefusedError as error:
            problem = FieldError(pointer, "target_refused", str(error))
    elif wanted.outbound_enabled:
        problem = FieldError(pointer, "missing", "Say where messages are to be sent.")
    if problem is not None:
        message = "Nothing can be sent to this address; see `errors`."
        raise ValidationFailedError(message, errors=[problem])


def _shown(resources: Resources, store_id: UUID, row: Row) -> dict[str, Any]:
    disabled = row["disabled_at"] and {
        "reason": row["disabled_reason"],
        "at": row["disabled_at"],
    }
    base = str(resources.settings.public_url).rstrip("/")
    return {
        "outbound_url": row["outbound_url"],
        "outbound_enabled": row["outbound_enabled"],
        **_about_secret(resources.keyring, store_id, row, Which.OUTBOUND),
        "outbound_failing_since": row["failing_since"],
        "outbound_disabled": disabled,
        "inbound_url": f"{base}/erp/v1/stores/{store_id}/stock",
        "inbound_enabled": row["inbound_enabled"],
        **_about_secret(resources.keyring, store_id, row, Which.INBOUND),
        "hold_above_percent": row["hold_above_percent"] or DEFAULT_HOLD_PERCENT,
        "hold_from_products": row["hold_from_products"] or DEFAULT_HOLD_PRODUCTS,
    }


def _about_secret(
    keyring: Keyring, store_id: UUID, row: Row, which: Which
) -> dict[str, Any]:
    sealed = row[_column(which)]
    found = secrets.opened([sealed] if sealed else [], store_id, which, keyring)
    return {
        f"{which}_secret_set": bool(sealed),
        f"{which}_secret_last_four": last_four(found[0]) if found else None,
        f"{which}_old_secret_until": row[f"{which}_old_secret_until"],
    }


def _column(which: Which) -> str:
    return f"{which}_secret"


def _json(value: dict[str, Any]) -> Json:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


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
