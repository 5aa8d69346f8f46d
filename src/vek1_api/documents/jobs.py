"""The jobs of documents."""

import asyncio
from datetime import timedelta
from uuid import UUID

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, indexing_queries, service, vector_queries

FORGOTTEN_AFTER = timedelta(minutes=15)
BATCH = 200
AT_ONCE = 16
"""Documents of one store that are indexed side by side; the embedder makes batches of them."""


@jobs.handles("documents.index", concurrency=4)
async def index(resources: Resources, payload: jobs.Payload) -> None:
    """Index one revision of a document."""
    await indexing.index(resources, UUID(payload["document_id"]), payload["revision"])


@jobs.handles("documents.index_store", concurrency=1)
async def index_store(resources: Resources, payload: jobs.Payload) -> None:
    """Index all that waits in a store, after many products changed at once."""
    store_id, last = UUID(payload["store_id"]), UUID(int=0)
    while True:
        async with resources.database.read() as connection:
            batch = await indexing_queries.pending(connection, store_id, last, AT_ONCE)
        if not batch:
            return
        await asyncio.gather(*(indexing.index(resources, *waiting) for waiting in batch))
        last = batch[-1][0]


@jobs.periodic("documents.resume", "* * * * *")
async def resume(resources: Resources) -> None:
    """Index what the front end wrote itself, and what has waited for too long."""
    async with resources.database.transaction() as tx:
        adopted = await indexing_queries.adopt(tx, BATCH)
        for document_id in adopted:
            await service.enqueue_indexing(tx, document_id, 1)
    before = clock.now() - FORGOTTEN_AFTER
    async with resources.database.transaction() as tx:
        for document_id, revision in await indexing_queries.waiting(tx, before, BATCH):
            await indexing_queries.settle(tx, document_id, {})
            await service.enqueue_indexing(tx, document_id, revision)


@jobs.periodic("documents.catch_up", "*/5 * * * *")
async def catch_up(resources: Resources) -> None:
    """Index what has no vectors of the model in use: after a change of models, bit by bit."""
    await resources.embedder.ready()
    model = await indexing.current_model(resources)
    async with resources.database.transaction() as tx:
        for document_id, revision in await vector_queries.left_behind(tx, model, BATCH):
            await service.enqueue_indexing(tx, document_id, revision)
