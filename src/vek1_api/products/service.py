"""Making, changing, replacing and removing products."""

from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.errors import PreconditionFailedError
from vek1_api.core.pagination import is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.products import ledger, queries
from vek1_api.products.errors import IntegrationIdTakenError, ProductNotFoundError
from vek1_api.products.models import Product
from vek1_api.products.schemas import (
    ProductCreate,
    ProductFilters,
    ProductReplace,
    ProductUpdate,
)
from vek1_api.products.status import MovementReason

MODEL = Product
"""For ``access.grants``, where other domains' rows hang on products."""


async def page(
    database: Database, access: Access, store_id: UUID, filters: ProductFilters
) -> bytes:
    """Return a page of a store's products, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(driver, filters, store_id=store_id, **access.owner)
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    return body


async def get(database: Database, access: Access, product_id: UUID) -> Json:
    """Return a product, or raise ``ProductNotFoundError``."""
    async with database.driver() as driver:
        return await _found(driver, access, product_id)


async def get_named(
    database: Database, access: Access, store_id: UUID, integration_id: str
) -> Json:
    """Return the product that an ERP's id names, or raise ``ProductNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET_BY_KEY.row(
            driver,
            store_id=store_id,
            product_integration_id=integration_id,
            **access.owner,
        )
        if row is None:
            await assert_owns_store(driver, access, store_id)
            raise ProductNotFoundError(None)
    return str(row["body"])


async def create(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: ProductCreate
) -> Answer:
    """Add a product; its first stock is its first movement."""
    body = await _add(tx, access, store_id, wanted.model_dump())
    if body is None:
        await assert_owns_store(await driver_of(tx), access, store_id)
        raise IntegrationIdTakenError(str(wanted.product_integration_id))
    return Answer(201, body)


async def replace(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    integration_id: str,
    wanted: ProductReplace,
    *,
    if_match: IfMatch,
) -> Answer:
    """Make the product that an ERP's id names be exactly this; create it if there is none.

    Safe at once with itself: the primary key of ``product_keys`` decides who creates.
    """
    values = wanted.model_dump() | {"product_integration_id": integration_id}
    product_id = await _named(tx, access, store_id, integration_id)
    if product_id is None:
        if if_match.header is not None:
            message = "There is no product with this id that `If-Match` could name."
            raise PreconditionFailedError(message)
        body = await _add(tx, access, store_id, values | {"stock": wanted.stock or 0})
        if body is not None:
            return Answer(201, body)
        await assert_owns_store(await driver_of(tx), access, store_id)
        # Another request created it just now.
        product_id = await _named(tx, access, store_id, integration_id)
        if product_id is None:
            raise IntegrationIdTakenError(integration_id)
    if wanted.stock is None:
        del values["stock"]
    return await _change(tx, access, product_id, values, if_match)


async def update(
    tx: AsyncConnection,
    access: Access,
    product_id: UUID,
    wanted: ProductUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent.

    A new id of the ERP is taken before the product is held, in the order of the import:
    else the two could wait for each other. What is refused afterwards gives it back.
    """
    integration_id = wanted.product_integration_id
    if integration_id is not None:
        old = orjson.loads(await _found(await driver_of(tx), access, product_id))
        if old["product_integration_id"] != integration_id:
            store_id = UUID(old["store_id"])
            await _claim(tx, access, store_id, product_id, integration_id)
    return await _change(tx, access, product_id, wanted.changes(), if_match)


async def delete(
    tx: AsyncConnection, access: Access, product_id: UUID, *, if_match: IfMatch
) -> Answer:
    """Remove a product; what was sold and moved stays on record, without the link."""
    before = await lock(tx, access, product_id)
    if_match.check(before)
    old = orjson.loads(before)
    await queries.remove(tx, access, product_id)
    meta = {"name": old["name"], "stock": old["stock"]}
    await _log(tx, access, "product.deleted", product_id, UUID(old["store_id"]), meta)
    return Answer(204)


async def adjust(
    tx: AsyncConnection,
    access: Access,
    product_id: UUID,
    *,
    delta: int | None,
    stock: int | None,
    why: str | None,
    if_match: IfMatch,
) -> Answer:
    """Change a product's stock by hand, by ``delta`` or to ``stock``; ``why`` is kept.

    Raises ``InsufficientStockError`` if less than nothing would be left.
    """
    before = await lock(tx, access, product_id)
    if_match.check(before)
    old = orjson.loads(before)
    if delta is None:
        assert stock is not None
        delta = stock - old["stock"]
    if delta == 0:
        return Answer(200, before)
    payload = {"source": "manual"} | ({"reason": why} if why else {})
    reason = MovementReason.MANUAL
    after = await ledger.move(tx, access, product_id, delta, reason=reason, payload=payload)
    meta = {"delta": delta, "before": old["stock"], "after": after}
    store_id = UUID(old["store_id"])
    await _log(tx, access, "stock.adjusted", product_id, store_id, meta)
    return Answer(200, await _found(await driver_of(tx), access, product_id))


async def lock(tx: AsyncConnection, access: Access, product_id: UUID) -> Json:
    """Return a product that stays as it is until the transaction ends.

    Raises ``ProductNotFoundError`` for one out of reach.
    """
    body = await queries.lock(tx, access, product_id)
    if body is None:
        raise ProductNotFoundError(product_id)
    return body


async def spoken_for(tx: AsyncConnection, document_id: UUID) -> UUID | None:
    """Return the product that a generated document speaks for; none for other documents."""
    row = await queries.SPEAKS_FOR.row(await driver_of(tx), document_id=document_id)
    return None if row is None else row["product_id"]


async def _add(
    tx: AsyncConnection, access: Access, store_id: UUID, values: dict[str, Any]
) -> Json | None:
    row = await queries.ADD.row(
        await driver_of(tx), id=uuid4(), store_id=store_id, **values, **access.owner
    )
    if row is None:
        return None
    await _log(tx, access, "product.created", row["id"], store_id)
    return str(row["body"])


async def _named(
    tx: AsyncConnection, access: Access, store_id: UUID, integration_id: str
) -> UUID | None:
    row = await queries.BY_KEY.row(
        await driver_of(tx),
        store_id=store_id,
        product_integration_id=integration_id,
        **access.owner,
    )
    return None if row is None else row["product_id"]


async def _change(
    tx: AsyncConnection,
    access: Access,
    product_id: UUID,
    wanted: dict[str, Any],
    if_match: IfMatch,
) -> Answer:
    before = await lock(tx, access, product_id)
    if_match.check(before)
    old = orjson.loads(before)
    values = audit_service.differing(old, wanted)
    if not values:
        return Answer(200, before)
    store_id = UUID(old["store_id"])
    meta = audit_service.changed(old, values)
    if values.get("product_integration_id") is not None:
        await _claim(tx, access, store_id, product_id, values["product_integration_id"])
    if "stock" in values:
        delta = values.pop("stock") - old["stock"]
        await ledger.move(tx, access, product_id, delta, reason=MovementReason.MANUAL)
    if values:
        await queries.change(tx, access, product_id, values)
    await _log(tx, access, "product.updated", product_id, store_id, meta)
    return Answer(200, await _found(await driver_of(tx), access, product_id))


async def _found(driver: Driver, access: Access, product_id: UUID) -> Json:
    row = await queries.GET.row(driver, row_id=product_id, **access.owner)
    if row is None:
        raise ProductNotFoundError(product_id)
    return str(row["body"])


async def _claim(
    tx: AsyncConnection,
    access: Access,
    store_id: UUID,
    product_id: UUID,
    integration_id: str,
) -> None:
    """Take an ERP's id for a product, unless it is its own already."""
    claimed = await queries.CLAIM.row(
        await driver_of(tx),
        store_id=store_id,
        product_integration_id=integration_id,
        row_id=product_id,
        **access.owner,
    )
    if claimed or await _named(tx, access, store_id, integration_id) == product_id:
        return
    raise IntegrationIdTakenError(integration_id)


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    product_id: object,
    store_id: UUID,
    meta: dict[str, Any] | None = None,
) -> None:
    await audit_service.log_audit(
        tx, access, action, "product", product_id, store_id=store_id, meta=meta
    )
