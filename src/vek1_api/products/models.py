"""The products' table."""

from datetime import datetime
from typing import Any

from sqlalchemy import Double, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore


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
