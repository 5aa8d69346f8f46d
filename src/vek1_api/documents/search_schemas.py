"""Questions and cited answers as callers see them."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from vek1_api.core.inputs import Input, Word, storable
from vek1_api.documents.schemas import ChunkRead, Tags


class SearchMode(StrEnum):
    """What counts: meaning, words, or both."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


Question = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000, pattern=r"\S"),
    AfterValidator(storable),
]


class SearchQuery(Input):
    """A question, and where its answer may be looked for."""

    query: Question = Field(examples=["Em quantos dias posso devolver?"])
    agent_id: UUID | None = Field(None, description="Only this agent's knowledge base.")
    limit: int = Field(5, strict=True, ge=1, le=50, examples=[5])
    threshold: float | None = Field(
        None,
        strict=True,
        ge=-1,
        le=1,
        allow_inf_nan=False,
        description="Least cosine similarity.",
    )
    mode: SearchMode = SearchMode.HYBRID
    category: Word | None = None
    tags: Tags | None = Field(None, description="Documents that have all of these.")
    product_id: UUID | None = None


class SearchRank(BaseModel):
    """The place in each list, from 1; null where it is in none."""

    semantic: int | None = Field(examples=[1])
    keyword: int | None = Field(examples=[2])


class SearchHit(BaseModel):
    """A passage that answers, with where it stands."""

    document_id: UUID
    title: str = Field(examples=["Política de trocas"])
    chunk: ChunkRead
    score: float = Field(
        description="From 0 to 1: half by meaning, half by words, each relative to its best.",
        examples=[0.87],
    )
    similarity: float | None = Field(
        description="Cosine; null without a vector.", examples=[0.71]
    )
    rank: SearchRank


class SearchResult(BaseModel):
    """The best passages, best first."""

    items: list[SearchHit]
    mode: SearchMode
    model: str | None = Field(
        description="The embedding model; null for `keyword`.", examples=["bundled/muse-v3"]
    )
