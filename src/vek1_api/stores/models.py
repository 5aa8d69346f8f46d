"""The stores' tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, Text, Uuid, func
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class Store(Base):
    """A store: a catalogue, a knowledge base and a quota."""

    __tablename__ = "stores"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    company_id: Mapped[str] = mapped_column(
        Text, ForeignKey("company_profiles.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    allocated_size_gb: Mapped[int] = mapped_column(Integer, server_default="1")
    used_size_bytes: Mapped[int] = mapped_column(Integer, server_default="0")
    embedding_dimension: Mapped[int] = mapped_column(Integer, server_default="1024")
    similarity_function: Mapped[str] = mapped_column(Text, server_default="cosine")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StoreSlug(Base):
    """Which store of a company has a slug; freed when the store is deleted."""

    __tablename__ = "store_slugs"
    __table_args__ = ({"schema": SCHEMA},)

    company_id: Mapped[str] = mapped_column(Text, primary_key=True)
    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
