"""AbacatePay on a real socket, faithful to its documents, and able to be slow, fail and lie.

``async with AbacatePayServer() as fake``, then ``fake.url`` is the base address and
``fake.new_store()`` a shop with its keys. As a process of its own, with the same switches
under ``POST /_control/…``: ``python -m tests.fakes.abacatepay --port 8099``.

Money comes in by ``fake.pay(charge_id)``, which returns the true event and sends nothing;
``fake.deliver(event)`` sends it. ``fake.event(charge_id)`` returns an event about a charge
that nothing happened to: a lie, when it is sent.
"""

import argparse
import asyncio
import contextlib
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.fakes.abacatepay_events import (
    Delivery,
    FakeEvent,
    event_of,
    send,
    v1_event_of,
)
from tests.fakes.abacatepay_control import control
from tests.fakes.abacatepay_faults import LOCK_NOT_ACQUIRED, LOST_ANSWER, Call, Fault
from tests.fakes.abacatepay_shapes import Charge, Page, RefusedError, Store
from tests.fakes.abacatepay_state import OPERATIONS, State

__all__ = [
    "LOCK_NOT_ACQUIRED",
    "LOST_ANSWER",
    "AbacatePayServer",
    "Call",
    "Delivery",
    "FakeEvent",
    "Fault",
]

_FIRED = {"simulate": "transparent.completed", "refund": "transparent.refunded"}


class AbacatePayServer:
    """``async with AbacatePayServer() as fake``; ``fake.state`` holds what it knows."""

    def __init__(self, port: int = 0) -> None:
        self.state = State()
        self.calls: list[Call] = []
        self.delivers = False  # Whether simulated payments and refunds send their events.
        self._port = port
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._arrived = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[list[int]]] = set()
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Refuse new connections and break the open ones, whatever they wait for."""
        self._server.close()
        tasks = (*self._connections, *self._sending)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def new_store(
        self, name: str = "Loja", *, dev_key: str = "", prod_key: str = ""
    ) -> Store:
        """Open a shop with a test key and a live one."""
        return self.state.new_store(name, dev_key=dev_key, prod_key=prod_key)

    def fail(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls of an operation (see ``OPERATIONS``) meet a fault."""
        self._faults[operation].extend([fault] * times)

    def advance(self, seconds: float) -> None:
        """Move the clock there."""
        self.state.moved += timedelta(seconds=seconds)

    def calls_of(self, operation: str) -> list[Call]:
        """Return the calls of an operation, oldest first."""
        return [call for call in self.calls if call.operation == operation]

    async def received(self, operation: str, count: int = 1) -> None:
        """Wait until that many calls of an operation have come in."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.calls_of(operation)) >= count)

    def charge(self, charge_id: str) -> Charge:
        """Return a charge as they hold it now."""
        return self.state.expired(self.state.charges[charge_id])

    def pay(self, charge_id: str, amount: int | None = None) -> FakeEvent:
        """Let the customer pay, whatever the charge's state; return the event, unsent."""
        self.state.pay(self.charge(charge_id), amount)
        return self.event(charge_id)

    def dispute(self, charge_id: str) -> FakeEvent:
        """Let the payer's bank dispute it; return the event, unsent."""
        self.charge(charge_id).status = "UNDER_DISPUTE"
        return self.event(charge_id, "transparent.disputed")

    def event(self, charge_id: str, name: str = "transparent.completed") -> FakeEvent:
        """Return an event about a charge as it is: nothing happens to the charge."""
        return event_of(self.charge(charge_id), name)

    def v1_event(self, charge_id: str, *, is_billing: bool = False) -> FakeEvent:
        """Return ``billing.paid`` of v1 in one of its two shapes."""
        return v1_event_of(self.charge(charge_id), is_billing=is_billing)

    def deliveries(self, event: FakeEvent) -> list[Delivery]:
        """Return where an event goes: the webhooks of its shop and environment that want it."""
        return [
            Delivery(webhook.endpoint, webhook.secret)
            for webhook in self.state.webhooks.values()
            if webhook.is_enabled
            and webhook.store_id == event.store_id
            and webhook.is_dev == event.body.get("devMode")
            and event.body.get("event") in webhook.events
        ]

    async def deliver(
        self,
        event: FakeEvent | bytes,
        *,
        to: Sequence[Delivery] | None = None,
        times: int = 1,
        concurrently: bool = True,
        http: httpx.AsyncClient | None = None,
    ) -> list[int]:
        """Send an event, or any bytes, ``times`` times; return the statuses (0: no answer).

        Without ``to`` it goes to the registered webhooks. There are no retries, so that a
        test decides them; a 410 disables the webhook, as theirs does.
        """
        if to is None:
            to = self.deliveries(event) if isinstance(event, FakeEvent) else []
        raw = event.raw if isinstance(event, FakeEvent) else event
        where = [one for one in to for _ in range(times)]
        if http is None:
            self._http = self._http or httpx.AsyncClient(timeout=30, trust_env=False)
            http = self._http
        requests = [one.request(raw) for one in where]
        statuses = await send(http, requests, concurrently=concurrently)
        for one, status in zip(where, statuses, strict=True):
            for webhook in self.state.webhooks.values():
                if status == HTTPStatus.GONE and webhook.endpoint == one.url:
                    webhook.is_enabled = False
        return statuses

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The client has gone, or we go.
        finally:
            self._connections.discard(connection)
            writer.transport.abort()

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Read one request, answer it, and say whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        answer = await self._answer(method, target, headers, body)
        if answer is None:
            return False
        status, extra, said = answer
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", "content-type: application/json"]
        lines += [f"content-length: {len(said)}"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + said)
        await writer.drain()
        return True

    async def _answer(
        self, method: str, target: str, headers: dict[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, headers and body, or none to break the connection."""
        address = urlsplit(target)
        query = dict(parse_qsl(address.query))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            return 400, {}, b'{"error":"Invalid JSON"}'
        if address.path.startswith("/_control/"):
            said = await control(self, address.path.removeprefix("/_control/"), body or {})
            return 200, {}, json.dumps(said).encode()
        known = OPERATIONS.get((method, address.path.removeprefix("/v2/")))
        if known is None:
            return 404, {}, b'{"error":"Not found"}'
        name = known[0]
        authorization = headers.get("authorization", "")
        key = authorization.removeprefix("Bearer ")
        async with self._arrived:
            self.calls.append(Call(name, query, body, key, headers))
            self._arrived.notify_all()
        fault = self._faults[name].popleft() if self._faults[name] else Fault()
        await asyncio.sleep(fault.delay_before_seconds)
        status, answer = HTTPStatus.OK.value, b""
        if fault.happens or not fault.is_answer:
            status, answer = self._done(known, authorization, query, body)
        await asyncio.sleep(fault.delay_after_seconds)
        if fault.is_cut:
            return None
        if fault.is_answer:
            status, answer = fault.answer()
        return status, fault.headers, answer

    def _done(
        self, known: Any, authorization: str, query: dict[str, str], body: Any
    ) -> tuple[int, bytes]:
        """Do an operation, and return the status and the envelope of its answer."""
        name, permission, operation = known
        try:
            account = self.state.account(authorization, permission)
            data = operation(self.state, account, query, body)
        except RefusedError as refused:
            return refused.status, json.dumps(refused.body).encode()
        if self.delivers and name in _FIRED:
            charge_id = query.get("id") or body["id"]
            sending = asyncio.create_task(self.deliver(self.event(charge_id, _FIRED[name])))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        said = {"data": data, "success": True, "error": None}
        if isinstance(data, Page):
            said |= {"data": data.data, "pagination": data.pagination}
        return 200, json.dumps(said).encode()


def _phrase(status: int) -> str:
    known = {known.value: known.phrase for known in HTTPStatus}
    return known.get(status, "Unknown")


async def _run(port: int) -> None:
    async with AbacatePayServer(port) as fake:
        print(fake.url, flush=True)  # noqa: T201 - A program says where it listens.
        await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A fake AbacatePay on 127.0.0.1.")
    arguments.add_argument("--port", type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(arguments.parse_args().port))
