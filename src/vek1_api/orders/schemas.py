"""Orders as callers see them; amounts are integer cents."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from vek1_api.core.brazil import PhoneNumber, PostalCode, State, TaxId
from vek1_api.core.inputs import Input, Instant, JsonObject, Name, Note, Question, Word
from vek1_api.core.pagination import Paging
from vek1_api.leads.schemas import Email
from vek1_api.orders.status import (
    Actor,
    AttemptState,
    AttemptStatus,
    EventType,
    OrderStatus,
    PaymentMethod,
    PaymentProvider,
    Source,
)

MAX_ITEMS = 200
LARGEST_CENTS = 2_147_483_647
LARGEST_QUANTITY = 1_000_000

Cents = Annotated[int, Field(strict=True, ge=0, le=LARGEST_CENTS, examples=[1500])]
Quantity = Annotated[int, Field(strict=True, ge=1, le=LARGEST_QUANTITY, examples=[2])]


class OrderItemCreate(Input):
    """A line: a product of the catalogue, or something with a name and a price."""

    product_id: UUID | None = Field(
        None, description="A product; its name and price are the catalogue's."
    )
    name: Name | None = Field(None, description="Of what is not in the catalogue.")
    price_cents: Cents | None = Field(
        None, description="Of what is not in the catalogue; a product has its own."
    )
    description: Note | None = None
    custom_props: JsonObject | None = None
    quantity: Quantity = 1

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        own = (self.name, self.price_cents, self.description, self.custom_props)
        if self.product_id is not None and any(each is not None for each in own):
            message = (
                "a product_id brings name, price and description from the catalogue: "
                "send product_id and quantity only"
            )
            raise ValueError(message)
        if self.product_id is None and (self.name is None or self.price_cents is None):
            message = "send a product_id, or a name and its price_cents"
            raise ValueError(message)
        return self


class ShippingAddress(Input):
    """Where an order goes."""

    recipient: Name | None = Field(None, examples=["Joana Ribeiro"])
    street_address: Name | None = Field(None, examples=["Rua da Bahia"])
    address_number: Word | None = Field(None, examples=["1148"])
    complement: Name | None = Field(None, examples=["apto 302"])
    neighborhood: Name | None = Field(None, examples=["Centro"])
    city: Name | None = Field(None, examples=["Belo Horizonte"])
    state: State | None = None
    postal_code: PostalCode | None = None
    reference: Note | None = Field(None, examples=["portão verde"])


Items = Annotated[list[OrderItemCreate], Field(min_length=1, max_length=MAX_ITEMS)]


class OrderFields(Input):
    """What every way of writing an order has in common."""

    lead_id: UUID | None = None
    agent_id: UUID | None = None
    shipping_cents: Cents = 0
    discount_cents: Cents = 0
    customer_name: Name | None = Field(None, examples=["Joana Ribeiro"])
    customer_phone: PhoneNumber | None = None
    customer_email: Email | None = None
    customer_tax_id: TaxId | None = Field(None, examples=["52998224725"])
    shipping_address: ShippingAddress | None = None
    notes: Note | None = Field(None, examples=["Entregar depois das 18h"])


class OrderCreate(OrderFields):
    """A new order. Of a lead it takes the name, phone and e-mail that are not sent."""

    items: Items
    source: Source = Source.AGENT


class OrderUpdate(OrderFields):
    """What to change; only what is sent changes, null clears.

    ``items`` replaces all lines. A product that is on the order already keeps its price.
    """

    items: Items = Field(default=[], min_length=1, max_length=MAX_ITEMS)


class Reason(Input):
    """Why."""

    reason: Note | None = Field(None, examples=["Cliente desistiu"])


class NoteCreate(Input):
    """Something to remember about an order."""

    text: Annotated[Note, Field(min_length=1, examples=["Ligar antes de entregar"])]


class OrderFilters(Paging):
    """Which orders to list."""

    status: OrderStatus | None = Field(None, description="Only with this status.")
    lead_id: UUID | None = Field(None, description="Only of this lead.")
    number: int | None = Field(None, ge=1, le=LARGEST_CENTS, description="This number.")
    created_from: Instant | None = Field(None, description="Created at or after.")
    created_to: Instant | None = Field(None, description="Created before.")
    q: Question | None = Field(
        None, description="A part of the customer's name, phone, e-mail or tax id."
    )


class OrderEventFilters(Paging):
    """Which events of an order to list."""

    type: EventType | None = Field(None, description="Only of this type.")


class PaymentRead(BaseModel):
    """How the customer pays, and what they need for it."""

    method: PaymentMethod
    provider: PaymentProvider | None
    status: AttemptState | None
    br_code: str | None = Field(description="PIX copia e cola.")
    qr_png_url: str | None
    qr_svg_url: str | None
    expires_at: datetime | None


class ProofRead(BaseModel):
    """The customer's proof of payment; the file itself is behind ``GET …/proof``."""

    received_at: datetime
    mime_type: str | None
    versions: int = Field(examples=[1])
    review: str | None = Field(description="`pending`, `accepted` or `rejected`.")


class OrderItemRead(BaseModel):
    """A line, as it was when it was written."""

    id: UUID
    product_id: UUID | None
    name: str = Field(examples=["Café Serra Azul 500 g"])
    description: str | None
    price_cents: int = Field(examples=[2990])
    quantity: int = Field(examples=[2])
    subtotal_cents: int = Field(examples=[5980])
    custom_props: Any | None


class OrderEventRead(BaseModel):
    """Something that happened to an order."""

    id: UUID
    type: EventType
    actor: Actor
    data: Any | None = Field(description="A `note` that is a step names it in `step`.")
    created_at: datetime


class PaymentAttemptRead(BaseModel):
    """An attempt to be paid: ``status`` in the seed's words, ``state`` exactly."""

    id: UUID
    provider: PaymentProvider
    external_id: str | None
    status: AttemptStatus
    state: AttemptState | None
    amount_cents: int = Field(examples=[7480])
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class OrderSummary(BaseModel):
    """An order without its items and history."""

    id: UUID
    store_id: UUID
    lead_id: UUID | None
    agent_id: UUID | None
    number: int = Field(examples=[1042])
    status: OrderStatus
    payment_method: PaymentMethod | None
    payment_provider: PaymentProvider | None
    payment_external_id: str | None
    payment_link_url: str | None
    payment: PaymentRead | None
    proof: ProofRead | None
    paid_at: datetime | None
    confirmed_at: datetime | None
    shipping_at: datetime | None
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    subtotal_cents: int = Field(examples=[5980])
    shipping_cents: int = Field(examples=[1500])
    discount_cents: int = Field(examples=[0])
    total_cents: int = Field(examples=[7480])
    currency: str = Field(examples=["BRL"])
    customer_name: str | None
    customer_phone: str | None
    customer_email: str | None
    customer_tax_id: str | None
    shipping_address: Any | None
    notes: str | None
    source: Source
    created_at: datetime
    updated_at: datetime


class OrderRead(OrderSummary):
    """An order with all that belongs to it."""

    items: list[OrderItemRead]
    events: list[OrderEventRead]
    payment_attempts: list[PaymentAttemptRead]


class OrderPage(BaseModel):
    """A page of orders, newest first."""

    items: list[OrderSummary]
    next_cursor: str | None


class OrderEventPage(BaseModel):
    """A page of an order's events, newest first."""

    items: list[OrderEventRead]
    next_cursor: str | None
