"""The audit log, and which company's trail an entry belongs to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class AuditEntry(Base):
    """One fact; a trigger refuses every update and delete."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    actor_user_id: Mapped[str | None] = mapped_column(Text)
    store_id: Mapped[UUID | None] = mapped_column(Uuid)
    action: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[str | None] = mapped_column(Text)
    ip: Mapped[str | None] = mapped_column(Text)
    ua: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    meta: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuditTrail(Base):
    """The entries of one company, in order: ``audit_log`` itself has no company."""

    __tablename__ = "audit_trail"
    __table_args__ = ({"schema": SCHEMA},)

    company_id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
