"""The documents' tables: the front end's, and ours beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base

DIMENSIONS = 1024


class Document(OfStore):
    """A text that a store knows; ``embedding`` is the document as a whole (decisions)."""

    __tablename__ = "documents"

    product_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("products.id", ondelete="SET NULL")
    )
    title: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str | None] = mapped_column(Text)
    file_size: Mapped[int | None] = mapped_column(Integer)
    mime_type: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    embedding: Mapped[Any | None] = mapped_column(VECTOR(DIMENSIONS))
    meta: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AgentDocument(Base):
    """A document in an agent's knowledge base."""

    __tablename__ = "agent_knowledge_base"
    __table_args__ = (
        PrimaryKeyConstraint(
            "agent_id", "document_id", name="agent_knowledge_base_agent_id_document_id_pk"
        ),
    )

    agent_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("agents.id"))
    document_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("documents.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AgentKnowledge(Base):
    """What an agent knows besides its documents."""

    __tablename__ = "agent_knowledge"
    __table_args__ = ({"schema": SCHEMA},)

    agent_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    whole_catalogue: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class EmbeddingModel(Base):
    """A model that vectors were made with; those of two models are never compared."""

    __tablename__ = "embedding_models"
    __table_args__ = ({"schema": SCHEMA},)

    id: Mapped[int] = mapped_column(SmallInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    dimensions: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class DocumentIndex(Base):
    """How far a document's indexing is; ``revision`` counts the changes of its content."""

    __tablename__ = "document_index"
    __table_args__ = (Index(None, "store_id", "status"), {"schema": SCHEMA})

    document_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[str] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer, server_default="1")
    chunk_count: Mapped[int] = mapped_column(Integer, server_default="0")
    page_count: Mapped[int | None] = mapped_column(Integer)
    pages: Mapped[list[list[int]] | None] = mapped_column(JSONB)
    """Number, start and end of each page of the extracted text."""
    model_id: Mapped[int | None] = mapped_column(SmallInteger)
    object_key: Mapped[str | None] = mapped_column(Text)
    counted_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """What it takes of its store's quota; zero for what the front end wrote itself."""
    updated_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )


class DocumentChunk(Base):
    """A passage: ``content[start:end] == text``, in characters."""

    __tablename__ = "document_chunks"
    __table_args__ = (
        Index(None, "store_id"),
        Index(None, "terms", postgresql_using="gin"),
        {"schema": SCHEMA},
    )

    document_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    index: Mapped[int] = mapped_column(Integer, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    text: Mapped[str] = mapped_column(Text)
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)
    page: Mapped[int | None] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """Of what is embedded: the passage with its context."""
    terms: Mapped[Any] = mapped_column(TSVECTOR)


class ChunkVector(Base):
    """A passage's vector of one model."""

    __tablename__ = "chunk_vectors"
    __table_args__ = (
        Index(None, "store_id", "model_id"),
        {"schema": SCHEMA},
    )

    document_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    index: Mapped[int] = mapped_column(Integer, primary_key=True)
    model_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    embedding: Mapped[Any] = mapped_column(VECTOR(DIMENSIONS))
