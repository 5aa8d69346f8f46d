"""The rows of stored objects, and the room that each store has used."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text, Uuid, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class ObjectState(StrEnum):
    """Where an object is in its life."""

    PENDING = "pending"
    """Room is reserved, the bytes are on their way; swept if it stays so."""
    KEPT = "kept"
    """A row of a domain refers to it."""
    DOOMED = "doomed"
    """Nothing refers to it any more; a job removes it from the bucket."""


class StoredObject(Base):
    """One object in the bucket."""

    __tablename__ = "stored_objects"
    __table_args__ = (Index(None, "state", "created_at"), {"schema": SCHEMA})

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    company_id: Mapped[str] = mapped_column(Text)
    store_id: Mapped[UUID | None] = mapped_column(Uuid)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class StoreStorage(Base):
    """The true count of a store's bytes; ``stores.used_size_bytes`` is an int4 and shows it."""

    __tablename__ = "store_storage"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    used_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
