"""The orders' tables: the front end's, and ours beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base

_ZERO = text("0")
_MOMENT = TIMESTAMP(timezone=True)


class Order(OfStore):
    """An order; amounts are cents."""

    __tablename__ = "orders"

    lead_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("leads.id"))
    agent_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("agents.id"))
    number: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    payment_method: Mapped[str | None] = mapped_column(Text)
    payment_provider: Mapped[str | None] = mapped_column(Text)
    payment_external_id: Mapped[str | None] = mapped_column(Text)
    payment_br_code: Mapped[str | None] = mapped_column(Text)
    payment_br_code_image: Mapped[str | None] = mapped_column(Text)
    payment_link_url: Mapped[str | None] = mapped_column(Text)
    payment_expires_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    proof_file_url: Mapped[str | None] = mapped_column(Text)
    proof_mime_type: Mapped[str | None] = mapped_column(Text)
    proof_received_at: Mapped[datetime | None]
    proof_external_id: Mapped[str | None] = mapped_column(Text)
    shipping_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    subtotal_cents: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    shipping_cents: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    discount_cents: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    total_cents: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    currency: Mapped[str] = mapped_column(Text, server_default="BRL")
    customer_name: Mapped[str | None] = mapped_column(Text)
    customer_phone: Mapped[str | None] = mapped_column(Text)
    customer_email: Mapped[str | None] = mapped_column(Text)
    customer_tax_id: Mapped[str | None] = mapped_column(Text)
    shipping_address: Mapped[Any | None] = mapped_column(JSONB)
    notes: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, server_default="agent")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class _OfOrder(Base):
    """A table of the front end whose rows belong to an order."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    order_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("orders.id"))


class OrderItem(_OfOrder):
    """A line of an order, as it was when it was written."""

    __tablename__ = "order_items"

    product_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("products.id"))
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(Integer)
    quantity: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    subtotal_cents: Mapped[int] = mapped_column(Integer)
    custom_props: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OrderEvent(_OfOrder):
    """Something that happened to an order."""

    __tablename__ = "order_events"

    type: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    data: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentAttempt(_OfOrder):
    """An attempt to be paid."""

    __tablename__ = "payment_attempts"

    provider: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int] = mapped_column(Integer)
    payload: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OrderCounter(Base):
    """The last number that a store gave to an order."""

    __tablename__ = "order_counters"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class OrderState(Base):
    """What ``orders`` has no column for; its keys decide that numbers do not repeat."""

    __tablename__ = "order_state"
    __table_args__ = (
        UniqueConstraint("store_id", "number", name="order_state_store_id_number_key"),
        {"schema": SCHEMA},
    )

    order_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    drafted_at: Mapped[datetime | None] = mapped_column(
        _MOMENT, server_default=func.now(), index=True
    )
    attempt_id: Mapped[UUID | None] = mapped_column(Uuid)
    paid_attempt_id: Mapped[UUID | None] = mapped_column(Uuid)
    proof_versions: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    proof_review: Mapped[str | None] = mapped_column(Text)


class AttemptRef(Base):
    """How an attempt stands at its provider; one charge of an order waits at a time."""

    __tablename__ = "attempt_ref"
    __table_args__ = (
        Index(
            "attempt_ref_open_key",
            "order_id",
            "provider",
            unique=True,
            postgresql_where=text("state IN ('creating', 'unknown', 'open')"),
        ),
        {"schema": SCHEMA},
    )

    attempt_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    order_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    provider: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int] = mapped_column(Integer)
    dev_mode: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    br_code: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    check_at: Mapped[datetime | None] = mapped_column(_MOMENT, index=True)
    checks: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    refund_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())


class AttemptAlias(Base):
    """An id by which a provider names a charge."""

    __tablename__ = "attempt_alias"
    __table_args__ = ({"schema": SCHEMA},)

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(Uuid, index=True)


class Attention(OfStore):
    """Something about money that a person must look at."""

    __tablename__ = "attention"
    __table_args__ = (
        UniqueConstraint(
            *("store_id", "kind", "subject"), name="attention_store_id_kind_subject_key"
        ),
        {"schema": SCHEMA},
    )

    # Without the foreign key of ``OfStore``: ours have none into ``public``.
    store_id: Mapped[UUID] = mapped_column(Uuid)
    order_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    attempt_id: Mapped[UUID | None] = mapped_column(Uuid)
    subject: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    details: Mapped[Any] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())
    resolved_at: Mapped[datetime | None] = mapped_column(_MOMENT)
