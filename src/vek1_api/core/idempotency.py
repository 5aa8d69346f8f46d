"""``Idempotency-Key``: the same request twice has one effect and one answer.

The key is claimed and its answer recorded by the transaction of the effect itself, so there is
no moment at which one exists without the other, and nothing to clean up after a crash. While
that transaction runs it holds an advisory lock; who finds it taken is told to wait.

Keys are kept as digests: callers make them of phones and names, which erasing somebody could
neither find nor delete without letting the request happen again.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    LargeBinary,
    SmallInteger,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.core import clock
from vek1_api.core.db import SCHEMA, Base, driver_of
from vek1_api.core.errors import (
    FieldError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
    ValidationFailedError,
)
from vek1_api.core.hot import HotStatement

KEPT_FOR = timedelta(hours=24)
MAX_LENGTH = 255
_VISIBLE = re.compile(rf"[!-~]{{1,{MAX_LENGTH}}}")
_SETTLES_AT = "settles-at"
"""Kept among the headers of an answer that is not the last word yet; never sent."""


class IdempotencyKey(Base):
    """An answer that was given, by who asked and under which key (its digest)."""

    __tablename__ = "idempotency_keys"
    __table_args__ = ({"schema": SCHEMA},)

    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now(), index=True
    )


_CLAIM = HotStatement(
    select(
        func.vek1_api.claim_key(
            bindparam("actor", type_=Text), bindparam("key", type_=Text)
        ).table_valued("is_mine", "fingerprint", "status", "headers", "body")
    )
)
_RECORD = HotStatement(
    insert(IdempotencyKey).values(
        {
            name: bindparam(name, type_=getattr(IdempotencyKey, name).type)
            for name in ("actor", "key", "fingerprint", "status", "headers", "body")
        }
    )
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer as it was given the first time."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """One actor's key, and what the request that carries it asks for."""

    actor: str
    key: str
    fingerprint: bytes

    async def replay(self, tx: AsyncConnection) -> Recorded | None:
        """Take the key for this transaction, or return the answer that it already has.

        Raises ``IdempotencyInProgressError`` while another request holds the key, and
        ``IdempotencyKeyReusedError`` if it was used for a different request.
        """
        row = await _CLAIM.row(await driver_of(tx), actor=self.actor, key=self._kept_as)
        if row is None or not row["is_mine"]:
            message = "A request with this Idempotency-Key is still running."
            raise IdempotencyInProgressError(message, retry_after_seconds=1)
        if row["fingerprint"] is None:
            return None
        if row["fingerprint"] != self.fingerprint:
            message = "This Idempotency-Key was used for a different request."
            raise IdempotencyKeyReusedError(message)
        headers = orjson.loads(row["headers"])
        settles_at = headers.pop(_SETTLES_AT, None)
        if settles_at is not None and datetime.fromisoformat(settles_at) > clock.now():
            message = "The first request with this Idempotency-Key still waits."
            raise IdempotencyInProgressError(message, retry_after_seconds=1)
        return Recorded(row["status"], headers, row["body"])

    async def record(
        self, tx: AsyncConnection, answer: Recorded, settles_in: timedelta | None = None
    ) -> None:
        """Keep the answer; it commits with the effect.

        Until ``settles_in`` has passed, or ``amend`` is called, there is no replay of it.
        """
        pending = settles_in and {_SETTLES_AT: (clock.now() + settles_in).isoformat()}
        await _RECORD.rows(
            await driver_of(tx),
            actor=self.actor,
            key=self._kept_as,
            fingerprint=self.fingerprint,
            status=answer.status,
            headers=answer.headers | (pending or {}),
            body=answer.body,
        )

    async def amend(self, tx: AsyncConnection, answer: Recorded) -> None:
        """Replace the recorded answer by the one that was given after waiting."""
        await tx.execute(
            update(IdempotencyKey)
            .where(*self._is_mine())
            .values(status=answer.status, headers=answer.headers, body=answer.body)
        )

    @property
    def _kept_as(self) -> str:
        return fingerprint(self.actor.encode(), self.key.encode()).hex()

    def _is_mine(self) -> tuple[Any, ...]:
        return IdempotencyKey.actor == self.actor, IdempotencyKey.key == self._kept_as


def checked_key(value: str | None) -> str | None:
    """Return the header's value, or raise if it is not 1 to 255 visible ASCII characters."""
    if value is None or _VISIBLE.fullmatch(value):
        return value
    problem = FieldError(
        "/header/Idempotency-Key", "invalid", "Use 1 to 255 visible ASCII characters."
    )
    message = "The Idempotency-Key is not valid."
    raise ValidationFailedError(message, errors=[problem])


def fingerprint(*parts: bytes) -> bytes:
    """Return a digest that tells two requests apart; the parts are kept apart too."""
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()


async def forget_old(tx: AsyncConnection) -> int:
    """Delete the keys that are older than a day; return how many."""
    old = IdempotencyKey.created_at < clock.now() - KEPT_FOR
    return (await tx.execute(delete(IdempotencyKey).where(old))).rowcount
