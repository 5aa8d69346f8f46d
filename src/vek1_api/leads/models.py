"""The leads' tables: the front end's, and ours beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base

DIMENSIONS = 1024
_EMPTY_OBJECT = text("'{}'::jsonb")
_ZERO = text("0")


class Lead(OfStore):
    """A person who talks to a store on one channel."""

    __tablename__ = "leads"

    channel: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    phone_number: Mapped[str | None] = mapped_column(Text)
    phone_confirmed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    street_address: Mapped[str | None] = mapped_column(Text)
    address_number: Mapped[str | None] = mapped_column(Text)
    complement: Mapped[str | None] = mapped_column(Text)
    neighborhood: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    city: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    custom_attributes: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=_EMPTY_OBJECT
    )
    interests: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY_OBJECT)
    notes: Mapped[str | None] = mapped_column(Text)
    profile_summary: Mapped[str | None] = mapped_column(Text)
    profile_embedding: Mapped[Any | None] = mapped_column(VECTOR(DIMENSIONS))
    profile_updated_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(Text, server_default="new")
    total_messages: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    total_purchases: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    total_spent_cents: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    first_contact_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_contact_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LeadEvent(Base):
    """Something that happened to a lead."""

    __tablename__ = "lead_events"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    lead_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("leads.id"))
    agent_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("agents.id"))
    type: Mapped[str] = mapped_column(Text)
    data: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LeadIdentity(Base):
    """An id that a person is known by; its primary key decides who is one person."""

    __tablename__ = "lead_identity"
    __table_args__ = (Index(None, "lead_id"), {"schema": SCHEMA})

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    identity: Mapped[str] = mapped_column(Text, primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(Uuid)


class LeadContact(Base):
    """The id that a person wrote from last, as it came: answers go there."""

    __tablename__ = "lead_contact"
    __table_args__ = ({"schema": SCHEMA},)

    lead_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    reply_to: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class LeadMerge(Base):
    """A lead that was joined to another; its id goes on resolving."""

    __tablename__ = "lead_merges"
    __table_args__ = (Index(None, "into_id"), {"schema": SCHEMA})

    lead_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    into_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class LeadProfile(Base):
    """A version of what is remembered of a person, and the messages that it came from."""

    __tablename__ = "lead_profiles"
    __table_args__ = ({"schema": SCHEMA},)

    lead_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    profile_summary: Mapped[str] = mapped_column(Text)
    interests: Mapped[Any] = mapped_column(JSONB)
    preferences: Mapped[Any] = mapped_column(JSONB)
    custom_attributes: Mapped[Any] = mapped_column(JSONB)
    first_message_id: Mapped[UUID | None] = mapped_column(Uuid)
    last_message_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_user_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class LeadVector(Base):
    """The newest version of a person's profile as a vector of one model."""

    __tablename__ = "lead_vectors"
    __table_args__ = (Index(None, "store_id", "model_id"), {"schema": SCHEMA})

    lead_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(Integer)
    model_id: Mapped[int] = mapped_column(SmallInteger)
    embedding: Mapped[Any] = mapped_column(VECTOR(DIMENSIONS))


class ErasedIdentity(Base):
    """Somebody who was forgotten, as a salted digest."""

    __tablename__ = "erased_identity"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )
