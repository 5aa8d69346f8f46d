"""The wire between a process and Postgres, on which a process can be made to stand.

A process that is killed just before its COMMIT leaves, or just before the answer to its
COMMIT comes in, is as unlucky as can be. No hook in the product makes it stand there: this
forwards every byte of a process's connections, and keeps back the one in question.
"""

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
READY = b"Z\x00\x00\x00\x05I"
"""What Postgres ends an answer with, outside a transaction."""

_CHUNK = 65_536


@dataclass
class Stand:
    """Where one transaction is to stand; it is found by bytes that it sends."""

    marker: bytes
    is_before: bool
    """Before its last message leaves, else before the answer to that comes in."""
    nth: int = 1
    """Which of the transactions that send the marker."""
    is_single: bool = False
    """Whether it is one statement without BEGIN and COMMIT."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def is_here(self, sent: bytes, *, is_commit: bool, is_open: bool) -> bool:
        """Return whether a message, after ``sent`` in its transaction, is the one."""
        is_last = not is_open if self.is_single else is_commit
        if not is_last or self.marker not in sent:
            return False
        self.nth -= 1
        return self.nth == 0


@dataclass
class _Line:
    """One connection of the process."""

    is_open: bool = False
    sent: bytes = b""
    stand: Stand | None = None
    answer: bytes = b""


class Wire:
    """``async with Wire(host, port) as wire``, then ``wire.port`` stands for Postgres."""

    def __init__(self, host: str, port: int) -> None:
        self._there = host, port
        self._stands: list[Stand] = []
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def before_commit(self, marker: bytes, nth: int = 1) -> Stand:
        """Let a transaction stand with everything written and its COMMIT not sent."""
        return self._add(Stand(marker, is_before=True, nth=nth))

    def after_commit(self, marker: bytes, nth: int = 1) -> Stand:
        """Let a transaction stand committed, its process not knowing that yet."""
        return self._add(Stand(marker, is_before=False, nth=nth))

    def before_statement(self, marker: bytes) -> Stand:
        """Let a statement that is a transaction by itself stand before it is sent."""
        return self._add(Stand(marker, is_before=True, is_single=True))

    def after_statement(self, marker: bytes) -> Stand:
        """Let such a statement stand done, its process not knowing that yet."""
        return self._add(Stand(marker, is_before=False, is_single=True))

    def _add(self, stand: Stand) -> Stand:
        self._stands.append(stand)
        return stand

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        current = asyncio.current_task()
        assert current is not None
        self._lines.add(current)
        line, ends = _Line(), [writer]
        try:
            there, there_writer = await asyncio.open_connection(*self._there)
            ends.append(there_writer)
            pumps = {
                asyncio.create_task(self._ask(line, reader, there_writer)),
                asyncio.create_task(_answer(line, there, writer)),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # One side has gone, or we go.
        finally:
            self._lines.discard(current)
            for end in ends:
                end.transport.abort()

    async def _ask(
        self, line: _Line, reader: asyncio.StreamReader, there: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            stand = self._stand_at(line, data)
            if stand is not None and stand.is_before:
                stand.reached.set()
                await reader.read()  # Until the process has gone.
                return
            line.stand = line.stand or stand
            there.write(data)
            await there.drain()

    def _stand_at(self, line: _Line, data: bytes) -> Stand | None:
        if data[:1] == b"Q" and data[5:10] == b"BEGIN":
            line.is_open, line.sent = True, b""
        is_commit = data == COMMIT
        line.sent = line.sent + data if line.is_open else data
        for stand in self._stands:
            if stand.is_here(line.sent, is_commit=is_commit, is_open=line.is_open):
                self._stands.remove(stand)
                return stand
        if is_commit or data[5:13] == b"ROLLBACK":
            line.is_open, line.sent = False, b""
        return None


async def _answer(
    line: _Line, there: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while data := await there.read(_CHUNK):
        if line.stand is None:
            writer.write(data)
            await writer.drain()
            continue
        line.answer += data
        if line.answer.endswith(READY):
            line.stand.reached.set()
