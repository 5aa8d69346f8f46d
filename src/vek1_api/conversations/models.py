"""The conversations' tables: the front end's, and ours beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class Message(Base):
    """Something that was said; ids that we give are in the order of arrival (UUIDv7)."""

    __tablename__ = "messages_history"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    user_id: Mapped[str] = mapped_column(Text)
    store_id: Mapped[UUID | None] = mapped_column(Uuid)
    agent_id: Mapped[UUID | None] = mapped_column(Uuid)
    lead_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("leads.id"))
    agent_type: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    meta: Mapped[Any | None] = mapped_column("metadata", JSONB)
    timestamp: Mapped[datetime] = mapped_column(server_default=func.now())


class MessageKey(Base):
    """A provider's message once, whatever the redelivery."""

    __tablename__ = "message_key"
    __table_args__ = (Index(None, "message_id"), {"schema": SCHEMA})

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    provider_message_id: Mapped[str] = mapped_column(Text, primary_key=True)
    message_id: Mapped[UUID] = mapped_column(Uuid)


class MessageTerms(Base):
    """What a message is found by."""

    __tablename__ = "message_terms"
    __table_args__ = (
        Index(None, "store_id"),
        Index(None, "terms", postgresql_using="gin"),
        {"schema": SCHEMA},
    )

    message_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    terms: Mapped[Any] = mapped_column(TSVECTOR)
