"""How a store and its ERP are connected, as callers see it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from vek1_api.core.inputs import Input
from vek1_api.core.outbound.targets import MAX_URL_LENGTH
from vek1_api.stock.outbound_status import DisabledReason, Which

DAY_HOURS = 24
LONGEST_OVERLAP_HOURS = 168
DEFAULT_HOLD_PERCENT = 50
DEFAULT_HOLD_PRODUCTS = 10

_Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL_LENGTH, pattern=r"^[!-~]+$"),
]
_OutboundUrl = Annotated[
    _Url | None,
    Field(
        description="Where the ERP takes messages: `https`, a public address, no redirects.",
        examples=["https://erp.example.com/vek1/stock"],
    ),
]
_Sends = Annotated[
    bool, Field(description="Whether changes of stock are sent to it.", examples=[True])
]
_Takes = Annotated[
    bool, Field(description="Whether the ERP may send stock to us.", examples=[True])
]
_HoldPercent = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=100,
        description="A batch that would change or sell out more than this share of the "
        "catalogue is held until it is sent with `force`.",
        examples=[DEFAULT_HOLD_PERCENT],
    ),
]
_HoldProducts = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=1_000_000,
        description="Batches that would change fewer products are never held.",
        examples=[DEFAULT_HOLD_PRODUCTS],
    ),
]
_LastFour = Annotated[
    str | None, Field(description="Its last four characters.", examples=["uW8="])
]
_OldUntil = Annotated[
    datetime | None, Field(description="Until when the secret before it is good, too.")
]


class StockSyncReplace(Input):
    """How a store and its ERP are connected; what is left out has its default."""

    outbound_url: _OutboundUrl
    outbound_enabled: _Sends
    inbound_enabled: _Takes
    hold_above_percent: _HoldPercent = DEFAULT_HOLD_PERCENT
    hold_from_products: _HoldProducts = DEFAULT_HOLD_PRODUCTS


class OutboundDisabled(BaseModel):
    """Why nothing is sent any more, although it was switched on."""

    reason: DisabledReason = Field(
        description="`gone`: the ERP answered 410. `failing`: nothing got through for days.",
        examples=["failing"],
    )
    at: datetime


class StockSyncRead(BaseModel):
    """How a store and its ERP are connected. Secrets are never shown again."""

    outbound_url: _OutboundUrl
    outbound_enabled: _Sends
    outbound_secret_set: bool = Field(examples=[True])
    outbound_secret_last_four: _LastFour
    outbound_old_secret_until: _OldUntil
    outbound_failing_since: datetime | None = Field(
        description="Since when no message has got through; null: they do."
    )
    outbound_disabled: OutboundDisabled | None
    inbound_url: str = Field(
        description="Where the ERP sends stock to.",
        examples=["https://api.example.com/erp/v1/stores/…/stock"],
    )
    inbound_enabled: _Takes
    inbound_secret_set: bool = Field(examples=[True])
    inbound_secret_last_four: _LastFour
    inbound_old_secret_until: _OldUntil
    hold_above_percent: _HoldPercent
    hold_from_products: _HoldProducts


class StockSyncSaved(StockSyncRead):
    """The connection, and the secrets that were made because it had none: shown this once."""

    outbound_secret: str | None = Field(
        description="Signs what we send.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    inbound_secret: str | None = Field(
        description="Proves who sends to us.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class SecretRotate(Input):
    """Which secret to replace, and how long the old one stays good."""

    which: Which = Field(examples=["outbound"])
    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=LONGEST_OVERLAP_HOURS)] = (
        Field(
            DAY_HOURS,
            description="Hours for which the old one stays good; 0 if it got into other hands.",
        )
    )


class SecretResult(BaseModel):
    """A new secret, shown this once."""

    which: Which
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    old_secret_until: _OldUntil


class StockTestResult(BaseModel):
    """What came of a test message."""

    is_delivered: bool = Field(examples=[True])
    status: int | None = Field(description="Of its answer.", examples=[200])
    error: str | None = Field(
        description="As in the attempts of a delivery; null where all went well.",
        examples=[None],
    )
    duration_ms: int = Field(examples=[84])
