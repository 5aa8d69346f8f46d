"""What a store does with people's data: our own table."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Uuid, func, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class StorePrivacy(Base):
    """How long a store keeps people's data, and the salt of those it has forgotten."""

    __tablename__ = "store_privacy"
    __table_args__ = ({"schema": SCHEMA},)

    store_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    messages_days: Mapped[int | None] = mapped_column(Integer)
    leads_days: Mapped[int | None] = mapped_column(Integer)
    salt: Mapped[bytes] = mapped_column(
        LargeBinary, server_default=text("uuid_send(gen_random_uuid())")
    )
    updated_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )
