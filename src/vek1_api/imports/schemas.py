"""Imports as callers see them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from vek1_api.core.pagination import Paging
from vek1_api.core.problems import ProblemField
from vek1_api.imports.status import ImportStatus, RowStatus


class ImportFilters(Paging):
    """Which rows of an import to show."""

    status: RowStatus | None = Field(None, description="Only rows with this verdict.")


class ImportRowRead(BaseModel):
    """What became of a row."""

    row: int = Field(
        description="Its place in the file; 1 is the row after the header.", examples=[1]
    )
    status: RowStatus = Field(examples=["created"])
    product_id: UUID | None = Field(
        None,
        description="Unless there is no such product.",
        examples=["2b620636-c145-4b0f-8eca-4a6adb2061e6"],
    )
    lead_id: UUID | None = Field(
        None,
        description="Unless there is no such lead.",
        examples=["7c5b1c9e-8f3e-4a57-9d0b-3c1d5a0e2f44"],
    )
    errors: list[ProblemField] | None = Field(
        None, description="With `error`: everything that is wrong; pointers name columns."
    )


class ImportSummary(BaseModel):
    """How many rows have which verdict."""

    created: int = Field(examples=[1])
    updated: int = Field(examples=[0])
    unchanged: int = Field(examples=[0])
    error: int = Field(examples=[0])


class ImportResult(BaseModel):
    """An import that is done, row by row."""

    dry_run: bool = Field(examples=[False])
    rows: list[ImportRowRead]
    summary: ImportSummary


class ImportAccepted(BaseModel):
    """An import that a job works through; see `GET /v1/imports/{import_id}`."""

    import_id: UUID


class ImportRead(BaseModel):
    """An import that a job works through, with a page of its rows in the order of the file."""

    id: UUID
    store_id: UUID
    kind: Literal["products", "leads"]
    dry_run: bool = Field(examples=[False])
    status: ImportStatus = Field(examples=["done"])
    total_rows: int = Field(examples=[1])
    done_rows: int = Field(examples=[1])
    summary: ImportSummary
    created_at: datetime
    finished_at: datetime | None
    rows: list[ImportRowRead]
    next_cursor: str | None
