"""The products' tables: the front end's, and ours beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Index, Integer, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base


class Product(OfStore):
    """A product of a store; ``price`` is in reais because the front end stores it so."""

    __tablename__ = "products"

    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    price: Mapped[float] = mapped_column(Double)
    stock: Mapped[int] = mapped_column(Integer, server_default="0")
    product_integration_id: Mapped[str | None] = mapped_column(Text)
    custom_props: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProductIndex(Base):
    """What triggers derive from a product: its document, and what a shopper finds it by."""

    __tablename__ = "product_index"
    __table_args__ = (
        Index(None, "store_id"),
        Index(None, "document_id"),
        Index(None, "terms", postgresql_using="gin"),
        {"schema": SCHEMA},
    )

    product_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    document_id: Mapped[UUID] = mapped_column(Uuid)
    terms: Mapped[Any] = mapped_column(TSVECTOR)


class ProductKey(Base):
    """Which product an ERP's id names: its primary key decides, not an index in ``public``."""

    __tablename__ = "product_keys"
    __table_args__ = (Index(None, "product_id"), {"schema": SCHEMA})

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    product_integration_id: Mapped[str] = mapped_column(Text, primary_key=True)
    product_id: Mapped[UUID] = mapped_column(Uuid)
