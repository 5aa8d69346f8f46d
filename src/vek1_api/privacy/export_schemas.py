"""Everything that is held about a person, as they may take it with them (LGPD, art. 18, V)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.conversations.schemas import MessageRead
from vek1_api.leads.schemas import LeadEventRead, LeadRead, ProfileVersion


class ExportedIdentity(BaseModel):
    """An id that the person is known by."""

    channel: str = Field(examples=["whatsapp"])
    identity: str = Field(examples=["5531999998888"])


class ExportedItem(BaseModel):
    """A line of an order."""

    id: UUID
    product_id: UUID | None
    name: str = Field(examples=["Café Serra Azul 500 g"])
    description: str | None
    price_cents: int = Field(examples=[2990])
    quantity: int = Field(examples=[2])
    subtotal_cents: int = Field(examples=[5980])
    custom_props: Any = Field(examples=[{"moagem": "espresso"}])
    created_at: datetime


class ExportedOrderEvent(BaseModel):
    """Something that happened to an order."""

    id: UUID
    type: str = Field(examples=["created"])
    actor: str = Field(examples=["agent"])
    data: Any = Field(examples=[None])
    created_at: datetime


class ExportedPayment(BaseModel):
    """An attempt to pay."""

    id: UUID
    provider: str = Field(examples=["manual"])
    external_id: str | None
    status: str = Field(examples=["paid"])
    amount_cents: int = Field(examples=[5980])
    payload: Any = Field(examples=[None])
    created_at: datetime
    updated_at: datetime


class ExportedProof(BaseModel):
    """A proof of payment that came for an order, and what was read in it."""

    version: int = Field(examples=[1])
    received_at: datetime
    source: str = Field(examples=["whatsapp"])
    filename: str = Field(examples=["comprovante.pdf"])
    mime_type: str = Field(examples=["application/pdf"])
    size_bytes: int = Field(examples=[48213])
    file: str = Field(
        description="The `name` in `files`, where its link is.",
        examples=["1772461800000-4f1c0a2b9d8e4c7fa1b2c3d4e5f60718.pdf"],
    )
    content: str | None = Field(examples=["Comprovante de transferência"])
    review: str = Field(examples=["accepted"])
    reason: str | None
    reviewed_at: datetime | None


class OrderRow(BaseModel):
    """An order as it is kept, with all that it says about the customer and the payment."""

    id: UUID
    agent_id: UUID | None
    number: int = Field(examples=[17])
    status: str = Field(examples=["confirmed"])
    payment_method: str | None = Field(examples=["pix_manual"])
    payment_provider: str | None = Field(examples=["manual"])
    payment_external_id: str | None
    payment_br_code: str | None
    payment_br_code_image: str | None
    payment_link_url: str | None
    payment_expires_at: datetime | None
    paid_at: datetime | None
    proof_mime_type: str | None
    proof_received_at: datetime | None
    proof_external_id: str | None
    shipping_at: datetime | None
    confirmed_at: datetime | None
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    subtotal_cents: int = Field(examples=[5980])
    shipping_cents: int = Field(examples=[0])
    discount_cents: int = Field(examples=[0])
    total_cents: int = Field(examples=[5980])
    currency: str = Field(examples=["BRL"])
    customer_name: str | None
    customer_phone: str | None
    customer_email: str | None
    customer_tax_id: str | None
    shipping_address: Any = Field(examples=[None])
    notes: str | None
    source: str = Field(examples=["agent"])
    created_at: datetime
    updated_at: datetime


class ExportedOrder(OrderRow):
    """An order with its lines, its history, its payments and the proofs of them."""

    items: list[ExportedItem]
    events: list[ExportedOrderEvent]
    payment_attempts: list[ExportedPayment]
    proofs: list[ExportedProof]


class ExportedFile(BaseModel):
    """A file that the person sent, or one about them."""

    name: str = Field(examples=["1772461800000-4f1c0a2b9d8e4c7fa1b2c3d4e5f60718.jpg"])
    url: str = Field(
        description="Opens without a credential until it expires.",
        examples=["https://s3.exemplo.com.br/vek1/companies/…?X-Amz-Signature=…"],
    )
    expires_at: datetime


class ExportedEntry(BaseModel):
    """What the audit log has about the person: what was done, when, by whom."""

    action: str = Field(examples=["lead.updated"])
    at: datetime
    actor_user_id: str | None


class LeadExportResult(BaseModel):
    """Everything that is held about a person; lists are newest first."""

    format: str = Field(examples=["vek1.lead"])
    version: int = Field(examples=[1])
    generated_at: datetime
    lead: LeadRead
    identities: list[ExportedIdentity]
    reply_to: str | None = Field(
        description="The id that they wrote from last.",
        examples=["553199998888@s.whatsapp.net"],
    )
    merged_lead_ids: list[UUID] = Field(description="Leads that were joined to this one.")
    profile_versions: list[ProfileVersion]
    events: list[LeadEventRead]
    orders: list[ExportedOrder]
    files: list[ExportedFile]
    audit: list[ExportedEntry]
    messages: list[MessageRead]
    unlinked_messages: list[MessageRead] = Field(
        description="From one of the person's ids, without being tied to the lead."
    )
