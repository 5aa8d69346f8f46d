"""Agents as callers see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from vek1_api.core.inputs import Identifier, Input, LongText, Name, Note, Word
from vek1_api.core.pagination import Paging

Reais = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        le=10_000_000,
        allow_inf_nan=False,
        description="Reais per calendar month.",
    ),
]
PerHour = Annotated[
    int, Field(strict=True, ge=0, le=1_000_000, description="Replies per hour.")
]
PhoneNumber = Annotated[str, Field(pattern=r"^\+?[0-9]{8,15}$", examples=["5531900000000"])]


class AgentFilters(Paging):
    """Which agents to list."""

    active: bool | None = Field(None, description="Only agents that answer, or do not.")
    type: Word | None = Field(
        None, description="Only agents of this type.", examples=["sales"]
    )


class AgentUpdate(Input):
    """What to change; only what is sent changes, null clears."""

    name: Name = Field("", examples=["Lia"])
    type: Word = Field("", examples=["sales"])
    description: Note | None = None
    active: StrictBool = Field(default=False, examples=[True])
    spending_limit: Reais | None = Field(None, examples=[150.0])
    stripe_product_id: Identifier | None = None
    system_prompt: LongText | None = Field(
        None, examples=["Você é a Lia, atende com simpatia e responde só o que sabe."]
    )
    voice_tone: Word = Field("balanced", examples=["balanced"])
    website_enabled: StrictBool = True
    whatsapp_enabled: StrictBool = False
    whatsapp_phone_number: PhoneNumber | None = None
    rate_limit_per_hour: PerHour | None = Field(None, examples=[60])


class AgentCreate(AgentUpdate):
    """A new agent."""

    name: Name = Field(examples=["Lia"])
    type: Word = Field(examples=["sales"])


class AgentRead(BaseModel):
    """An agent."""

    id: UUID
    store_id: UUID
    name: str
    type: str
    description: str | None
    active: bool
    spending_limit: float | None
    stripe_product_id: str | None
    evolution_instance_id: str | None
    system_prompt: str | None
    voice_tone: str
    website_enabled: bool = Field(examples=[True])
    whatsapp_enabled: bool = Field(examples=[False])
    whatsapp_phone_number: str | None
    rate_limit_per_hour: int | None
    created_at: datetime
    updated_at: datetime


class AgentPage(BaseModel):
    """A page of agents, newest first."""

    items: list[AgentRead]
    next_cursor: str | None
