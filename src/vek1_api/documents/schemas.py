"""Documents as callers see them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from vek1_api.core.inputs import Input, JsonObject, Name, Word, storable
from vek1_api.core.pagination import Paging
from vek1_api.documents.status import IndexStatus

MAX_CONTENT_CHARS = 2_000_000
MAX_WAIT_SECONDS = 30

Content = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_CONTENT_CHARS, pattern=r"\S"),
    AfterValidator(storable),
]
Tags = Annotated[list[Word], Field(max_length=50, examples=[["trocas", "garantia"]])]
Wait = Annotated[
    float,
    Field(
        ge=0, le=MAX_WAIT_SECONDS, description="Answer once it is indexed, or after this."
    ),
]


class DocumentFilters(Paging):
    """Which documents to list."""

    category: Word | None = Field(
        None, description="Only this category.", examples=["politicas"]
    )
    tag: Word | None = Field(None, description="Only documents that have this tag.")
    product_id: UUID | None = Field(None, description="Only documents about this product.")
    agent_id: UUID | None = Field(None, description="Only this agent's knowledge base.")
    index_status: IndexStatus | None = Field(None, description="Only with this status.")
    q: Word | None = Field(None, description="Words of the title or the file's name.")


class DocumentFields(Input):
    """What a text and a file have in common."""

    category: Word | None = Field(None, examples=["politicas"])
    tags: Tags | None = Field(None, examples=[["trocas", "garantia"]])
    metadata: JsonObject | None = None
    product_id: UUID | None = Field(None, description="The product that it is about.")


class DocumentCreate(DocumentFields):
    """A new text."""

    title: Name = Field(examples=["Política de trocas"])
    content: Content = Field(
        examples=["Você pode desistir da compra em até 7 dias após o recebimento."]
    )


class FileFields(DocumentFields):
    """What comes with a new file."""

    title: Name | None = Field(
        None, description="Unset: the file's name.", examples=["Manual do moedor"]
    )


class DocumentUpdate(DocumentFields):
    """What to change; a new `content` is indexed again."""

    title: Name = Field("", examples=["Política de trocas"])
    content: Content = Field("", examples=["Você pode desistir em até 7 dias."])


class IndexFailure(BaseModel):
    """Why a document does not answer."""

    code: str = Field(examples=["no_text"])
    message: str = Field(examples=["The file has no text that can be read."])


class DocumentSummary(BaseModel):
    """A document in a list: without its content."""

    id: UUID
    store_id: UUID
    product_id: UUID | None
    title: str = Field(examples=["Política de trocas"])
    file_name: str | None
    file_size: int | None
    mime_type: str | None
    category: str | None = Field(examples=["politicas"])
    tags: list[str] | None = Field(examples=[["trocas", "garantia"]])
    metadata: dict[str, Any] | None
    index_status: IndexStatus = Field(examples=[IndexStatus.READY])
    index_error: IndexFailure | None
    chunk_count: int = Field(examples=[1])
    page_count: int | None
    created_at: datetime
    updated_at: datetime


class DocumentRead(DocumentSummary):
    """A document."""

    content: str = Field(
        description="The text; of a file it is empty until it is extracted."
    )


class DocumentPage(BaseModel):
    """A page of documents, newest first."""

    items: list[DocumentSummary]
    next_cursor: str | None


class ChunkRead(BaseModel):
    """A passage as indexed: `content[start:end] == text`, counted in Unicode characters."""

    index: int = Field(examples=[0])
    text: str = Field(
        examples=["Você pode desistir da compra em até 7 dias após o recebimento."]
    )
    start: int = Field(examples=[0])
    end: int = Field(examples=[62])
    page: int | None


class ChunkPage(BaseModel):
    """A page of passages, in the order of the text."""

    items: list[ChunkRead]
    next_cursor: str | None


class FileLink(BaseModel):
    """A link to the original file; anyone who has it can read it until it expires."""

    url: str = Field(examples=["https://files.vek1.example/vek1/manual.pdf?signature=…"])
    expires_at: datetime = Field(examples=["2026-03-02T14:40:00Z"])


class KnowledgeBaseUpdate(Input):
    """What an agent knows from now on."""

    document_ids: list[UUID] = Field(max_length=10_000)
    whole_catalogue: StrictBool = Field(
        default=False, description="Also every document that is about a product."
    )


class KnowledgeBaseRead(BaseModel):
    """What an agent knows."""

    agent_id: UUID
    document_ids: list[UUID]
    whole_catalogue: bool = Field(examples=[False])
