"""The inbox's table, which is our own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Text, UniqueConstraint, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core.db import SCHEMA, Base


class InboxEntry(Base):
    """A webhook, once, however often it was delivered."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint(
            "source",
            "store_id",
            "event_key",
            name="webhook_inbox_source_store_id_event_key_key",
        ),
        {"schema": SCHEMA},
    )

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    source: Mapped[str] = mapped_column(Text)
    store_id: Mapped[UUID] = mapped_column(Uuid)
    event_key: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now()
    )
    deliveries: Mapped[int] = mapped_column(Integer, server_default="1")
    handled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    verdict: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    order_id: Mapped[UUID | None] = mapped_column(Uuid)
