"""Finding the passages that answer a question, within one store and what narrows it."""

from uuid import UUID

import orjson

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.embedding import BlankTextError
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, reading, search_queries
from vek1_api.documents.errors import ThresholdNeedsVectorsError
from vek1_api.documents.search_schemas import SearchMode, SearchQuery
from vek1_api.documents.vector_queries import vector_text


async def search(
    resources: Resources, access: Access, store_id: UUID, wanted: SearchQuery
) -> bytes:
    """Return the best passages as JSON, best first.

    The question is embedded before a connection is taken. As many as ``limit`` come back
    whenever so many are permitted, but in ``keyword`` mode, where a passage must have a word
    of the question. Raises ``ForeignReferenceError`` for a foreign agent or product.
    """
    if wanted.mode is SearchMode.KEYWORD and wanted.threshold is not None:
        raise ThresholdNeedsVectorsError
    embedding = (
        None if wanted.mode is SearchMode.KEYWORD else await _embed(resources, wanted)
    )
    async with resources.database.driver() as driver:
        rows = await search_queries.SEARCH.rows(
            driver,
            store_id=store_id,
            model_id=await indexing.current_model_id(resources, driver),
            embedding=embedding,
            query=None if wanted.mode is SearchMode.SEMANTIC else wanted.query,
            agent_id=wanted.agent_id,
            category=wanted.category,
            tags=wanted.tags or None,
            product_id=wanted.product_id,
            row_limit=wanted.limit,
            threshold=wanted.threshold,
            **access.owner,
        )
    if not rows:
        await _assert_reach(resources.database, access, store_id, wanted)
    return _result(resources, wanted, [row["body"] for row in rows])


async def as_answer(found: bytes) -> Answer:
    """Return a result as an answer to be recorded under an ``Idempotency-Key``."""
    return Answer(200, found.decode(), has_etag=False)


async def _assert_reach(
    database: Database, access: Access, store_id: UUID, wanted: SearchQuery
) -> None:
    """Raise if nothing was found because the store, the agent or the product is foreign."""
    async with database.read() as connection:
        await assert_owns_store(await driver_of(connection), access, store_id)
        await reading.assert_filters(
            connection, access, store_id, wanted.agent_id, wanted.product_id, at=""
        )


async def _embed(resources: Resources, wanted: SearchQuery) -> str | None:
    try:
        return vector_text(await resources.embedder.embed_query(wanted.query))
    except BlankTextError:
        # Nothing but control characters: it means nothing, so nothing is near it.
        return None


def _result(resources: Resources, wanted: SearchQuery, hits: list[str]) -> bytes:
    is_keyword = wanted.mode is SearchMode.KEYWORD
    tail = {"mode": wanted.mode, "model": None if is_keyword else resources.embedder.model}
    return b'{"items":[%s],%s' % (",".join(hits).encode(), orjson.dumps(tail)[1:])
