"""The statements of the inbox."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy import (
    Text,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core import jobs
from vek1_api.core.hot import HotStatement
from vek1_api.inbox.models import InboxEntry

_KEY = ("source", "store_id", "event_key")
_BOUND = ("store_id", "event_key", "headers", "body", "verdict", "reason")


@lru_cache(maxsize=16)
def receiving(source: str) -> HotStatement:
    """Return the statement that stores a webhook of ``source`` and has it understood.

    Its row is ``id`` and ``is_new``. There is a job for it as long as it is not handled, one
    at a time. A verdict that is known at once is bound, and needs no job.
    """
    verdict = bindparam("verdict", type_=Text)
    entry = upsert(InboxEntry).values(
        {name: bindparam(name, type_=getattr(InboxEntry, name).type) for name in _BOUND}
        | {"source": source, "handled_at": case((verdict.is_not(None), func.now()))}
    )
    counted = entry.on_conflict_do_update(
        index_elements=_KEY, set_={"deliveries": InboxEntry.deliveries + 1}
    )
    kept = counted.returning(
        InboxEntry.id, InboxEntry.deliveries, InboxEntry.handled_at
    ).cte("kept")
    job = f"{source}.understand"
    once = literal(f"{job}:").op("||")(func.text(kept.c.id, type_=Text))
    enqueued = jobs.enqueuing(job, {"inbox_id": kept.c.id}, once=once)
    return HotStatement(
        select(
            kept.c.id,
            (kept.c.deliveries == 1).label("is_new"),
            case((kept.c.handled_at.is_(None), enqueued), else_=null()).label("job"),
        )
    )


LOAD = HotStatement(
    select(*InboxEntry.__table__.columns).where(
        InboxEntry.id == bindparam("inbox_id", type_=Uuid)
    )
)


_SAID = ("verdict", "reason", "order_id")
CONCLUDE = HotStatement(
    update(InboxEntry)
    .where(
        InboxEntry.id == bindparam("inbox_id", type_=Uuid),
        InboxEntry.handled_at.is_(None),
    )
    .values(
        {name: bindparam(name, type_=getattr(InboxEntry, name).type) for name in _SAID}
        | {"handled_at": func.now()}
    )
    .returning(InboxEntry.id)
)
"""The last word on a webhook; no row where there was one before."""


async def forget(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete handled webhooks from before a moment, and return how many went."""
    old = (
        select(InboxEntry.id)
        .where(InboxEntry.received_at < before, InboxEntry.handled_at.is_not(None))
        .order_by(InboxEntry.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await tx.execute(delete(InboxEntry).where(InboxEntry.id.in_(old)))
    return gone.rowcount
