"""Products as callers see them."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from vek1_api.core.inputs import (
    Input,
    Instant,
    JsonObject,
    LongText,
    Name,
    Question,
)
from vek1_api.core.money import Price
from vek1_api.core.pagination import Paging

LARGEST_STOCK = 1_000_000_000

Stock = Annotated[int, Field(strict=True, ge=0, le=LARGEST_STOCK, examples=[12])]
Props = Annotated[JsonObject, Field(examples=[{"torra": "média", "peso": "500 g"}])]


def _named_once(text: str) -> str:
    """Refuse an id that looks like another one and is not."""
    if not text.isprintable() or text != text.strip():
        message = "must be visible characters, with blanks only between them"
        raise ValueError(message)
    if not unicodedata.is_normalized("NFC", text):
        message = "must have its accents in the letters (Unicode NFC)"
        raise ValueError(message)
    return text


IntegrationId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    AfterValidator(_named_once),
    Field(
        description="Its id in the ERP or PDV: visible characters, blanks between them.",
        examples=["CAF-500G"],
    ),
]


class ProductFilters(Paging):
    """Which products to list."""

    q: Question | None = Field(
        None,
        description="Words of the name, description, properties or ERP's id, all of them; "
        "accents, plurals and a typing slip do not matter.",
        examples=["moedores eletricos"],
    )
    in_stock: bool | None = Field(None, description="Only what is in stock, or is not.")
    product_integration_id: IntegrationId | None = Field(
        None, description="The product with this id in the ERP."
    )
    updated_since: Instant | None = Field(None, description="Changed at or after this.")


class ProductFields(Input):
    """What every way of writing a product has in common."""

    description: LongText | None = Field(None, examples=["Notas de chocolate e caramelo."])
    custom_props: Props | None = None


class ProductUpdate(ProductFields):
    """What to change; only what is sent changes, null clears."""

    name: Name = Field("", examples=["Café Serra Azul 500 g"])
    price: Price = 0
    stock: Stock = 0
    product_integration_id: IntegrationId | None = None


class ProductCreate(ProductUpdate):
    """A new product."""

    name: Name = Field(examples=["Café Serra Azul 500 g"])
    price: Price


class ProductReplace(ProductFields):
    """A product as its ERP knows it; what is left out is cleared, but for the stock."""

    name: Name = Field(examples=["Café Serra Azul 500 g"])
    price: Price
    stock: Stock | None = Field(
        None, description="Left out, the stock stays as it is; a new product has none."
    )


class ProductRead(BaseModel):
    """A product."""

    id: UUID
    store_id: UUID
    name: str = Field(examples=["Café Serra Azul 500 g"])
    description: str | None = Field(examples=["Notas de chocolate e caramelo."])
    price: float = Field(description="Reais.", examples=[29.9])
    stock: int = Field(examples=[12])
    product_integration_id: str | None = Field(examples=["CAF-500G"])
    custom_props: dict[str, Any] | None = Field(examples=[{"torra": "média"}])
    created_at: datetime
    updated_at: datetime


class ProductPage(BaseModel):
    """A page of products, newest first."""

    items: list[ProductRead]
    next_cursor: str | None
