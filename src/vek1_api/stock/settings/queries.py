"""The statements of how a store and its ERP are connected."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Uuid, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.hot import HotStatement
from vek1_api.stock.models import StockGuard
from vek1_api.stock.outbound_models import StockOldSecret, StockOutlet, StockSyncSettings
from vek1_api.stock.outbound_status import Which

_STORE_ID = bindparam("store_id", type_=Uuid)


def _old_until(which: Which) -> Any:
    old = StockOldSecret
    until = select(func.max(old.valid_until)).where(
        old.store_id == STORES.c.id, old.which == which.value, old.valid_until > func.now()
    )
    return until.scalar_subquery().label(f"{which}_old_secret_until")


def _settings() -> Executable:
    settings, outlet, guard = StockSyncSettings, StockOutlet, StockGuard
    return (
        select(
            settings.outbound_url,
            settings.outbound_secret,
            settings.inbound_secret,
            func.coalesce(settings.outbound_enabled, False).label("outbound_enabled"),
            func.coalesce(settings.inbound_enabled, False).label("inbound_enabled"),
            outlet.failing_since,
            outlet.disabled_at,
            outlet.disabled_reason,
            guard.hold_above_percent,
            guard.hold_from_products,
            *(_old_until(which) for which in Which),
        )
        .select_from(STORES)
        .outerjoin(settings, settings.store_id == STORES.c.id)
        .outerjoin(outlet, outlet.store_id == STORES.c.id)
        .outerjoin(guard, guard.store_id == STORES.c.id)
        .where(STORES.c.id.in_(my_stores(_STORE_ID)))
    )


SETTINGS = HotStatement(_settings())
"""A store's settings, secrets sealed, with its outlet; nulls where nobody set any."""

WAKE = HotStatement(select(func.vek1_api.wake_deliveries(_STORE_ID)))
"""Have a store's messages delivered, in the caller's transaction."""


async def lock(tx: AsyncConnection, access: Access, store_id: UUID) -> bool:
    """Keep a store's settings for this transaction; false if it is out of reach."""
    store = my_stores(store_id)
    await tx.execute(
        upsert(StockSyncSettings).from_select(["store_id"], store).on_conflict_do_nothing(),
        access.owner,
    )
    statement = select(StockSyncSettings.id).where(StockSyncSettings.store_id.in_(store))
    return await tx.scalar(statement.with_for_update(), access.owner) is not None


async def change(tx: AsyncConnection, store_id: UUID, values: dict[str, Any]) -> None:
    """Change the settings of a store that is locked."""
    await tx.execute(
        update(StockSyncSettings)
        .where(StockSyncSettings.store_id == store_id)
        .values(**values)
    )


async def guard(tx: AsyncConnection, store_id: UUID, values: dict[str, int]) -> None:
    """Set from which size on an ERP's batch is held."""
    statement = upsert(StockGuard).values(store_id=store_id, **values)
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["store_id"], set_=values)
    )


async def keep_old_secret(
    tx: AsyncConnection, store_id: UUID, which: Which, sealed: str, until: datetime
) -> None:
    """Keep a secret that was replaced until a moment."""
    values = {
        "store_id": store_id,
        "which": which.value,
        "sealed": sealed,
        "valid_until": until,
    }
    await tx.execute(upsert(StockOldSecret).values(values).on_conflict_do_nothing())


async def forget_old_secrets(tx: AsyncConnection, store_id: UUID, which: Which) -> None:
    """Make every secret but the present one worthless."""
    mine = StockOldSecret.store_id == store_id, StockOldSecret.which == which.value
    await tx.execute(delete(StockOldSecret).where(*mine))


async def close(tx: AsyncConnection, store_id: UUID, url: str, reason: str) -> str | None:
    """Switch a store's messages off and say why; the company's id if they went to ``url``."""
    statement = (
        update(StockSyncSettings)
        .where(
            and_(
                StockSyncSettings.store_id == store_id,
                StockSyncSettings.outbound_enabled,
                StockSyncSettings.outbound_url == url,
                StockSyncSettings.store_id == STORES.c.id,
            )
        )
        .values(outbound_enabled=False)
        .returning(STORES.c.company_id)
    )
    company_id: str | None = await tx.scalar(statement)
    if company_id is not None:
        await tx.execute(
            update(StockOutlet)
            .where(StockOutlet.store_id == store_id)
            .values(disabled_at=func.now(), disabled_reason=reason)
        )
    return company_id
