"""The statements of proofs; each reaches them through their order, but for those of jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    LargeBinary,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, scoped
from vek1_api.core import clock
from vek1_api.core.hot import HotStatement
from vek1_api.leads import service as leads
from vek1_api.orders.service import MODEL as ORDER
from vek1_api.orders.status import OrderStatus
from vek1_api.proofs.models import OrderProof, ProofPayment
from vek1_api.proofs.status import Reading, Review

_ORDER_ID = bindparam("order_id", type_=Uuid)
_STORE_ID = bindparam("store_id", type_=Uuid)
_SHA256 = bindparam("sha256", type_=LargeBinary)
_MESSAGE_ID = bindparam("message_id", type_=Uuid)
OCR_NOT_INSTALLED = "ocr_not_installed"

_IS_KNOWN = exists().where(
    OrderProof.order_id == ORDER.id,
    or_(OrderProof.sha256 == _SHA256, OrderProof.message_id == _MESSAGE_ID),
)
PLACE = HotStatement(
    scoped(ORDER, ORDER.store_id, ORDER.status, _IS_KNOWN.label("is_known")).where(
        ORDER.id == _ORDER_ID
    )
)
"""Where an order stands, and whether it has this very proof already."""

ABOUT = HotStatement(
    scoped(
        ORDER,
        ORDER.id,
        ORDER.store_id,
        ORDER.number,
        ORDER.total_cents,
        ORDER.payment_method,
        func.timezone("UTC", ORDER.created_at).label("created_at"),
    ).where(ORDER.id == _ORDER_ID)
)
"""What a proof of an order is compared with."""

_SHOWN = (
    *("version", "received_at", "filename", "mime_type", "size_bytes", "source"),
    *("review", "reason", "reading", "reading_error", "object_key", "sha256"),
)
VERSIONS = HotStatement(
    scoped(ORDER, *(getattr(OrderProof, name) for name in _SHOWN))
    .join(OrderProof, OrderProof.order_id == ORDER.id)
    .where(ORDER.id == _ORDER_ID)
    .order_by(OrderProof.version.desc())
    .limit(100)
)
"""The proofs of an order, newest first."""

NEWEST = HotStatement(
    scoped(ORDER, OrderProof.content, func.cast(OrderProof.facts, Text).label("facts"))
    .join(OrderProof, OrderProof.order_id == ORDER.id)
    .where(ORDER.id == _ORDER_ID)
    .order_by(OrderProof.version.desc())
    .limit(1)
)
"""What the newest proof of an order says."""


def _other_orders(rows: Any, *conditions: Any) -> HotStatement:
    """Return the numbers of the store's other orders that have such rows."""
    statement = (
        scoped(ORDER, ORDER.number)
        .join(rows, rows.order_id == ORDER.id)
        .where(rows.store_id == _STORE_ID, rows.order_id != _ORDER_ID, *conditions)
    )
    return HotStatement(statement.distinct().order_by(ORDER.number).limit(10))


ORDERS_OF_FILE = _other_orders(OrderProof, OrderProof.sha256 == _SHA256)
ORDERS_OF_PAYMENT = _other_orders(
    ProofPayment,
    ProofPayment.payment_key == func.any(bindparam("payment_keys", type_=ARRAY(Text))),
)

_WAITING = (OrderStatus.AWAITING_PROOF, OrderStatus.PROOF_RECEIVED)
TARGET = HotStatement(
    select(ORDER.id, STORES.c.company_id)
    .join(STORES, STORES.c.id == ORDER.store_id)
    .where(
        STORES.c.status != "deleted",
        ORDER.lead_id == leads.resolved(bindparam("lead_id", type_=Uuid)),
        or_(*(ORDER.status == each.value for each in _WAITING)),
        or_(_ORDER_ID.is_(None), ORDER.id == _ORDER_ID),
        ~exists().where(OrderProof.message_id == _MESSAGE_ID),
    )
    .order_by(
        (ORDER.status == OrderStatus.AWAITING_PROOF.value).desc(),
        ORDER.created_at.desc(),
        ORDER.id.desc(),
    )
    .limit(1)
)
"""The order of a lead to which a message's proof belongs, unless it was taken already."""


async def add(tx: AsyncConnection, values: dict[str, Any]) -> None:
    """Add a version to an order that the caller has locked."""
    await tx.execute(insert(OrderProof).values(values))


async def review(
    tx: AsyncConnection, access: Access, order_id: UUID, values: dict[str, Any]
) -> None:
    """Write what a person made of all versions that wait for it."""
    mine = OrderProof.order_id.in_(scoped(ORDER, ORDER.id).where(ORDER.id == order_id))
    waiting = OrderProof.review == Review.PENDING
    statement = update(OrderProof).where(mine, waiting)
    await tx.execute(statement.values(**values, reviewed_at=clock.now()), access.owner)


_TO_READ = or_(
    OrderProof.reading == Reading.PENDING,
    and_(
        OrderProof.reading == Reading.UNREADABLE,
        OrderProof.reading_error == OCR_NOT_INSTALLED,
    ),
)


async def source(connection: AsyncConnection, proof_id: UUID) -> tuple[str, str] | None:
    """Return the object and media type of a proof that may still be read."""
    statement = select(OrderProof.object_key, OrderProof.mime_type)
    row = (
        await connection.execute(statement.where(OrderProof.id == proof_id, _TO_READ))
    ).one_or_none()
    return None if row is None else (row.object_key, row.mime_type)


async def settle_reading(
    tx: AsyncConnection, proof_id: UUID, values: dict[str, Any], payments: Sequence[str]
) -> None:
    """Write what was read, unless the proof is gone or was read meanwhile."""
    statement = (
        update(OrderProof)
        .where(OrderProof.id == proof_id, _TO_READ)
        .values(values)
        .returning(OrderProof.order_id, OrderProof.store_id)
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return
    await tx.execute(delete(ProofPayment).where(ProofPayment.proof_id == proof_id))
    if payments:
        named = {
            "proof_id": proof_id,
            "order_id": row.order_id,
            "store_id": row.store_id,
        }
        await tx.execute(
            insert(ProofPayment).values([named | {"payment_key": k} for k in payments])
        )


async def waiting(
    connection: AsyncConnection, before: datetime, limit: int, *, with_ocr: bool
) -> Sequence[UUID]:
    """Return proofs whose reading was forgotten; those that OCR can read now, too."""
    condition = and_(OrderProof.reading == Reading.PENDING, OrderProof.received_at < before)
    if with_ocr:
        condition = or_(condition, OrderProof.reading_error == OCR_NOT_INSTALLED)
    statement = select(OrderProof.id).where(condition).order_by(OrderProof.received_at)
    return (await connection.scalars(statement.limit(limit))).all()
