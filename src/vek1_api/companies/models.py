"""The companies' tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class Company(Base):
    """The root of a tenant; its id is Better Auth's ``user.id`` (seed)."""

    __tablename__ = "company_profiles"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    logo_url: Mapped[str | None] = mapped_column(Text)
    bucket_name: Mapped[str | None] = mapped_column(Text)
    settings: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CompanySlug(Base):
    """Who owns a slug; decides its uniqueness, whatever a push does to ``public``."""

    __tablename__ = "company_slugs"
    __table_args__ = ({"schema": SCHEMA},)

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    company_id: Mapped[str] = mapped_column(Text)
