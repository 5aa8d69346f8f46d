"""An OpenAI-compatible embedding server on a real socket, which can misbehave on demand.

It answers ``POST /v1/embeddings`` as TEI does: bearer key, model by name, at most 32
inputs, no blank input. A text's vector is the sum of its words' own random directions, so
texts that share words are near each other, and a text has the same vector in every run.
"""

import asyncio
import hashlib
import json
import re
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import numpy as np

MAX_INPUTS = 32


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of a good answer.

    ``status`` answers with an error, ``body`` with those bytes, ``is_cut`` breaks the
    connection half-way through the answer, ``dimensions`` gives vectors of that dimension.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    is_cut: bool = False
    dimensions: int | None = None


class EmbeddingServer:
    """``async with EmbeddingServer() as server``, then ``server.url``."""

    def __init__(
        self, *, model: str = "BAAI/bge-m3", dimensions: int = 1024, api_key: str = ""
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.api_key = api_key
        self.is_shuffled = True  # Entries come in reverse, each with its index.
        self.faults: deque[Fault] = deque()  # The next requests meet these, in order.
        self.requests: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.gate = asyncio.Event()  # Cleared, it holds every request of several inputs.
        self.gate.set()
        self._arrived = asyncio.Condition()
        self._at_once = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def received(self, count: int) -> None:
        """Wait until that many requests have come in."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        self.gate.set()
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has gone.
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Read one request, answer it, and say whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            status, extra, answer, is_cut = await self._answer(method, path, headers, body)
        finally:
            self._at_once -= 1
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += ["content-type: application/json", f"content-length: {len(answer)}"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        whole = "\r\n".join([*lines, "", ""]).encode() + answer
        writer.write(whole[: len(whole) // 2] if is_cut else whole)
        await writer.drain()
        return not is_cut

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes, bool]:
        if self.api_key and headers.get("authorization") != f"Bearer {self.api_key}":
            return 401, {}, _error("Incorrect API key provided."), False
        if (method, path) != ("POST", "/v1/embeddings"):
            return 404, {}, b"Not Found", False
        question = json.loads(body)
        async with self._arrived:
            self.requests.append(question)
            self._arrived.notify_all()
        fault = self.faults.popleft() if self.faults else Fault()
        texts: list[str] = question["input"]
        if len(texts) > 1:
            await self.gate.wait()
        if fault.status != HTTPStatus.OK:
            said = _error("The server says why.") if fault.body is None else fault.body
            return fault.status, fault.headers, said, False
        if question["model"] != self.model:
            return 404, {}, _error("The model does not exist."), False
        if len(texts) > MAX_INPUTS or not all(texts):
            return 422, {}, _error(f"batch size {len(texts)} or a blank input"), False
        answer = fault.body
        if answer is None:
            answer = self._vectors(texts, fault.dimensions or self.dimensions)
        return 200, fault.headers, answer, fault.is_cut

    def _vectors(self, texts: list[str], dimensions: int) -> bytes:
        data = [
            {"object": "embedding", "index": index, "embedding": meaning(text, dimensions)}
            for index, text in enumerate(texts)
        ]
        tokens = sum(len(text.split()) for text in texts)
        answer = {
            "object": "list",
            "data": data[::-1] if self.is_shuffled else data,
            "model": self.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return json.dumps(answer).encode()


def meaning(text: str, dimensions: int) -> list[float]:
    """Return the vector of a text: not of length 1, as some servers' are not."""
    total = np.zeros(dimensions)
    for word in re.findall(r"\w+", text.lower()) or [text]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).standard_normal(dimensions)
    return [round(float(component), 6) for component in total]


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "error"}}).encode()
