"""Periods and what they would remove, as callers see them."""

from typing import Annotated

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Input

SHORTEST_DAYS = 30
LONGEST_DAYS = 3650

_Days = Annotated[int, Field(strict=True, ge=SHORTEST_DAYS, le=LONGEST_DAYS)]
_MessagesDays = Annotated[
    _Days | None,
    Field(
        description="Days after which what was said is deleted; null: never.",
        examples=[365],
    ),
]
_LeadsDays = Annotated[
    _Days | None,
    Field(
        description="Days without contact after which a person is erased; null: never.",
        examples=[730],
    ),
]


class PrivacyReplace(Input):
    """How long a store keeps people's data; both are said each time."""

    messages_days: _MessagesDays
    leads_days: _LeadsDays


class PrivacyRead(BaseModel):
    """How long a store keeps people's data."""

    messages_days: _MessagesDays
    leads_days: _LeadsDays


class RetentionResult(BaseModel):
    """What is older than the store's periods now."""

    messages: int = Field(description="Messages to delete.", examples=[1280])
    leads: int = Field(description="People to erase.", examples=[42])
