"""The agents' table."""

from datetime import datetime

from sqlalchemy import Boolean, Double, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore


class Agent(OfStore):
    """An agent of a store."""

    __tablename__ = "agents"

    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    spending_limit: Mapped[float | None] = mapped_column(Double)
    stripe_product_id: Mapped[str | None] = mapped_column(Text)
    evolution_instance_id: Mapped[str | None] = mapped_column(Text)
    system_prompt: Mapped[str | None] = mapped_column(Text)
    voice_tone: Mapped[str] = mapped_column(Text, server_default="balanced")
    website_enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    whatsapp_enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    whatsapp_phone_number: Mapped[str | None] = mapped_column(Text)
    rate_limit_per_hour: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
