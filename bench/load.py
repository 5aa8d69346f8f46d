"""A load generator in a process of its own: raw HTTP/1.1 over connections kept alive.

It does next to nothing per request, so that on a small machine it leaves the processor to what
is measured. Each connection sends its next request when the answer to the last has come.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from typing import cast
from uuid import uuid4

import numpy as np
import orjson
import uvloop
from typing_extensions import override

from vek1_api.embedded.processes import LOOPBACK

CONNECTIONS = 16
KEY = "0" * 36
"""Stands in a request where each sending has a text of its own, as long as this one."""

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the generator measured; latencies in milliseconds."""

    requests_per_second: float
    p50: float
    p99: float


class LoadError(Exception):
    """Some answers were no successes, so the figures mean nothing."""


def request(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes = b"",
) -> str:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + body.decode()


async def run(
    port: int, requests: Iterable[str], *, seconds: float, connections: int = CONNECTIONS
) -> Load:
    """Send the requests in turn, over and over, and return what was measured.

    Raises ``LoadError`` when an answer is not a success.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    order = {"port": port, "seconds": seconds, "connections": connections}
    out, _ = await process.communicate(orjson.dumps(order | {"requests": list(requests)}))
    if process.returncode != 0:
        message = f"the load generator ended with {process.returncode}"
        raise LoadError(message)
    answer = orjson.loads(out)
    if answer["refusals"]:
        message = f"some answers were no success; by status: {answer['refusals']}"
        raise LoadError(message)
    return Load(**answer["load"])


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], taken: list[float]) -> None:
        self._requests = requests
        self._taken = taken
        self._received = b""
        self.refusals: dict[str, str] = {}
        self.is_over = False
        self.lost = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        end = received.find(_END_OF_HEAD)
        if end < 0 or len(received) < end + len(_END_OF_HEAD) + _length(received[:end]):
            self._received = received
            return
        self._taken.append(time.perf_counter() - self._sent_at)
        self._received = b""
        if not received.startswith(b"HTTP/1.1 2"):
            self.refusals[received[9:12].decode()] = received[end:].decode().strip()
        if self.is_over:
            self._transport.close()
        else:
            self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over:
            self.refusals["none"] = "the connection was lost"
        self.lost.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))


def _length(head: bytes) -> int:
    start = head.lower().find(_LENGTH) + len(_LENGTH)
    return int(head[start:].partition(b"\r")[0])


def _endless(requests: Sequence[str]) -> Iterator[bytes]:
    own, placeholder, run_id = count(), KEY.encode(), uuid4().hex[:16]
    for each in cycle([text.encode() for text in requests]):
        if placeholder in each:
            yield each.replace(placeholder, f"{run_id}{next(own):020}".encode())
        else:
            yield each


async def _measure(
    port: int, requests: Sequence[str], seconds: float, connections: int
) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    wanted = _endless(requests)
    began = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: _Connection(wanted, taken), LOOPBACK, port))[
            1
        ]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    answered, elapsed = len(taken), time.perf_counter() - began
    for each in opened:
        each.is_over = True
    await asyncio.wait([each.lost for each in opened], timeout=10)
    p50, p99 = np.percentile(np.array(taken) * 1000, [50, 99]).tolist()
    refusals = dict(item for each in opened for item in each.refusals.items())
    load = {"requests_per_second": answered / elapsed, "p50": p50, "p99": p99}
    return {"load": load, "refusals": refusals}


def _main() -> None:
    order = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(_measure(**order))))


if __name__ == "__main__":
    _main()
