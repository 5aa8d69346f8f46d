"""The statement of search: the function in ``init/01-init.sql``, cited."""

from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import json_object
from vek1_api.documents.models import DIMENSIONS, Document, DocumentChunk


def _search() -> HotStatement:
    found = func.vek1_api.search_passages(
        STORES.c.id,
        bindparam("model_id", type_=SmallInteger),
        cast(bindparam("embedding", type_=Text), VECTOR(DIMENSIONS)),
        bindparam("query", type_=Text),
        bindparam("agent_id", type_=Uuid),
        bindparam("category", type_=Text),
        bindparam("tags", type_=ARRAY(Text)),
        bindparam("product_id", type_=Uuid),
        bindparam("row_limit", type_=Integer),
        bindparam("threshold", type_=Double),
    ).table_valued(
        column("document_id", Uuid),
        column("passage", Integer),
        column("similarity", Double),
        column("semantic_rank", BigInteger),
        column("keyword_rank", BigInteger),
        column("score", Double),
    )
    hit = found.lateral("hit")
    is_its_chunk = and_(
        DocumentChunk.document_id == hit.c.document_id, DocumentChunk.index == hit.c.passage
    )
    return HotStatement(
        my_stores(bindparam("store_id", type_=Uuid))
        .with_only_columns(_cited(hit.c))
        .select_from(STORES)
        .join(hit, true())
        .join(DocumentChunk, is_its_chunk)
        .join(Document, Document.id == hit.c.document_id)
        .order_by(
            hit.c.score.desc(), hit.c.similarity.desc().nulls_last(), hit.c.document_id
        )
    )


def _cited(hit: Any) -> Any:
    chunk = {
        name: getattr(DocumentChunk, name)
        for name in ("index", "text", "start", "end", "page")
    }
    return json_object(
        {
            "document_id": hit.document_id,
            "title": Document.title,
            "chunk": func.json_build_object(
                *(part for pair in chunk.items() for part in pair)
            ),
            "score": hit.score,
            "similarity": hit.similarity,
            "rank": func.json_build_object(
                "semantic", hit.semantic_rank, "keyword", hit.keyword_rank
            ),
        }
    )


SEARCH = _search()
"""The best passages of a store within reach, as JSON, best first."""
