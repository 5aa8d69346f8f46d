"""Reading the ledger and the levels."""

from datetime import UTC
from uuid import UUID

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.core.db import Database
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.pagination import is_empty
from vek1_api.products import service as products
from vek1_api.stock import queries
from vek1_api.stock.schemas import LevelFilters, MovementFilters


async def movements(
    database: Database, access: Access, store_id: UUID, filters: MovementFilters
) -> bytes:
    """Return a page of a store's movements, newest first."""
    async with database.driver() as driver:
        body = await queries.MOVEMENTS.fetch(
            driver, filters, store_id=store_id, **access.owner
        )
    if is_empty(body):
        await _assert_in_store(database, access, store_id, filters)
    return body


async def levels(
    database: Database, access: Access, store_id: UUID, filters: LevelFilters
) -> bytes:
    """Return a page of a store's levels, those that changed last at the end.

    Transactions commit in another order than that of their changes. So the list ends where
    the oldest one that is running began: a poller who keeps that place misses nothing.
    """
    async with database.driver() as driver:
        # Before the list and not within it: what commits in between is then in the list.
        settled = await queries.SETTLED.row(driver)
        assert settled is not None
        body = await queries.LEVELS.fetch(
            driver,
            filters,
            store_id=store_id,
            settled_until=settled["moment"].replace(tzinfo=UTC),
            **access.owner,
        )
    return body[:-1] + f',"read_until":"{settled["shown"]}"}}'.encode()


async def _assert_in_store(
    database: Database, access: Access, store_id: UUID, filters: MovementFilters
) -> None:
    """Raise unless the store is within reach, and what the filters name is of it."""
    async with database.driver() as driver:
        await assert_owns_store(driver, access, store_id)
        if filters.order_id is not None:
            found = await queries.HAS_ORDER.row(
                driver, store_id=store_id, order_id=filters.order_id, **access.owner
            )
            if found is None:
                pointers = {"/query/order_id": str(filters.order_id)}
                kind = "order"
                raise ForeignReferenceError(kind, pointers)
    if filters.product_id is not None:
        async with database.read() as connection:
            await assert_in_store(
                connection,
                access,
                products.MODEL,
                store_id=store_id,
                pointers={"/query/product_id": filters.product_id},
                kind="product",
            )
