"""What an ERP was told, and telling it again."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.audit import service as audit_service
from vek1_api.core import clock
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.errors import ConflictError
from vek1_api.core.pagination import is_empty
from vek1_api.stock.deliveries import queries
from vek1_api.stock.deliveries.errors import DeliveryNotFoundError
from vek1_api.stock.deliveries.schemas import DeliveryFilters
from vek1_api.stock.settings import queries as settings_queries

KEPT_FOR = timedelta(days=30)
BATCH = 1_000


async def page(
    database: Database, access: Access, store_id: UUID, filters: DeliveryFilters
) -> bytes:
    """Return a page of a store's messages, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def redeliver(
    tx: AsyncConnection, access: Access, store_id: UUID, delivery_id: UUID
) -> Answer:
    """Have a message sent again now, delivered before or not.

    Raises ``DeliveryNotFoundError``, and ``ConflictError`` while nothing is sent at all.
    """
    driver = await driver_of(tx)
    await assert_owns_store(driver, access, store_id)
    if not await queries.lock(tx, access, store_id, delivery_id):
        raise DeliveryNotFoundError(delivery_id)
    if not await queries.is_open(tx, store_id):
        message = "Nothing is sent to this store's ERP: switch `outbound_enabled` on first."
        raise ConflictError(message)
    await queries.want_again(tx, delivery_id)
    await settings_queries.WAKE.row(driver, store_id=store_id)
    await audit_service.log_audit(
        tx,
        access,
        "stock_delivery.requested",
        "stock_delivery",
        delivery_id,
        store_id=store_id,
    )
    row = await queries.GET.row(
        driver, store_id=store_id, notice_id=delivery_id, **access.owner
    )
    assert row is not None
    return Answer(202, str(row["body"]), has_etag=False)


async def wake_all(database: Database) -> None:
    """Have sent whatever is due and has no job: a worker that died may have left some."""
    async with database.transaction() as tx:
        for store_id in await queries.with_due(tx):
            await settings_queries.WAKE.row(await driver_of(tx), store_id=store_id)


async def forget(database: Database) -> None:
    """Delete the messages that nobody looks for any more, a batch at a time."""
    before = clock.now() - KEPT_FOR
    while True:
        async with database.transaction() as tx:
            if await queries.forget(tx, before, BATCH) < BATCH:
                return
