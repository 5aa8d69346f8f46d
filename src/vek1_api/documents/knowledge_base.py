"""What an agent knows: documents of its own store, and with one setting its whole catalogue."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import assert_in_store
from vek1_api.agents import service as agents
from vek1_api.agents.errors import AgentNotFoundError
from vek1_api.audit import service as audit_service
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.documents import knowledge_base_queries as queries
from vek1_api.documents.models import Document
from vek1_api.documents.schemas import KnowledgeBaseUpdate


async def get(database: Database, access: Access, agent_id: UUID) -> Json:
    """Return what an agent knows, or raise ``AgentNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(driver, row_id=agent_id, **access.owner)
    if row is None:
        raise AgentNotFoundError(agent_id)
    return str(row["body"])


async def replace(
    tx: AsyncConnection,
    access: Access,
    agent_id: UUID,
    wanted: KnowledgeBaseUpdate,
    *,
    if_match: IfMatch,
) -> Answer:
    """Make the agent know exactly this; a document of another store changes nothing."""
    store_id = await agents.lock(tx, access, agent_id)
    if_match.check(await queries.get(tx, access, agent_id))
    pointers = {
        f"/document_ids/{place}": row for place, row in enumerate(wanted.document_ids)
    }
    await _assert_documents(tx, access, store_id, pointers)
    added, removed = await queries.replace_links(tx, agent_id, set(wanted.document_ids))
    await queries.set_whole_catalogue(tx, agent_id, is_whole=wanted.whole_catalogue)
    meta = {
        "added": [str(row) for row in added],
        "removed": [str(row) for row in removed],
        "whole_catalogue": wanted.whole_catalogue,
    }
    await _log(tx, access, "knowledge_base.replaced", agent_id, store_id, meta)
    return Answer(200, await queries.get(tx, access, agent_id))


async def add(
    tx: AsyncConnection, access: Access, agent_id: UUID, document_id: UUID
) -> Answer:
    """Let the agent know one more document; knowing it already is fine."""
    store_id = await agents.lock(tx, access, agent_id)
    await _assert_documents(tx, access, store_id, {"/path/document_id": document_id})
    if await queries.add_link(tx, agent_id, document_id):
        meta = {"added": [str(document_id)]}
        await _log(tx, access, "knowledge_base.extended", agent_id, store_id, meta)
    return Answer(200, await queries.get(tx, access, agent_id))


async def remove(
    tx: AsyncConnection,
    access: Access,
    agent_id: UUID,
    document_id: UUID,
    *,
    if_match: IfMatch,
) -> Answer:
    """Let the agent forget one document; not knowing it is fine."""
    store_id = await agents.lock(tx, access, agent_id)
    if_match.check(await queries.get(tx, access, agent_id))
    await _assert_documents(tx, access, store_id, {"/path/document_id": document_id})
    if await queries.remove_link(tx, agent_id, document_id):
        meta = {"removed": [str(document_id)]}
        await _log(tx, access, "knowledge_base.reduced", agent_id, store_id, meta)
    return Answer(204)


async def _assert_documents(
    tx: AsyncConnection, access: Access, store_id: UUID, pointers: dict[str, UUID]
) -> None:
    await assert_in_store(
        tx, access, Document, store_id=store_id, pointers=pointers, kind="document"
    )


async def _log(
    tx: AsyncConnection,
    access: Access,
    action: str,
    agent_id: UUID,
    store_id: UUID,
    meta: Mapping[str, object],
) -> None:
    await audit_service.log_audit(
        tx, access, action, "agent", agent_id, store_id=store_id, meta=dict(meta)
    )
