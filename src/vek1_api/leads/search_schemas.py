"""Finding leads by what is remembered of them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from vek1_api.core.inputs import Input, Instant, Name, Word, storable
from vek1_api.leads.schemas import LeadRead
from vek1_api.leads.status import Channel


class LeadSearchQuery(Input):
    """What to look for among the profiles of a store's leads."""

    query: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2_000, pattern=r"\S"),
        AfterValidator(storable),
    ] = Field(examples=["perguntou de bolo de casamento"])
    limit: int = Field(10, strict=True, ge=1, le=50)
    status: Word | None = Field(None, description="Only with this status.")
    channel: Channel | None = Field(None, description="Only of this channel.")
    city: Name | None = Field(None, description="Only of this city; accents do not matter.")
    last_contact_from: Instant | None = Field(None, description="In contact at or after.")
    last_contact_to: Instant | None = Field(None, description="In contact before.")

    def filters(self) -> dict[str, str | datetime | None]:
        """Return the filters as the statement takes them."""
        return {
            "status": self.status,
            "channel": self.channel,
            "city": self.city,
            "last_contact_from": self.last_contact_from,
            "last_contact_to": self.last_contact_to,
        }


class LeadHit(BaseModel):
    """A lead, and how near its profile is to the question."""

    lead: LeadRead
    similarity: float = Field(description="Cosine, up to 1.", examples=[0.71])


class LeadSearchResult(BaseModel):
    """Leads by meaning, nearest first."""

    items: list[LeadHit]
    model: str = Field(examples=["multilingual-use-v3"])
