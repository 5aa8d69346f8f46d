"""The statements of secrets. They name a store, not a caller: the ERP is who it proves to be."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from vek1_api.access.grants import STORES
from vek1_api.core.hot import HotStatement
from vek1_api.stock.outbound_models import StockOldSecret, StockSyncSettings


def valid_secrets(which: str) -> ColumnElement[list[str | None]]:
    """Return the sealed secrets of a direction: the present one or null, then older ones."""
    old = StockOldSecret
    older = (
        select(old.sealed)
        .where(
            old.store_id == StockSyncSettings.store_id,
            old.which == which,
            old.valid_until > func.now(),
        )
        .order_by(old.valid_until.desc())
        .correlate(StockSyncSettings)
    )
    present: ColumnElement[Any] = getattr(StockSyncSettings, f"{which}_secret")
    return func.array_prepend(
        present, func.array(older.scalar_subquery(), type_=ARRAY(Text)), type_=ARRAY(Text)
    )


def _inbound() -> Select[Any]:
    return (
        select(STORES.c.company_id, valid_secrets("inbound").label("sealed"))
        .select_from(StockSyncSettings)
        .join(STORES, STORES.c.id == StockSyncSettings.store_id)
        .where(
            STORES.c.id == bindparam("store_id", type_=Uuid),
            STORES.c.status != "deleted",
            StockSyncSettings.inbound_enabled,
            StockSyncSettings.inbound_secret != "",
        )
    )


INBOUND = HotStatement(_inbound())
"""Whose store it is, and the sealed secrets that its ERP may use."""
