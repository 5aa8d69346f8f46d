"""What is remembered of a person: versions, a vector made by a job, and search by meaning."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_owns_store
from vek1_api.audit import service as audit_service
from vek1_api.core import clock, jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database
from vek1_api.core.embedding import BlankTextError, EmbeddingRefusedError
from vek1_api.core.errors import ForeignReferenceError
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing
from vek1_api.documents.vector_queries import vector_text
from vek1_api.leads import profile_queries, queries, service
from vek1_api.leads.schemas import ProfileUpdate
from vek1_api.leads.search_schemas import LeadSearchQuery

_KEPT = ("profile_summary", "interests", "preferences", "custom_attributes")


async def remember(
    tx: AsyncConnection,
    access: Access,
    lead_id: UUID,
    wanted: ProfileUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Write a new version of a lead's profile; the one before is kept.

    What is remembered already makes no new version, so that a repetition has no effect.
    """
    before = await service.lock(tx, access, lead_id)
    if_match.check(before)
    old = orjson.loads(before)
    lead_id, store_id = UUID(old["id"]), UUID(old["store_id"])
    await _assert_said(tx, lead_id, wanted)
    sent = wanted.changes()
    facts = {name: sent[name] for name in _KEPT if name in sent}
    values = audit_service.differing(old, service.patched(old, facts))
    if not values:
        return Answer(200, before)
    after = await queries.change(
        tx, access, lead_id, values | {"profile_updated_at": clock.now()}
    )
    version = await _add_version(tx, access, lead_id, orjson.loads(after), wanted)
    payload = {"lead_id": str(lead_id)}
    await jobs.enqueue(
        tx, "leads.embed_profile", payload, once=f"leads.embed_profile:{lead_id}:{version}"
    )
    meta = {"version": version, "fields": sorted(values)}
    await audit_service.log_audit(
        tx, access, "lead.profile_updated", "lead", lead_id, store_id=store_id, meta=meta
    )
    return Answer(200, after)


async def versions(
    database: Database, access: Access, lead_id: UUID, *, before: int, limit: int
) -> list[tuple[int, str]]:
    """Return versions of a lead's profile, newest first, one more than ``limit``."""
    async with database.driver() as driver:
        rows = await profile_queries.VERSIONS.rows(
            driver, row_id=lead_id, before=before, row_limit=limit + 1, **access.owner
        )
    if not rows:
        await service.get(database, access, lead_id)
    return [(row["version"], row["body"]) for row in rows]


async def embed(resources: Resources, lead_id: UUID) -> None:
    """Make the vector of a lead's newest profile; written only if it is still the newest."""
    async with resources.database.read() as connection:
        found = await profile_queries.source(connection, lead_id)
    if found is None:
        return
    await resources.embedder.ready()
    try:
        (vector,) = await resources.embedder.embed_passages([found.profile_summary])
    except (EmbeddingRefusedError, BlankTextError):
        return  # It is kept and read, but never found by meaning.
    model = await indexing.current_model(resources)
    async with resources.database.transaction() as tx:
        await profile_queries.set_vector(tx, lead_id, found, model, vector_text(vector))


async def search(
    resources: Resources, access: Access, store_id: UUID, wanted: LeadSearchQuery
) -> bytes:
    """Return the leads whose profiles are nearest to a question, nearest first."""
    try:
        embedding = vector_text(await resources.embedder.embed_query(wanted.query))
    except BlankTextError:
        embedding = None
    rows: list[Any] = []
    async with resources.database.driver() as driver:
        if embedding is not None:
            rows = await profile_queries.SEARCH.rows(
                driver,
                store_id=store_id,
                model_id=await indexing.current_model_id(resources, driver),
                embedding=embedding,
                row_limit=wanted.limit,
                **wanted.filters(),
                **access.owner,
            )
        if not rows:
            await assert_owns_store(driver, access, store_id)
    hits = ",".join([row["body"] for row in rows]).encode()
    tail = orjson.dumps({"model": resources.embedder.model})[1:]
    return b'{"items":[%s],%s' % (hits, tail)


async def as_answer(found: bytes) -> Answer:
    """Return a result as an answer to be recorded under an ``Idempotency-Key``."""
    return Answer(200, found.decode(), has_etag=False)


async def _assert_said(tx: AsyncConnection, lead_id: UUID, wanted: ProfileUpdate) -> None:
    """Raise ``ForeignReferenceError`` for a message that is not of the lead."""
    ids = {
        "/first_message_id": wanted.first_message_id,
        "/last_message_id": wanted.last_message_id,
    }
    named = {pointer: each for pointer, each in ids.items() if each is not None}
    if named:
        found = await profile_queries.said(tx, lead_id, set(named.values()))
        foreign = {at: str(each) for at, each in named.items() if each not in found}
        if foreign:
            kind = "message"
            raise ForeignReferenceError(kind, foreign)


async def _add_version(
    tx: AsyncConnection,
    access: Access,
    lead_id: UUID,
    lead: dict[str, Any],
    wanted: ProfileUpdate,
) -> int:
    version = await profile_queries.newest(tx, lead_id) + 1
    await profile_queries.add(
        tx,
        {name: lead[name] for name in _KEPT}
        | {
            "lead_id": lead_id,
            "version": version,
            "first_message_id": wanted.first_message_id,
            "last_message_id": wanted.last_message_id,
            "actor_user_id": access.actor_user_id,
        },
    )
    return version
