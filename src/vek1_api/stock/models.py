"""The ledger's table, which is the front end's, and ours beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base
from vek1_api.stock import outbound_models  # noqa: F401 - known with these.

_MOMENT = TIMESTAMP(timezone=True)


class StockMovement(OfStore):
    """A change of a product's stock; the sum of a product's movements is its stock."""

    __tablename__ = "stock_movements"

    product_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("products.id"))
    delta: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    order_id: Mapped[UUID | None] = mapped_column(Uuid)
    external_id: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ErpKey(Base):
    """A change that an ERP sent under an id of its own: the same id has one effect."""

    __tablename__ = "erp_keys"
    __table_args__ = (Index(None, "received_at"), {"schema": SCHEMA})

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    product_id: Mapped[UUID] = mapped_column(Uuid)
    level: Mapped[int | None] = mapped_column(Integer)
    delta: Mapped[int | None] = mapped_column(Integer)
    before: Mapped[int] = mapped_column(Integer)
    after: Mapped[int] = mapped_column(Integer)
    received_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())


class ErpLevel(Base):
    """The last level that the ERP gave for a product: its last word."""

    __tablename__ = "erp_levels"
    __table_args__ = (Index(None, "store_id"), {"schema": SCHEMA})

    product_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    level: Mapped[int] = mapped_column(Integer)
    occurred_at: Mapped[datetime] = mapped_column(_MOMENT)
    received_at: Mapped[datetime] = mapped_column(_MOMENT)
    external_id: Mapped[str | None] = mapped_column(Text)


class StockPlan(Base):
    """A dry run that may still be applied, each item with the ground it was judged on."""

    __tablename__ = "stock_plans"
    __table_args__ = (Index(None, "store_id", "created_at"), {"schema": SCHEMA})

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    store_id: Mapped[UUID] = mapped_column(Uuid)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())


class StockGuard(Base):
    """From which share of the catalogue on a batch waits for a person; no row: 50 %, 10."""

    __tablename__ = "stock_guard"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    hold_above_percent: Mapped[int] = mapped_column(SmallInteger, server_default="50")
    hold_from_products: Mapped[int] = mapped_column(Integer, server_default="10")
