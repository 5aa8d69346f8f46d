"""The audit trail as callers see it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Identifier, Input, Instant, JsonObject, Note, Word
from vek1_api.core.pagination import Paging


class AuditFilters(Paging):
    """Which entries to list."""

    action: Word | None = Field(
        None, description="Only this action.", examples=["store.created"]
    )
    target_type: Word | None = Field(
        None, description="Only what happened to this kind of thing.", examples=["store"]
    )
    target_id: Identifier | None = Field(
        None, description="Only what happened to the thing with this id."
    )
    store_id: UUID | None = Field(None, description="Only what happened in this store.")
    from_: Instant | None = Field(
        None, alias="from", description="At or after this moment."
    )
    to: Instant | None = Field(None, description="Before this moment.")


class AuditEventCreate(Input):
    """Something that happened in the front end, such as a login."""

    actor_user_id: Identifier = Field(examples=["usr_9f2c1d"])
    action: Word = Field(examples=["login"])
    target_type: Word = Field(examples=["session"])
    target_id: Identifier | None = None
    ip: Word | None = Field(None, examples=["203.0.113.7"])
    ua: Note | None = None
    meta: JsonObject | None = None


class AuditEntryRead(BaseModel):
    """One fact of the trail."""

    id: UUID
    actor_user_id: str | None = Field(examples=["usr_9f2c1d"])
    store_id: UUID | None
    action: str = Field(examples=["agent.updated"])
    target_type: str = Field(examples=["agent"])
    target_id: str | None
    ip: str | None
    ua: str | None
    request_id: str | None
    meta: dict[str, Any] | None
    at: datetime


class AuditPage(BaseModel):
    """A page of the trail, newest first."""

    items: list[AuditEntryRead]
    next_cursor: str | None
