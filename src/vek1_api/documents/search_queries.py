"""The statement of search: the function in ``init/01-init.sql``, cited."""

from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    BigInteger,
    ColumnElement,
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
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from vek1_api.access.grants import STORES, OfStore, my_stores
from vek1_api.agents import service as agents
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import json_object
from vek1_api.documents.models import DIMENSIONS, Document, DocumentChunk
from vek1_api.products import service as products

_AGENT_ID = bindparam("agent_id", type_=Uuid)
_PRODUCT_ID = bindparam("product_id", type_=Uuid)


def _search() -> HotStatement:
    found = func.vek1_api.search_passages(
        STORES.c.id,
        bindparam("model_id", type_=SmallInteger),
        cast(bindparam("embedding", type_=Text), VECTOR(DIMENSIONS)),
        bindparam("query", type_=Text),
        _AGENT_ID,
        bindparam("category", type_=Text),
        bindparam("tags", type_=ARRAY(Text)),
        _PRODUCT_ID,
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
        .where(_is_none_or_its(agents.MODEL, _AGENT_ID))
        .where(_is_none_or_its(products.MODEL, _PRODUCT_ID))
        .order_by(
            hit.c.score.desc(), hit.c.similarity.desc().nulls_last(), hit.c.document_id
        )
    )


def _is_none_or_its(model: type[OfStore], row_id: ColumnElement[UUID]) -> Any:
    """Return the condition that a row belongs to the store, or that none is asked for."""
    its = select(model.id).where(model.id == row_id, model.store_id == STORES.c.id)
    return or_(row_id.is_(None), its.exists())


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
"""The best passages of a store within reach, as JSON, best first; none for a foreign filter."""
