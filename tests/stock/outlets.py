"""Stores that tell an ERP on a real socket what becomes of their stock."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.fakes.erp_receiver import ErpReceiver
from tests.stock.shelves import Shop
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.core.schema.doctor import INVARIANTS
from vek1_api.stock.deliveries import sending as deliveries_sending
from vek1_api.stock.deliveries.sending import POLICY, Policy

QUICK = replace(POLICY, patience=timedelta(seconds=0.3), linger_seconds=0)


@pytest.fixture
async def receiver() -> AsyncGenerator[ErpReceiver]:
    async with ErpReceiver() as opened:
        yield opened


def path(shop: Shop, rest: str = "") -> str:
    return f"/v1/stores/{shop.store_id}/stock-sync{rest}"


async def put(shop: Shop, **wanted: Any) -> Any:
    """Connect the store; what is not said is off."""
    body = {"outbound_url": None, "outbound_enabled": False, "inbound_enabled": False}
    sent = await shop.owner.request("PUT", path(shop), json=body | wanted)
    assert sent.status_code == 200, sent.text
    return sent.json()


async def listen(shop: Shop, receiver: ErpReceiver) -> str:
    """Have the receiver told; return the secret that signs."""
    saved = await put(shop, outbound_url=receiver.url, outbound_enabled=True)
    secret: str = saved["outbound_secret"]
    return secret


async def move(shop: Shop, key: str, delta: int) -> None:
    """Change a product's stock by hand."""
    body = {"delta": delta}
    await shop.owner.post(f"/v1/products/{shop.products[key]}/stock", body, status=200)


async def deliver(resources: Resources, shop: Shop, policy: Policy = QUICK) -> None:
    """Do what the job does."""
    await deliveries_sending.deliver(resources, UUID(shop.store_id), policy)


async def deliveries(shop: Shop, **params: Any) -> list[Any]:
    page = await shop.owner.get(path(shop, "/deliveries"), **params)
    return list(page["items"])


async def states(shop: Shop) -> dict[tuple[str, int], str]:
    """Return the state of each message by the ERP's id of its product and its sequence."""
    return {
        (each["product_integration_id"], each["sequence"]): each["status"]
        for each in await deliveries(shop, limit=200)
    }


_MOMENTS = {
    "stock_notices": ("due_at", "wanted_at", "leased_until"),
    "stock_outlets": ("failing_since", "paused_until"),
    "stock_old_secrets": ("valid_until",),
}


async def later(db: Driver, shop: Shop, **wait: float) -> None:
    """Let time pass for a store's messages: what is due, is due that much sooner."""
    for table, columns in _MOMENTS.items():
        shifted = ", ".join(f"{name} = {name} - $2::interval" for name in columns)
        await db.execute(
            f"UPDATE vek1_api.{table} SET {shifted} WHERE store_id = $1",
            UUID(shop.store_id),
            timedelta(**wait),
        )


async def untold(db: Driver, shop: Shop) -> list[str]:
    """Return the store's movements that break invariant I7, also those of just now."""
    (rule,) = (each for each in INVARIANTS if each.name == "I7")
    assert "interval '1 minute'" in rule.query
    exact = rule.query.replace("interval '1 minute'", "interval '0'")
    rows = await db.fetch(
        f"SELECT key FROM ({exact}) AS broken JOIN stock_movements ON id::text = key"
        " WHERE store_id = $1",
        UUID(shop.store_id),
    )
    return [row["key"] for row in rows]
