"""Leads as callers see them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from vek1_api.core.brazil import PhoneNumber, PostalCode, State, tax_id
from vek1_api.core.inputs import (
    Input,
    Instant,
    JsonObject,
    LongText,
    Name,
    Note,
    Word,
    storable,
)
from vek1_api.core.pagination import Paging
from vek1_api.leads.status import Channel

MAX_ALIASES = 10
_TAX_IDS = ("tax_id", "cpf", "cnpj")

ExternalId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"\S"),
    AfterValidator(storable),
    Field(
        description="WhatsApp: a phone in any spelling, or a JID as it came. Website: the "
        "user's or the session's id.",
        examples=["5531999998888"],
    ),
]
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, strip_whitespace=True, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
    ),
    AfterValidator(storable),
    Field(examples=["joana@exemplo.com.br"]),
]
Status = Annotated[Word, Field(examples=["qualified"])]


def _with_tax_ids(attributes: dict[str, Any]) -> dict[str, Any]:
    """Check the tax ids among a person's attributes, and take their masks off."""
    known = {
        name: tax_id(str(attributes[name]))
        for name in _TAX_IDS
        if attributes.get(name) is not None
    }
    return attributes | known


Attributes = Annotated[
    JsonObject,
    AfterValidator(_with_tax_ids),
    Field(
        description="JSON merge patch: what is sent is merged, null removes. `tax_id`, "
        "`cpf` and `cnpj` are checked.",
        examples=[{"aniversario": "1990-05-12"}],
    ),
]
Preferences = Annotated[
    JsonObject,
    Field(
        description="JSON merge patch: what is sent is merged, null removes.",
        examples=[{"entrega": "motoboy"}],
    ),
]
Interests = Annotated[
    list[Word], Field(max_length=100, examples=[["espresso", "bolo de casamento"]])
]


class LeadFilters(Paging):
    """Which leads to list."""

    status: Word | None = Field(None, description="Only with this status.")
    channel: Channel | None = Field(None, description="Only of this channel.")
    city: Word | None = Field(None, description="Only of this city; accents do not matter.")
    q: Word | None = Field(
        None, description="A part of the name, e-mail, phone or id.", examples=["joana"]
    )
    last_contact_from: Instant | None = Field(None, description="In contact at or after.")
    last_contact_to: Instant | None = Field(None, description="In contact before.")


class LeadUpdate(Input):
    """What to change; only what is sent changes, null clears."""

    name: Name | None = Field(None, examples=["Joana Ribeiro"])
    email: Email | None = None
    phone_number: PhoneNumber | None = None
    phone_confirmed: StrictBool = False
    street_address: Name | None = Field(None, examples=["Rua da Bahia"])
    address_number: Word | None = Field(None, examples=["1148"])
    complement: Name | None = Field(None, examples=["apto 302"])
    neighborhood: Name | None = Field(None, examples=["Centro"])
    postal_code: PostalCode | None = None
    city: Name | None = Field(None, examples=["Belo Horizonte"])
    state: State | None = None
    custom_attributes: Attributes | None = None
    interests: Interests | None = None
    preferences: Preferences | None = None
    notes: Note | None = None
    status: Status = "new"


class LeadUpsert(LeadUpdate):
    """A person who came in touch; what is sent is written, the rest stays."""

    channel: Channel
    external_id: ExternalId
    aliases: list[ExternalId] = Field(
        default=[],
        max_length=MAX_ALIASES,
        description="Other ids of the same person, such as the anonymous session that a "
        "signed-in visitor had: what that lead said becomes part of this one.",
        examples=[["anon-7c1b"]],
    )


class LeadMergeRequest(Input):
    """Which lead to join to the one of the path."""

    lead_id: UUID = Field(description="The lead that goes; its id resolves to the other.")


class LeadRead(BaseModel):
    """A person who talks to a store on one channel."""

    id: UUID
    store_id: UUID
    channel: Channel = Field(examples=[Channel.WHATSAPP])
    external_id: str = Field(examples=["5531999998888"])
    name: str | None = Field(examples=["Joana Ribeiro"])
    email: str | None
    phone_number: str | None
    phone_confirmed: bool = Field(examples=[False])
    street_address: str | None
    address_number: str | None
    complement: str | None
    neighborhood: str | None
    postal_code: str | None
    city: str | None = Field(examples=["Belo Horizonte"])
    state: str | None = Field(examples=["MG"])
    custom_attributes: dict[str, Any]
    interests: list[Any]
    preferences: dict[str, Any]
    notes: str | None
    profile_summary: str | None
    profile_updated_at: datetime | None
    status: str = Field(examples=["new"])
    total_messages: int = Field(examples=[4])
    total_purchases: int = Field(examples=[1])
    total_spent_cents: int = Field(examples=[5990])
    first_contact_at: datetime
    last_contact_at: datetime
    created_at: datetime
    updated_at: datetime


class LeadPage(BaseModel):
    """A page of leads, newest first."""

    items: list[LeadRead]
    next_cursor: str | None


class LeadEventCreate(Input):
    """Something that happened to a lead."""

    type: Word = Field(examples=["visit"])
    agent_id: UUID | None = None
    data: JsonObject | None = Field(None, examples=[{"pagina": "/cafes"}])


class LeadEventFilters(Paging):
    """Which events to list."""

    type: Word | None = Field(None, description="Only of this type.")


class LeadEventRead(BaseModel):
    """Something that happened to a lead."""

    id: UUID
    lead_id: UUID
    agent_id: UUID | None
    type: str = Field(examples=["status_changed"])
    data: Any = Field(examples=[{"from": "new", "to": "qualified"}])
    created_at: datetime


class LeadEventPage(BaseModel):
    """A page of events, newest first."""

    items: list[LeadEventRead]
    next_cursor: str | None


class ProfileUpdate(Input):
    """What an agent remembers of a person; the version before is kept."""

    profile_summary: Annotated[
        LongText, Field(min_length=1, pattern=r"\S", max_length=20_000)
    ] = Field(examples=["Perguntou de bolo de casamento para 80 pessoas em maio."])
    interests: Interests | None = None
    preferences: Preferences | None = None
    custom_attributes: Attributes | None = None
    first_message_id: UUID | None = Field(
        None, description="The first message that this was made from."
    )
    last_message_id: UUID | None = Field(
        None, description="The last message that this was made from."
    )


class ProfileVersion(BaseModel):
    """A version of what is remembered of a person."""

    version: int = Field(examples=[3])
    profile_summary: str = Field(examples=["Perguntou de bolo de casamento."])
    interests: list[Any] = Field(examples=[["bolo de casamento"]])
    preferences: dict[str, Any] = Field(examples=[{"entrega": "motoboy"}])
    custom_attributes: dict[str, Any] = Field(examples=[{"aniversario": "1990-05-12"}])
    first_message_id: UUID | None
    last_message_id: UUID | None
    created_at: datetime


class ProfilePage(BaseModel):
    """A page of versions, newest first."""

    items: list[ProfileVersion]
    next_cursor: str | None
