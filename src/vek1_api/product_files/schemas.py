"""Files of products as callers see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from vek1_api.core.inputs import Input, storable
from vek1_api.product_files.status import FileStatus

FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)
]


class ProductFileSummary(BaseModel):
    """A file in a list: without its text."""

    id: UUID
    company_id: str = Field(examples=["usr_9f2c1d"])
    product_id: UUID
    filename: str = Field(
        description="The key in the bucket.",
        examples=["companies/usr_9f2c1d/products/p-1/1772461800000-5f0c.pdf"],
    )
    original_filename: str = Field(examples=["manual.pdf"])
    file_size: int = Field(description="Bytes as stored.", examples=[48_213])
    file_type: str = Field(description="Media type.", examples=["application/pdf"])
    file_url: str = Field(
        description="Anyone may open it.",
        examples=[
            "https://files.vek1.example/vek1/companies/usr_9f2c1d/products/p-1/5f0c.pdf"
        ],
    )
    bucket_name: str = Field(examples=["vek1"])
    status: FileStatus = Field(examples=[FileStatus.READY])
    upload_date: datetime


class ProductFileRead(ProductFileSummary):
    """A file of a product."""

    content: str | None = Field(
        description="Its text; none of a picture, and none until it is read.",
        examples=["Manual da cafeteira Aurora"],
    )


class ProductFilePage(BaseModel):
    """A page of files, newest first."""

    items: list[ProductFileSummary]
    next_cursor: str | None


class ProductUploadCreate(Input):
    """A file that a browser is going to put into the bucket by itself."""

    filename: FileName = Field(examples=["manual.pdf"])
    size: int = Field(
        ge=1, strict=True, description="Bytes; at most so many.", examples=[48_213]
    )
    mime_type: str = Field(
        max_length=255,
        description="What the browser will say that it is.",
        examples=["application/pdf"],
    )


class ProductUploadRead(BaseModel):
    """A form for the browser: post `fields` as multipart, and the file last as `file`."""

    file_id: UUID
    url: str = Field(examples=["https://files.vek1.example/vek1"])
    method: Literal["POST"] = Field(examples=["POST"])
    fields: dict[str, str] = Field(
        examples=[{"key": "companies/usr_9f2c1d/…", "Content-Type": "application/pdf"}]
    )
    expires_at: datetime
