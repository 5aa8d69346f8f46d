"""Delivering a store's notices: several at once, those of one product in their order.

A notice is lent to a worker (the lease), sent with nothing held, and settled. A worker that dies
in between has perhaps sent it: then it is sent again, under the same ``webhook-id``.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from vek1_api.core import clock
from vek1_api.core.outbound import Outcome, Poster, Resolve, next_attempt, signed_headers
from vek1_api.core.outbound.posting import PATIENCE
from vek1_api.core.outbound.retrying import WAITS
from vek1_api.core.outbound.targets import resolve
from vek1_api.core.resources import Resources
from vek1_api.stock import secrets
from vek1_api.stock.deliveries import queries
from vek1_api.stock.deliveries.messages import body_of, message_id
from vek1_api.stock.deliveries.schemas import NO_SECRET
from vek1_api.stock.outbound_status import DeliveryStatus, DisabledReason, Which
from vek1_api.stock.settings import service as settings_service

RETRY = "retry"
"""What becomes of a notice whose attempt failed, while there is time left."""

Notice = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient deliveries are."""

    patience: timedelta = PATIENCE
    waits: Sequence[timedelta] = WAITS
    give_up_after: timedelta = timedelta(days=3)
    """So long without any success, and nothing more is sent until a person says so."""

    longest_pause: timedelta = timedelta(hours=1)
    """A ``Retry-After`` holds back the other products' messages for no longer."""

    in_flight: int = 8
    slice_seconds: float = 10.0
    """After which another job goes on, so that one store does not keep a worker for itself."""

    look_seconds: float = 0.02
    """How often it looks for more while something is under way."""

    linger_seconds: float = 0.1
    """How long it goes on looking once there is nothing more."""

    resolver: Resolve = resolve

    @property
    def lease(self) -> timedelta:
        """How long a notice is lent: no attempt takes longer."""
        return self.patience + timedelta(seconds=20)


POLICY = Policy()


async def deliver(resources: Resources, store_id: UUID, policy: Policy = POLICY) -> None:
    """Send what is due of a store, until nothing is or the slice is over."""
    async with AsyncExitStack() as posters:
        await _Delivery(resources, store_id, policy, posters).run()


@dataclass(slots=True)
class _Target:
    """Where messages go at this moment, and what signs them."""

    url: str
    poster: Poster
    secrets: list[str]


@dataclass(slots=True)
class _Delivery:
    """One job's work for one store."""

    resources: Resources
    store_id: UUID
    policy: Policy
    posters: AsyncExitStack
    by_url: dict[str, Poster] = field(default_factory=dict)

    async def run(self) -> None:
        """Take, send and settle in turns."""
        began = idle_since = time.monotonic()
        running: set[asyncio.Task[dict[str, Any]]] = set()
        try:
            while True:
                is_tired = time.monotonic() - began > self.policy.slice_seconds
                room = 0 if is_tired else self.policy.in_flight - len(running)
                running |= await self._start(room) if room else set()
                if running:
                    running = await self._settle_some(running)
                    idle_since = time.monotonic()
                    continue
                has_lingered = time.monotonic() - idle_since >= self.policy.linger_seconds
                if (is_tired or has_lingered) and await self._rest(is_tired=is_tired):
                    return
                await asyncio.sleep(self.policy.look_seconds)
        finally:
            for task in running:
                task.cancel()

    async def _start(self, room: int) -> set[asyncio.Task[dict[str, Any]]]:
        """Begin to send the next notices, to where they go now."""
        async with self.resources.database.driver() as driver:
            row = await queries.TARGET.row(driver, store_id=self.store_id)
            if row is None:
                return set()
            taken = await queries.TAKE.rows(
                driver, store_id=self.store_id, row_limit=room, lease=self.policy.lease
            )
        if not taken:
            return set()
        target = await self._target(row["outbound_url"], row["sealed"])
        return {asyncio.create_task(self._attempt(target, notice)) for notice in taken}

    async def _target(self, url: str, sealed: Sequence[str | None]) -> _Target:
        if url not in self.by_url:
            self.by_url[url] = await self.posters.enter_async_context(
                Poster(
                    url,
                    private_allowed=self.resources.settings.private_targets_allowed,
                    patience=self.policy.patience,
                    resolver=self.policy.resolver,
                )
            )
        known = secrets.opened(
            [each for each in sealed if each],
            self.store_id,
            Which.OUTBOUND,
            self.resources.keyring,
        )
        return _Target(url, self.by_url[url], known)

    async def _attempt(self, target: _Target, notice: Notice) -> dict[str, Any]:
        """Send a notice and return its result, as ``settle_notices`` reads it."""
        now = clock.now()
        if target.secrets:
            body = body_of(self.store_id, notice)
            name = message_id(notice["movement_id"])
            headers = signed_headers(name, now, body, target.secrets)
            outcome = await target.poster.post(body, headers)
        else:
            outcome = Outcome(now, 0, error=NO_SECRET)
        return _result(notice, outcome, self.policy) | {"sent_to": target.url}

    async def _settle_some(
        self, running: set[asyncio.Task[dict[str, Any]]]
    ) -> set[asyncio.Task[dict[str, Any]]]:
        """Wait a moment, write down what has ended, and return what has not."""
        done, running = await asyncio.wait(
            running,
            timeout=self.policy.look_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if done:
            await self._settle([task.result() for task in done])
        return running

    async def _settle(self, results: list[dict[str, Any]]) -> None:
        asked = [pause for each in results if (pause := each.pop("pause")) is not None]
        places = [each.pop("sent_to") for each in results]
        pause = min(max(asked), self.policy.longest_pause) if asked else None
        async with self.resources.database.driver() as driver:
            row = await queries.SETTLE.row(
                driver,
                store_id=self.store_id,
                results=results,
                paused_until=pause and clock.now() + pause,
            )
        since: datetime | None = row and row["failing_since"]
        disabled: dict[str, DisabledReason] = {}
        if since is not None and clock.now() - since > self.policy.give_up_after:
            disabled = dict.fromkeys(places, DisabledReason.FAILING)
        for url, each in zip(places, results, strict=True):
            if each["status"] == HTTPStatus.GONE:
                disabled[url] = DisabledReason.GONE
        for url, reason in disabled.items():
            async with self.resources.database.transaction() as tx:
                await settings_service.disable(tx, self.store_id, url, reason)

    async def _rest(self, *, is_tired: bool) -> bool:
        async with self.resources.database.driver() as driver:
            row = await queries.REST.row(driver, store_id=self.store_id, is_tired=is_tired)
        assert row is not None
        return bool(row["is_at_rest"])


def _result(notice: Notice, outcome: Outcome, policy: Policy) -> dict[str, Any]:
    due_at = None
    state: str = DeliveryStatus.DELIVERED.value
    if not outcome.is_delivered:
        due_at = next_attempt(
            notice["attempts"],
            notice["wanted_at"],
            clock.now(),
            outcome.retry_after,
            policy.waits,
        )
        state = DeliveryStatus.HELD.value if due_at is None else RETRY
    if outcome.is_gone:
        # It waits for whoever switches the messages on again.
        state, due_at = RETRY, clock.now()
    return {
        "movement_id": notice["movement_id"],
        "number": notice["attempts"],
        "at": outcome.at,
        "duration_ms": outcome.duration_ms,
        "status": outcome.status,
        "error": outcome.error,
        "answer": outcome.answer,
        "outcome": state,
        "due_at": due_at,
        "pause": outcome.retry_after,
    }
