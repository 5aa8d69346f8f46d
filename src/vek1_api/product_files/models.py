"""The files' tables: the front end's, and ours of uploads that are on their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text, Uuid, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class ProductFile(Base):
    """A file of a product; ``filename`` is its key, ``file_type`` its media type."""

    __tablename__ = "product_files"

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    company_id: Mapped[str] = mapped_column(Text, ForeignKey("company_profiles.id"))
    product_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("products.id"))
    filename: Mapped[str] = mapped_column(Text)
    original_filename: Mapped[str] = mapped_column(Text)
    file_size: Mapped[int] = mapped_column(Integer)
    file_type: Mapped[str] = mapped_column(Text)
    file_url: Mapped[str] = mapped_column(Text)
    bucket_name: Mapped[str] = mapped_column(Text)
    content: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    upload_date: Mapped[datetime] = mapped_column(server_default=func.now())


class FileUpload(Base):
    """A file that a browser may put into the bucket by itself until ``expires_at``."""

    __tablename__ = "file_uploads"
    __table_args__ = (
        Index(None, "expires_at"),
        Index(None, "product_id"),
        {"schema": SCHEMA},
    )

    file_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    product_id: Mapped[UUID] = mapped_column(Uuid)
    object_key: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    mime_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
