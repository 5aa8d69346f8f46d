"""The statements of agents' knowledge bases."""

from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, cast, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import scoped
from vek1_api.agents import service as agents
from vek1_api.core.db import driver_of
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import Json, json_object
from vek1_api.documents.models import AgentDocument, AgentKnowledge

_LINKED = select(
    func.coalesce(
        func.json_agg(AgentDocument.document_id), cast(literal_column("'[]'", Text), JSON)
    )
).where(AgentDocument.agent_id == agents.MODEL.id)
_WHOLE = select(AgentKnowledge.whole_catalogue).where(
    AgentKnowledge.agent_id == agents.MODEL.id
)

GET = HotStatement(
    scoped(
        agents.MODEL,
        json_object(
            {
                "agent_id": agents.MODEL.id,
                "document_ids": _LINKED.scalar_subquery(),
                "whole_catalogue": func.coalesce(
                    _WHOLE.scalar_subquery(), literal_column("false")
                ),
            }
        ),
    ).where(agents.MODEL.id == bindparam("row_id", type_=Uuid))
)


async def get(tx: AsyncConnection, access: Access, agent_id: UUID) -> Json:
    """Return what an agent within reach knows."""
    row = await GET.row(await driver_of(tx), row_id=agent_id, **access.owner)
    assert row is not None
    return str(row["body"])


async def replace_links(
    tx: AsyncConnection, agent_id: UUID, wanted: set[UUID]
) -> tuple[list[UUID], list[UUID]]:
    """Make the links exactly these; return what was added and what was removed."""
    removed = await tx.scalars(
        delete(AgentDocument)
        .where(AgentDocument.agent_id == agent_id, AgentDocument.document_id.not_in(wanted))
        .returning(AgentDocument.document_id)
    )
    gone = sorted(removed)
    added = []
    if wanted:
        rows = [{"agent_id": agent_id, "document_id": row} for row in sorted(wanted)]
        made = await tx.scalars(
            insert(AgentDocument)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(AgentDocument.document_id)
        )
        added = sorted(made)
    return added, gone


async def add_link(tx: AsyncConnection, agent_id: UUID, document_id: UUID) -> bool:
    """Link a document; false if it is linked already."""
    statement = insert(AgentDocument).values(agent_id=agent_id, document_id=document_id)
    return (await tx.execute(statement.on_conflict_do_nothing())).rowcount == 1


async def remove_link(tx: AsyncConnection, agent_id: UUID, document_id: UUID) -> bool:
    """Unlink a document; false if it was not linked."""
    statement = delete(AgentDocument).where(
        AgentDocument.agent_id == agent_id, AgentDocument.document_id == document_id
    )
    return (await tx.execute(statement)).rowcount == 1


async def set_whole_catalogue(
    tx: AsyncConnection, agent_id: UUID, *, is_whole: bool
) -> None:
    """Write whether the agent knows every document about a product."""
    values = {"agent_id": agent_id, "whole_catalogue": is_whole}
    statement = insert(AgentKnowledge).values(values)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[AgentKnowledge.agent_id], set_={"whole_catalogue": is_whole}
        )
    )
