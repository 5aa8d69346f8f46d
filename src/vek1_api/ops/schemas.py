"""Health as callers see it."""

from typing import Literal

from pydantic import BaseModel, Field


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Part(BaseModel):
    """One thing that the service needs."""

    status: Literal["ok", "degraded", "failed"]
    detail: str | None = Field(description="What is wrong, and what to do.")


class Ready(BaseModel):
    """Whether requests can be served; `degraded` means yes, but somebody should look."""

    status: Literal["ok", "degraded", "failed"] = Field(examples=["degraded"])
    parts: dict[str, Part] = Field(
        examples=[
            {
                "queue": {
                    "status": "degraded",
                    "detail": "2 jobs failed for good and are held; see /ops/jobs.",
                }
            }
        ]
    )
