"""An ERP that takes messages on a real socket, and can be slow, broken or hostile on demand.

It checks every signature with the reference library, as an integrator would.
"""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Reaction:
    """How one message is met; the default is how it should be."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay_seconds: float = 0.0
    is_dropped: bool = False  # The connection is closed without an answer.
    byte_seconds: float | None = None  # So long between two bytes of the answer.


@dataclass(frozen=True)
class Received:
    """A message as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.json["data"]
        return data

    def is_signed_with(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


GOOD = Reaction()
React = Callable[[Received], Reaction | None]


class ErpReceiver:
    """``async with ErpReceiver() as receiver``, then ``receiver.url``."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.names: list[str | None] = []  # That TLS was asked for (SNI).
        self.received: list[Received] = []
        self.reactions: deque[Reaction] = deque()  # The next messages meet these, in order.
        self.react: React | None = None  # Asked first; none is as if it were not set.
        self.connections = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()  # Cleared, it holds every answer.
        self.gate.set()
        self._at_once = 0
        self._arrived = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        if self.tls is not None:
            self.tls.sni_callback = lambda _, name, __: self.names.append(name)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/stock?shop=1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.gate.set()
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    def about(self, product_id: str) -> list[int]:
        """Return the sequences of the messages about a product, as they came."""
        return [
            each.data["sequence"]
            for each in self.received
            if each.data.get("product_id") == product_id
        ]

    async def has(self, count: int) -> None:
        """Wait until that many messages have come."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The sender has gone.
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        _, path, _ = head[0].split(" ")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        message = Received(path, headers, body)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()
        reaction = self._reaction(message)
        try:
            await self.gate.wait()
            await asyncio.sleep(reaction.delay_seconds)
        finally:
            self._at_once -= 1
        if reaction.is_dropped:
            return False
        await self._write(writer, reaction)
        return True

    def _reaction(self, message: Received) -> Reaction:
        asked = self.react(message) if self.react else None
        if asked is not None:
            return asked
        return self.reactions.popleft() if self.reactions else GOOD

    async def _write(self, writer: asyncio.StreamWriter, reaction: Reaction) -> None:
        lines = [f"HTTP/1.1 {reaction.status} {HTTPStatus(reaction.status).phrase}"]
        lines += [f"content-length: {len(reaction.body)}"]
        lines += [f"{name}: {value}" for name, value in reaction.headers.items()]
        whole = "\r\n".join([*lines, "", ""]).encode() + reaction.body
        if reaction.byte_seconds is None:
            writer.write(whole)
        else:
            for byte in whole:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(reaction.byte_seconds)
        await writer.drain()
