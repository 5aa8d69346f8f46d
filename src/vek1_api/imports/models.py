"""The imports' tables: all of them ours."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base

_MOMENT = TIMESTAMP(timezone=True)


class Import(Base):
    """A file whose rows a job works through."""

    __tablename__ = "imports"
    __table_args__ = (
        Index(None, "created_at"),
        Index(None, "store_id"),
        {"schema": SCHEMA},
    )

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    store_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(Text)
    dry_run: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(Text)
    actor_user_id: Mapped[str | None] = mapped_column(Text)
    total_rows: Mapped[int] = mapped_column(Integer)
    done_rows: Mapped[int] = mapped_column(Integer, server_default="0")
    summary: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    """How many rows have which verdict."""
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class ImportRow(Base):
    """A row of the file: what it says until it is done, and what became of it."""

    __tablename__ = "import_rows"
    __table_args__ = ({"schema": SCHEMA},)

    import_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    status: Mapped[str | None] = mapped_column(Text)
    target_id: Mapped[UUID | None] = mapped_column(Uuid)
    errors: Mapped[list[Any] | None] = mapped_column(JSONB)
