"""Companies as callers see them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Identifier, Input, JsonObject, Name, Slug, Word


class CompanyEnsure(Input):
    """Who has signed up."""

    user_id: Identifier = Field(examples=["usr_9f2c1d"])
    name: Name = Field(examples=["Torrefação Serra Azul"])
    email: Word | None = Field(None, examples=["dona@serra-azul.example"])
    slug: Slug | None = Field(
        None, examples=["serra-azul"], description="Made from the name."
    )


class CompanyUpdate(Input):
    """What to change."""

    name: Name = Field("", examples=["Torrefação Serra Azul"])
    slug: Slug = Field("", examples=["serra-azul"])
    settings: JsonObject | None = Field(
        None,
        examples=[{"orders": {"draft_ttl_minutes": 1440}}],
        description="Replaced whole.",
    )


class CompanyRead(BaseModel):
    """A company."""

    id: str = Field(examples=["usr_9f2c1d"])
    name: str
    slug: str
    logo_url: str | None
    bucket_name: str | None
    settings: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
