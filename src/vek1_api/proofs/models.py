"""The proofs' tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, LargeBinary, Text, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base

_MOMENT = TIMESTAMP(timezone=True)
_PENDING = text("'pending'::text")


class OrderProof(Base):
    """A version of a customer's proof of payment; the file is a private object."""

    __tablename__ = "order_proofs"
    __table_args__ = (
        UniqueConstraint("order_id", "version", name="order_proofs_order_id_version_key"),
        UniqueConstraint("message_id", name="order_proofs_message_id_key"),
        Index(None, "store_id", "sha256"),
        {"schema": SCHEMA},
    )

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    order_id: Mapped[UUID] = mapped_column(Uuid)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)
    object_key: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    mime_type: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    reading: Mapped[str] = mapped_column(Text, server_default=_PENDING)
    reading_error: Mapped[str | None] = mapped_column(Text)
    content: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[Any | None] = mapped_column(JSONB)
    review: Mapped[str] = mapped_column(Text, server_default=_PENDING)
    reason: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())
    reviewed_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class ProofPayment(Base):
    """A payment that a proof names."""

    __tablename__ = "proof_payments"
    __table_args__ = (Index(None, "store_id", "payment_key"), {"schema": SCHEMA})

    proof_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    order_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    payment_key: Mapped[str] = mapped_column(Text, primary_key=True)
