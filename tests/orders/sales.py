"""Sales at given moments, and their summary."""

from datetime import datetime
from typing import Any

from tests.orders.shop import Shop, ribbon, set_status
from vek1_api.core.db import Driver

SAO_PAULO = "America/Sao_Paulo"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def sell(shop: Shop, db: Driver, at: str, cents: int = 1000, **more: Any) -> Any:
    """Sell a ribbon, confirmed at this moment (UTC)."""
    order = await shop.order(items=[ribbon(cents)])
    await set_status(db, order, "confirmed", confirmed_at=utc(at), **more)
    return order


async def summary(shop: Shop, first: str, last: str, **more: str) -> Any:
    path = f"/v1/stores/{shop.store_id}/sales-summary"
    return await shop.owner.get(path, **{"from": first, "to": last, **more})


async def zone(shop: Shop, name: Any) -> None:
    await shop.owner.patch("/v1/company", {"settings": {"time_zone": name}})


def revenue(found: Any) -> dict[str, int]:
    return {
        each["from"]: each["revenue_cents"]
        for each in found["periods"]
        if each["revenue_cents"]
    }
