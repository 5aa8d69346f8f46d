"""Tables of telling an ERP: the front end's settings, and ours beside them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base

_MOMENT = TIMESTAMP(timezone=True)


class StockSyncSettings(OfStore):
    """A store's two directions; the secrets are sealed (``core.encryption``)."""

    __tablename__ = "store_stock_sync_settings"

    store_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("stores.id"), unique=True)
    outbound_url: Mapped[str | None] = mapped_column(Text)
    outbound_secret: Mapped[str | None] = mapped_column(Text)
    inbound_secret: Mapped[str | None] = mapped_column(Text)
    outbound_enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    inbound_enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StockOutlet(Base):
    """Whether a store's movements are told, and how its ERP has answered.

    A trigger on the settings keeps it; the trigger on movements reads it.
    """

    __tablename__ = "stock_outlets"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    is_open: Mapped[bool] = mapped_column(Boolean)
    open_since: Mapped[datetime | None] = mapped_column(_MOMENT)
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    failing_since: Mapped[datetime | None] = mapped_column(_MOMENT)
    paused_until: Mapped[datetime | None] = mapped_column(_MOMENT)
    disabled_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    disabled_reason: Mapped[str | None] = mapped_column(Text)


class StockOldSecret(Base):
    """A secret that was replaced and is still good for a while, sealed."""

    __tablename__ = "stock_old_secrets"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    which: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_until: Mapped[datetime] = mapped_column(_MOMENT)


class StockSequence(Base):
    """How many messages there have been about a product."""

    __tablename__ = "stock_sequences"
    __table_args__ = ({"schema": SCHEMA},)

    product_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class StockNotice(Base):
    """The one message of a movement, and how far its delivery is."""

    __tablename__ = "stock_notices"
    __table_args__ = ({"schema": SCHEMA},)

    movement_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    product_id: Mapped[UUID] = mapped_column(Uuid)
    product_integration_id: Mapped[str | None] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[int] = mapped_column(Integer)
    delta: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    order_id: Mapped[UUID | None] = mapped_column(Uuid)
    origin: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(
        _MOMENT, server_default=func.clock_timestamp()
    )
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    wanted_at: Mapped[datetime] = mapped_column(
        _MOMENT, server_default=func.clock_timestamp()
    )
    due_at: Mapped[datetime] = mapped_column(_MOMENT, server_default="-infinity")
    leased_until: Mapped[datetime | None] = mapped_column(_MOMENT)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    delivered_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class StockAttempt(Base):
    """One try to deliver a message, and what came of it."""

    __tablename__ = "stock_attempts"
    __table_args__ = ({"schema": SCHEMA},)

    movement_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(_MOMENT)
    duration_ms: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
