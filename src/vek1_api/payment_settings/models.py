"""The tables of payment settings: the front end's, and beside it our own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, UniqueConstraint, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.grants import OfStore
from vek1_api.core.db import SCHEMA, Base


class PaymentSettings(OfStore):
    """How a store is paid. The front end writes it too, with its secrets in the open."""

    __tablename__ = "store_payment_settings"
    __table_args__ = (UniqueConstraint("store_id"),)

    abacate_pay_api_key: Mapped[str | None] = mapped_column(Text)
    abacate_pay_dev_mode: Mapped[bool] = mapped_column(Boolean, server_default="false")
    abacate_pay_webhook_secret: Mapped[str | None] = mapped_column(Text)
    pix_enabled: Mapped[bool] = mapped_column(Boolean, server_default="false")
    pix_expires_in_minutes: Mapped[int] = mapped_column(Integer, server_default="60")
    cash_on_delivery_enabled: Mapped[bool] = mapped_column(Boolean, server_default="true")
    manual_pix_key: Mapped[str | None] = mapped_column(Text)
    manual_pix_recipient: Mapped[str | None] = mapped_column(Text)
    default_tax_id: Mapped[str | None] = mapped_column(Text)
    payment_instructions: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StorePayment(Base):
    """What the front end's table has no column for."""

    __tablename__ = "store_payment"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    manual_pix_key_type: Mapped[str | None] = mapped_column(Text)
    manual_pix_city: Mapped[str | None] = mapped_column(Text)
    previous_webhook_secrets: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default="[]"
    )
    webhook_registered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    webhook_error: Mapped[str | None] = mapped_column(Text)
