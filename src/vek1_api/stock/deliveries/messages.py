"""What an ERP is told, as Standard Webhooks has it: type, moment, data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from vek1_api.stock.outbound_status import OF_ORDERS, MessageType


class StockReference(BaseModel):
    """What caused the change."""

    type: Literal["order"]
    id: UUID


class StockOrigin(BaseModel):
    """Who caused the change."""

    kind: str = Field(
        description="`agent`: an order that an agent took; `manual`: a person; `import`: a "
        "file; `opening`: the first stock of a new product.",
        examples=["agent"],
    )


class StockMessageData(BaseModel):
    """A product's stock and what just changed it."""

    store_id: UUID
    product_id: UUID
    product_integration_id: str | None = Field(
        description="The ERP's id of the product.", examples=["CAF-500G"]
    )
    stock: int = Field(description="Units in stock after the change.", examples=[11])
    delta: int = Field(description="Units that came or, below 0, left.", examples=[-1])
    sequence: int = Field(
        description="Counts a product's messages from 1. One that is not above the last is "
        "older: drop it.",
        examples=[42],
    )
    reason: str = Field(
        description="`order_created`, `order_cancelled` or `manual`.",
        examples=["order_created"],
    )
    reference: StockReference | None
    origin: StockOrigin
    occurred_at: datetime


class StockMessage(BaseModel):
    """One change of a product's stock; `webhook-id` is the same however often it is sent."""

    type: Literal["stock.decremented", "stock.restored", "stock.adjusted"]
    timestamp: datetime = Field(description="When it happened.")
    data: StockMessageData


def message_id(movement_id: UUID) -> str:
    """Return the ``webhook-id`` of a movement's message."""
    return f"msg_{movement_id.hex}"


def type_of(reason: str, delta: int) -> MessageType:
    """Return what a message is called: by what an order did, or just that something changed."""
    if reason not in OF_ORDERS:
        return MessageType.ADJUSTED
    return MessageType.DECREMENTED if delta < 0 else MessageType.RESTORED


def body_of(store_id: UUID, notice: Mapping[str, Any]) -> bytes:
    """Return the body of a notice: the same bytes at every attempt."""
    order_id = notice["order_id"]
    data = {
        "store_id": store_id,
        "product_id": notice["product_id"],
        "product_integration_id": notice["product_integration_id"],
        "stock": notice["level"],
        "delta": notice["delta"],
        "sequence": notice["sequence"],
        "reason": notice["reason"],
        "reference": order_id and {"type": "order", "id": order_id},
        "origin": {"kind": notice["origin"]},
        "occurred_at": notice["created_at"],
    }
    kind = type_of(notice["reason"], notice["delta"])
    return _body(kind, notice["created_at"], data)


def test_body(store_id: UUID, at: datetime) -> bytes:
    """Return the body of a message that only tries the way."""
    return _body(MessageType.TEST, at, {"store_id": store_id})


def _body(kind: MessageType, at: datetime, data: dict[str, Any]) -> bytes:
    message = {"type": kind.value, "timestamp": at, "data": data}
    return orjson.dumps(message, default=str, option=orjson.OPT_UTC_Z)
