"""Making, reading and changing orders."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store, assert_owns_store
from vek1_api.agents import service as agents
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, Driver, driver_of
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.pagination import is_empty
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.leads import service as leads
from vek1_api.orders import held, moving, queries
from vek1_api.orders.errors import (
    AmountTooLargeError,
    DiscountTooLargeError,
    NotADraftError,
    OrderNotFoundError,
    ShortStockError,
)
from vek1_api.orders.held import Held, actor_of
from vek1_api.orders.models import Order
from vek1_api.orders.schemas import (
    OrderCreate,
    OrderEventFilters,
    OrderFilters,
    OrderItemCreate,
    OrderUpdate,
)
from vek1_api.orders.status import EventType, OrderStatus
from vek1_api.stores.errors import StoreNotFoundError

MODEL = Order
"""For ``access.grants``, where other domains' rows hang on orders."""

_OF_DRAFTS = frozenset(("items", "lead_id", "shipping_cents", "discount_cents"))
"""What changes only while the order is a draft."""
_AMOUNTS = frozenset(("items", "shipping_cents", "discount_cents"))
_NOT_NULL = {"shipping_cents": 0, "discount_cents": 0}


async def create(
    driver: Driver, access: Access, store_id: UUID, wanted: OrderCreate, api_url: str
) -> Answer:
    """Make a draft with its number, its items at today's prices, and its stock: all or nothing.

    One statement. Raises ``ShortStockError`` and the errors of ids that are not the store's.
    """
    fields = wanted.model_dump(mode="json", exclude={"items"})
    row = await queries.CREATE.row(
        driver,
        store_id=store_id,
        order=fields | {"actor": actor_of(access, wanted.source)},
        items=_lines(wanted.items),
        api_url=api_url,
        **audit_service.values(access, {"items": len(wanted.items)}),
        **access.owner,
    )
    if row is None:
        raise StoreNotFoundError(store_id)
    if row["problem"] is not None:
        raise _problem(row["problem"], wanted.items, wanted)
    return Answer(201, str(row["body"]))


async def create_within(
    tx: AsyncConnection, access: Access, store_id: UUID, wanted: OrderCreate, api_url: str
) -> Answer:
    """Make a draft as ``create`` does, within the caller's transaction."""
    return await create(await driver_of(tx), access, store_id, wanted, api_url)


async def page(
    database: Database, access: Access, store_id: UUID, filters: OrderFilters, api_url: str
) -> bytes:
    """Return a page of a store's orders, newest first."""
    async with database.driver() as driver:
        body = await queries.PAGE.fetch(
            driver, filters, store_id=store_id, api_url=api_url, **access.owner
        )
        if is_empty(body):
            await assert_owns_store(driver, access, store_id)
    if is_empty(body) and filters.lead_id is not None:
        async with database.read() as connection:
            await _assert_lead(connection, access, store_id, filters.lead_id, "/query")
    return body


async def get(database: Database, access: Access, order_id: UUID, api_url: str) -> Json:
    """Return an order, or raise ``OrderNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(
            driver, row_id=order_id, api_url=api_url, **access.owner
        )
    if row is None:
        raise OrderNotFoundError(order_id)
    return str(row["body"])


async def events(
    database: Database, access: Access, order_id: UUID, filters: OrderEventFilters
) -> bytes:
    """Return a page of what happened to an order, newest first."""
    async with database.driver() as driver:
        body = await queries.EVENTS.fetch(driver, filters, row_id=order_id, **access.owner)
    if is_empty(body):
        await get(database, access, order_id, "")
    return body


async def update(
    tx: AsyncConnection,
    access: Access,
    order_id: UUID,
    wanted: OrderUpdate,
    api_url: str,
    *,
    if_match: IfMatch,
) -> Answer:
    """Change the fields that the caller sent; what a draft holds moves the stock with it."""
    order = await held.hold(tx, access, order_id)
    before = await held.body_of(tx, access, order_id, api_url)
    if_match.check(before)
    old = orjson.loads(before)
    sent = wanted.model_dump(mode="json", exclude_unset=True)
    sent |= {name: 0 for name in _NOT_NULL if sent.get(name, 0) is None}
    values = audit_service.differing(old, {k: v for k, v in sent.items() if k != "items"})
    names = values.keys() | (sent.keys() & {"items"})
    if order.status is not OrderStatus.DRAFT and names & _OF_DRAFTS:
        raise NotADraftError(order.status, sorted(names & _OF_DRAFTS))
    await _assert_references(tx, access, order, values)
    if names & _AMOUNTS:
        await _change_amounts(tx, order, wanted, values)
    rest = {name: value for name, value in values.items() if name not in _AMOUNTS}
    if rest:
        await queries.change(tx, access, order_id, rest)
    if not names:
        return Answer(200, before)
    # Names only: who bought is nothing for an append-only log.
    meta = {"number": order.number, "fields": sorted(names)}
    await moving.log(tx, access, "order.updated", order, meta)
    return Answer(200, await held.body_of(tx, access, order_id, api_url))


async def add_note(
    tx: AsyncConnection, access: Access, order_id: UUID, text: str, api_url: str
) -> Answer:
    """Write something to remember about an order."""
    order = await held.hold(tx, access, order_id)
    actor = actor_of(access, order.source)
    # Somebody is busy with it: a draft begins its time anew.
    await queries.change(tx, access, order_id, {"status": order.status.value})
    await moving.add_events(tx, order, actor, (EventType.NOTE, {"text": text}))
    await moving.log(tx, access, "order.noted", order, {"number": order.number})
    return Answer(201, await held.body_of(tx, access, order_id, api_url))


async def _change_amounts(
    tx: AsyncConnection, order: Held, wanted: OrderUpdate, values: dict[str, Any]
) -> None:
    has_items = "items" in wanted.model_fields_set
    row = await queries.CHANGE_DRAFT.row(
        await driver_of(tx),
        row_id=order.id,
        items=_lines(wanted.items) if has_items else None,
        shipping=values.get("shipping_cents", order.shipping_cents),
        discount=values.get("discount_cents", order.discount_cents),
    )
    assert row is not None
    if row["problem"] is not None:
        raise _problem(row["problem"], wanted.items, wanted)


async def _assert_references(
    tx: AsyncConnection, access: Access, order: Held, values: dict[str, Any]
) -> None:
    """Raise for a lead or an agent of another store; a lead that was joined is the other."""
    if values.get("lead_id") is not None:
        values["lead_id"] = await _assert_lead(
            tx, access, order.store_id, UUID(values["lead_id"])
        )
    if values.get("agent_id") is not None:
        values["agent_id"] = UUID(values["agent_id"])
        await assert_in_store(
            tx,
            access,
            agents.MODEL,
            store_id=order.store_id,
            pointers={"/agent_id": values["agent_id"]},
            kind="agent",
        )


async def _assert_lead(
    tx: AsyncConnection, access: Access, store_id: UUID, lead_id: UUID, at: str = ""
) -> UUID:
    present = await leads.present_id(tx, lead_id)
    pointers = {f"{at}/lead_id": present}
    await assert_in_store(
        tx, access, leads.MODEL, store_id=store_id, pointers=pointers, kind="lead"
    )
    return present


def _lines(items: Sequence[OrderItemCreate]) -> list[dict[str, Any]]:
    return [
        {"place": place, **item.model_dump(mode="json")} for place, item in enumerate(items)
    ]


def _problem(
    problem: dict[str, Any],
    items: Sequence[OrderItemCreate],
    wanted: OrderCreate | OrderUpdate,
) -> Exception:
    """Return the error for what ``init/01-init.sql`` found wrong."""
    match problem["kind"]:
        case "unknown_lead":
            return ForeignReferenceError("lead", {"/lead_id": str(wanted.lead_id)})
        case "unknown_agent":
            return ForeignReferenceError("agent", {"/agent_id": str(wanted.agent_id)})
        case "unknown_products":
            named = {
                f"/items/{place}/product_id": str(items[place].product_id)
                for place in cast("list[int]", problem["places"])
            }
            return ForeignReferenceError("product", named)
        case "insufficient_stock":
            places = {
                str(item.product_id): place for place, item in reversed([*enumerate(items)])
            }
            return ShortStockError(problem["products"], places)
        case "discount":
            return DiscountTooLargeError(int(problem["amount_cents"]))
        case _:
            return AmountTooLargeError(int(problem["amount_cents"]))
