"""The jobs of documents."""

import asyncio
from datetime import timedelta
from uuid import UUID

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing, indexing_queries, service, vector_queries

FORGOTTEN_AFTER = timedelta(minutes=15)
BATCH = 200
INDEX_STORE = "documents.index_store"
"""Also enqueued by ``vek1_api.index_products``, under the same key: ``<name>:<store>``."""

TURN = 200
"""Documents that a store gets indexed before the next store has its turn."""

AT_ONCE = 16
"""Documents of one store that are indexed side by side; the embedder makes batches of them."""

UNSEEN_AFTER = timedelta(seconds=1)
"""When to look again for changes that are not committed yet."""


@jobs.handles("documents.index", concurrency=4)
async def index(resources: Resources, payload: jobs.Payload) -> None:
    """Index one revision of a document."""
    await indexing.index(resources, UUID(payload["document_id"]), payload["revision"])


@jobs.handles(INDEX_STORE, concurrency=2)
async def index_store(resources: Resources, payload: jobs.Payload) -> None:
    """Index a part of all that waits in a store, after many products changed at once.

    What is left goes to the end of the queue, so that stores take turns.
    """
    store_id = UUID(payload["store_id"])
    done = await _index_some(resources, store_id)
    turn = f"{INDEX_STORE}:{store_id}"
    async with resources.database.transaction() as tx:
        # From here on the store's next change adds a job of its own again.
        are_all_seen = await indexing_queries.end_turn(tx, turn)
        waiting = await indexing_queries.pending(tx, store_id, UUID(int=0), TURN + 1)
        if are_all_seen and done.issuperset(waiting):
            return
        after = timedelta() if waiting else UNSEEN_AFTER
        await jobs.enqueue(tx, INDEX_STORE, payload, once=turn, after=after)


async def _index_some(resources: Resources, store_id: UUID) -> set[tuple[UUID, int]]:
    """Index one turn's documents of a store; return them with their revisions."""
    done: set[tuple[UUID, int]] = set()
    last = UUID(int=0)
    while len(done) < TURN:
        async with resources.database.read() as connection:
            batch = await indexing_queries.pending(connection, store_id, last, AT_ONCE)
        if not batch:
            break
        await asyncio.gather(*(indexing.index(resources, *waiting) for waiting in batch))
        done.update(batch)
        last = batch[-1][0]
    return done


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
