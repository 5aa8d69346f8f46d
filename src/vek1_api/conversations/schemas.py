"""Messages as callers see them."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    model_validator,
)
from typing_extensions import override

from vek1_api.conversations.status import Role
from vek1_api.core import clock
from vek1_api.core.inputs import Identifier, Input, Instant, JsonObject, Question, storable
from vek1_api.core.pagination import Paging
from vek1_api.leads.schemas import ExternalId
from vek1_api.leads.status import Channel

MAX_MESSAGES = 500
FIRST_YEAR = 2009
"""WhatsApp's first; a time before it is a mistake that would mark a lead for ever."""
CLOCKS_DIFFER_BY = timedelta(days=1)
MAX_CONTENT_CHARS = 65_536

Content = Annotated[
    str,
    StringConstraints(max_length=MAX_CONTENT_CHARS),
    AfterValidator(storable),
    Field(examples=["Vocês têm café em grãos?"]),
]


def _believable(at: datetime) -> datetime:
    if not at.year >= FIRST_YEAR or at > clock.now() + CLOCKS_DIFFER_BY:
        message = f"must be from {FIRST_YEAR} on, and not in the future"
        raise ValueError(message)
    return at


SaidAt = Annotated[Instant, AfterValidator(_believable)]


class MessageCreate(Input):
    """Something that was said, by or to a lead: `lead_id`, or `channel` and `external_id`."""

    lead_id: UUID | None = None
    channel: Channel | None = None
    external_id: ExternalId | None = None
    agent_id: UUID | None = None
    role: Role = Field(examples=[Role.USER])
    content: Content
    timestamp: SaidAt | None = Field(
        None, description="When it was said; unset: now.", examples=["2026-03-02T14:40:00Z"]
    )
    provider_message_id: Identifier | None = Field(
        None,
        description="The provider's id; a known one is answered with what it already is.",
        examples=["3EB0C767D097B7C7C030"],
    )
    metadata: JsonObject | None = None

    @model_validator(mode="after")
    def _names_one_lead(self) -> Self:
        by_contact = self.channel is not None and self.external_id is not None
        if (self.lead_id is None) != by_contact or (
            self.lead_id is not None and (self.channel or self.external_id)
        ):
            message = "name the lead by `lead_id`, or by `channel` and `external_id`"
            raise ValueError(message)
        return self


class Messages(Input):
    """Many messages, in the order in which they were said; all are written or none."""

    messages: list[MessageCreate] = Field(min_length=1, max_length=MAX_MESSAGES)


class MessageFilters(Paging):
    """Which messages to list."""

    role: Role | None = Field(None, description="Only by this side.")
    from_: Instant | None = Field(None, alias="from", description="Said at or after.")
    to: Instant | None = Field(None, description="Said before.")
    include_debug: bool = Field(
        default=False, description="Show what is for developers, too."
    )

    @override
    def filters(self) -> dict[str, Any]:
        """Return the filters that the caller set; which list it is, is none of them."""
        values = super().filters()
        del values["include_debug"]
        return values


class StoreMessageFilters(MessageFilters):
    """Which of a store's messages to list."""

    q: Question | None = Field(
        None,
        description="Words of what was said, all of them; accents and plurals do not matter.",
        examples=["bolo de casamento"],
    )
    lead_id: UUID | None = Field(None, description="Only of this lead.")
    agent_id: UUID | None = Field(None, description="Only with this agent.")


class MessageRead(BaseModel):
    """Something that was said."""

    id: UUID
    store_id: UUID | None
    lead_id: UUID | None
    agent_id: UUID | None
    user_id: str = Field(examples=["5531999998888"])
    agent_type: str = Field(examples=["sales"])
    role: Role
    content: str = Field(examples=["Vocês têm café em grãos?"])
    metadata: dict[str, Any] | None
    timestamp: datetime


class MessagePage(BaseModel):
    """A page of messages, newest first."""

    items: list[MessageRead]
    next_cursor: str | None


class AppendedMessages(BaseModel):
    """The messages as they are kept now, in the order in which they were sent."""

    items: list[MessageRead]
