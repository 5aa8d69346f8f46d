"""Another embedding model: every passage gets a vector of it, while the old ones answer."""

from collections.abc import Callable
from uuid import UUID

import structlog

from vek1_api.core.embedding import BlankTextError, EmbeddingRefusedError
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, vector_queries

Progress = Callable[[int, int], None]
"""Told how many documents are done, of how many."""

BATCH = 100

log = structlog.get_logger()


async def reembed(resources: Resources, *, progress: Progress) -> int:
    """Give every indexed passage a vector of the settings' model; return how many documents.

    Run it with the new settings while the service still runs with the old ones, then restart
    the service: it answers by the vectors of its own model all along. Safe to stop and to run
    again; what is done stays done.
    """
    await resources.embedder.ready()
    model = await indexing.current_model(resources)
    async with resources.database.read() as connection:
        total = await vector_queries.count_without_model(connection, model)
    done, after = 0, UUID(int=0)
    progress(done, total)
    while batch := await _next(resources, model, after):
        for document_id, revision in batch:
            await _embed(resources, document_id, revision)
            done += 1
            progress(done, max(total, done))
        after = batch[-1][0]
    return done


async def forget_other_models(resources: Resources) -> int:
    """Delete the vectors of every model but the one in the settings; return how many."""
    await resources.embedder.ready()
    model = await indexing.current_model(resources)
    deleted = 0
    while True:
        async with resources.database.transaction() as tx:
            batch = await vector_queries.delete_vectors_but(tx, model, 1_000)
        deleted += batch
        if batch == 0:
            return deleted


async def _embed(resources: Resources, document_id: UUID, revision: int) -> None:
    try:
        await indexing.embed(resources, document_id, revision)
    except (EmbeddingRefusedError, BlankTextError) as error:
        # It goes on answering by the old model; the log says which one it is.
        log.warning(
            "document_not_embedded", document_id=str(document_id), reason=error.reason
        )


async def _next(resources: Resources, model: int, after: UUID) -> list[tuple[UUID, int]]:
    async with resources.database.read() as connection:
        return await vector_queries.without_model(connection, model, after, BATCH)
