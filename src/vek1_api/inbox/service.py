"""Keeping webhooks, handing them to whoever understands them, and forgetting them.

A sender is answered as soon as its webhook is a row here. The job ``<source>.understand``
``{inbox_id}`` belongs to the domain that knows the source; it ends with ``conclude``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.core.db import Driver, driver_of
from vek1_api.core.jobs import values
from vek1_api.core.logging import clean
from vek1_api.inbox import queries
from vek1_api.inbox.status import Verdict

MAX_BODY_BYTES = 256 * 1024
"""Of a larger body only the beginning is kept, and nobody tries to understand it."""

_MAX_HEADERS = 64
_MAX_HEADER_CHARACTERS = 1_000
_MAX_REASON_CHARACTERS = 500
_SECRET_HEADER = re.compile(
    r"secret|token|authorization|cookie|password|key", re.IGNORECASE
)
_REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook that has just come, from a sender who proved who it is.

    ``event_key`` is the sender's id of the event, or the digest of the body as it came.
    ``body`` is without persons; ``secrets`` are taken out of it and of the headers here.
    ``is_whole`` is false for the beginning of a body that is too large.
    """

    source: str
    store_id: UUID
    event_key: str
    headers: Iterable[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """A webhook as it was kept."""

    id: UUID
    source: str
    store_id: UUID
    event_key: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    deliveries: int
    handled_at: datetime | None
    verdict: str | None
    reason: str | None
    order_id: UUID | None


async def receive(driver: Driver, arrival: Arrival) -> tuple[UUID, bool]:
    """Store a webhook, and return its id and whether it came for the first time.

    One statement, thus one transaction: once it returns, the webhook cannot be lost, and
    until it is handled there is a job for it.
    """
    is_judged = not arrival.is_whole or len(arrival.body) > MAX_BODY_BYTES
    reason = f"The body is larger than {MAX_BODY_BYTES} bytes."
    row = await queries.receiving(arrival.source).row(
        driver,
        store_id=arrival.store_id,
        event_key=arrival.event_key,
        headers=_storable(arrival),
        body=_without(arrival.secrets, arrival.body)[:MAX_BODY_BYTES],
        verdict=Verdict.TOO_LARGE if is_judged else None,
        reason=reason if is_judged else None,
        **values(),
    )
    assert row is not None
    return row["id"], row["is_new"]


async def load(driver: Driver, inbox_id: UUID) -> Kept | None:
    """Return a webhook, or none if it is forgotten."""
    row = await queries.LOAD.row(driver, inbox_id=inbox_id)
    return None if row is None else Kept(**dict(row))


async def conclude(
    tx: AsyncConnection,
    inbox_id: UUID,
    verdict: Verdict,
    reason: str | None = None,
    order_id: UUID | None = None,
) -> bool:
    """Write what became of a webhook, in the transaction of its effects.

    Returns false, and changes nothing, if that was written before. ``reason`` is for a
    person to read; it holds no secret and no personal data.
    """
    short = None if reason is None else reason.replace("\0", "")[:_MAX_REASON_CHARACTERS]
    row = await queries.CONCLUDE.row(
        await driver_of(tx),
        inbox_id=inbox_id,
        verdict=verdict,
        reason=short,
        order_id=order_id,
    )
    return row is not None


def _storable(arrival: Arrival) -> dict[str, str]:
    """Return the headers without secrets; of a name that comes twice, both values."""
    kept: dict[str, str] = {}
    for name, value in list(arrival.headers)[:_MAX_HEADERS]:
        shown = _REDACTED if _SECRET_HEADER.search(name) else _shown(arrival, value)
        kept[name.lower()] = (
            f"{kept[name.lower()]}, {shown}" if name.lower() in kept else shown
        )
    return kept


def _shown(arrival: Arrival, value: str) -> str:
    """Return a header's value: proxies repeat the address, and with it its secret."""
    plain = value.replace("\0", "").encode(errors="replace")
    said = _without(arrival.secrets, plain).decode(errors="replace")
    return clean(said)[:_MAX_HEADER_CHARACTERS]


def _without(secrets: Iterable[str], data: bytes) -> bytes:
    for secret in secrets:
        if secret:
            data = data.replace(secret.encode(), _REDACTED.encode())
    return data
