"""What a merchant sees of an order's proofs: the files behind links, and the proof desk."""

import asyncio
from typing import Any
from uuid import UUID

import orjson

from vek1_api.access.access import Access
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.core.storage import LINK_LIFE
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.payment_settings import gateways
from vek1_api.pix.receipts import payment_key
from vek1_api.proofs import desk, queries
from vek1_api.proofs.reading import FACTS
from vek1_api.proofs.schemas import ProofDesk, ProofDeskResult, ProofVersionRead
from vek1_api.proofs.status import Reading

_LINKED = frozenset(("url", "expires_at"))
_SHOWN = ProofVersionRead.model_fields.keys() - _LINKED


async def show(resources: Resources, access: Access, order_id: UUID) -> bytes:
    """Return an order's proofs, newest first, and what the newest says."""
    async with resources.database.driver() as driver:
        order = await queries.ABOUT.row(driver, order_id=order_id, **access.owner)
        if order is None:
            raise OrderNotFoundError(order_id)
        rows = await queries.VERSIONS.rows(driver, order_id=order_id, **access.owner)
        judged = await _judge(driver, access, order, rows[0]) if rows else None
    versions = await asyncio.gather(*(_version(resources, row) for row in rows))
    return ProofDeskResult(versions=versions, desk=judged).model_dump_json().encode()


async def _judge(driver: Driver, access: Access, order: Any, newest: Any) -> ProofDesk:
    """Compare the newest proof with the order and with all other orders of the store.

    Now and not when it came: of two orders with one payment either may have been first.
    """
    said = await queries.NEWEST.row(driver, order_id=order["id"], **access.owner)
    facts = desk.NOTHING
    if said is not None and said["facts"] is not None:
        facts = FACTS.validate_python(orjson.loads(said["facts"]), strict=False)
    others = {"order_id": order["id"], "store_id": order["store_id"], **access.owner}
    payments = [payment_key(each) for each in facts.end_to_end_ids]
    of_file = await queries.ORDERS_OF_FILE.rows(driver, sha256=newest["sha256"], **others)
    of_payment = await queries.ORDERS_OF_PAYMENT.rows(
        driver, payment_keys=payments, **others
    )
    return desk.judge(
        desk.Evidence(
            reading=Reading(newest["reading"]),
            reading_error=newest["reading_error"],
            text=(said["content"] if said else None) or "",
            facts=facts,
            number=order["number"],
            total_cents=order["total_cents"],
            ordered_at=order["created_at"],
            method=order["payment_method"],
            pix=await gateways.manual_of(driver, order["store_id"]),
            orders_of_file=[row["number"] for row in of_file],
            orders_of_payment=[row["number"] for row in of_payment],
            now=clock.now(),
        )
    )


async def _version(resources: Resources, row: Any) -> ProofVersionRead:
    expires_at = clock.now() + LINK_LIFE
    url = await resources.bucket.link(row["object_key"], filename=row["filename"])
    values = {name: row[name] for name in _SHOWN}
    return ProofVersionRead(**values, url=url, expires_at=expires_at)
