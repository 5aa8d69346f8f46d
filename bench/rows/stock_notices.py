"""``stock_notices``: from a sale's commit to its message at the ERP, against a bare POST.

A worker of its own delivers while products of one store sell, a hundred units a second. The
floor posts the bodies of such messages at the same pace, from this process over one kept
connection, without a database, a queue or a signature. Both go to the same server.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import cast
from uuid import UUID

import asyncpg
import httpx
import orjson
from typing_extensions import override

from bench.report import Section
from bench.run import Bench
from bench.shops import Shop, open_shops
from bench.world import World
from vek1_api.embedded.processes import LOOPBACK, Child, Recipe

COLUMNS = (
    "row",
    "messages, p50 / p95 ms",
    "bare POST, p50 / p95 ms",
    "ratio of p50",
    "target",
)
TARGET_P95_MS = 250.0
PER_SECOND = 100
PRODUCTS = 30
SECONDS, QUICK_SECONDS = 6, 3
ROUNDS, QUICK_ROUNDS = 3, 2
PATIENCE_SECONDS = 30
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

_PRODUCTS = """
    INSERT INTO products (store_id, name, price, stock, product_integration_id)
    SELECT $1, 'Café ' || n, 30, 1000000, 'CAF-' || n FROM generate_series(1, $2::int) AS n
    RETURNING id
"""
_CONNECT = """
    INSERT INTO store_stock_sync_settings
        (store_id, outbound_url, outbound_secret, outbound_enabled)
    VALUES ($1, $2, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', true)
"""
_SELL = "SELECT is_moved FROM vek1_api.move_stock($1, $2, '{-1}', 'order_created')"

Key = tuple[str, int]
"""A message: its product, and how many there have been of it."""


class Receiver(asyncio.Protocol):
    """The least server that takes a message: notes when each came, and answers 204."""

    def __init__(self, came: dict[Key, float], last: dict[str, bytes]) -> None:
        self._came, self._last, self._buffer = came, last, b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        # uvloop's are not of asyncio's class.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Take whole messages off what has come."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            start = end + 4
            if len(self._buffer) < start + length:
                return
            body = self._buffer[start : start + length]
            self._buffer = self._buffer[start + length :]
            now = time.perf_counter()
            message = orjson.loads(body)["data"]
            self._came[message["product_id"], message["sequence"]] = now
            self._last["body"] = body
            self._transport.write(ANSWER)


async def run(bench: Bench) -> list[Section]:
    """Sell, and post, in turns."""
    seconds = QUICK_SECONDS if bench.is_quick else SECONDS
    rounds = QUICK_ROUNDS if bench.is_quick else ROUNDS
    (shop,) = await open_shops(bench.world, "stock-notices", 1)
    turns = []
    async with _receiving() as (url, came, last):
        products = await _connected(bench.world, shop, url)
        with _worker(bench.world):
            await _sales(bench.world, shop, products, came, seconds=1)
            for number in range(1, rounds + 1):
                bench.say(f"stock notices: round {number} of {rounds}")
                mine = await _sales(bench.world, shop, products, came, seconds=seconds)
                its = await _posts(url, last["body"], came, seconds=seconds)
                turns.append((_percentiles(mine), _percentiles(its)))
    return [_section(turns)]


@asynccontextmanager
async def _receiving() -> AsyncGenerator[tuple[str, dict[Key, float], dict[str, bytes]]]:
    came: dict[Key, float] = {}
    last: dict[str, bytes] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(came, last), LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{LOOPBACK}:{port}/stock", came, last


async def _connected(world: World, shop: Shop, url: str) -> list[UUID]:
    """Return products of the shop, which tells the receiver from now on."""
    connection = await asyncpg.connect(world.database_url)
    try:
        # What earlier rows left in the queue is not what is measured.
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
        rows = await connection.fetch(_PRODUCTS, shop.store_id, PRODUCTS)
        await connection.execute(_CONNECT, shop.store_id, url)
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
    finally:
        await connection.close()
    return [row["id"] for row in rows]


@contextmanager
def _worker(world: World) -> Iterator[None]:
    """Run a worker as ``vek1-api worker`` does, with its own process."""
    settings = world.settings
    assert settings.s3_secret_key is not None
    environment = {
        "VEK1_DATABASE_URL": world.database_url,
        "VEK1_S3_ENDPOINT": str(settings.s3_endpoint),
        "VEK1_S3_ACCESS_KEY": str(settings.s3_access_key),
        "VEK1_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "VEK1_LOG_LEVEL": "WARNING",
    }
    with tempfile.TemporaryDirectory(prefix="vek1-bench-") as folder:
        recipe = Recipe(
            name="worker",
            command=[sys.executable, "-m", "vek1_api.cli", "worker"],
            log=Path(folder) / "worker.log",
            stop_signal=signal.SIGTERM,
            environment=environment,
            folder=Path(__file__).parents[2],
        )
        child = Child(recipe)
        try:
            yield
        finally:
            child.stop(patience_seconds=PATIENCE_SECONDS)


async def _sales(
    world: World,
    shop: Shop,
    products: list[UUID],
    came: dict[Key, float],
    *,
    seconds: float,
) -> list[float]:
    """Sell at the pace; return the milliseconds from each commit to its message."""
    pool = await asyncpg.create_pool(world.database_url, min_size=8, max_size=8)
    counted = await pool.fetch(
        "SELECT product_id::text, last FROM vek1_api.stock_sequences"
    )
    sequences = defaultdict(int, {row["product_id"]: row["last"] for row in counted})
    committed: dict[Key, float] = {}

    async def sell(number: int) -> None:
        product = products[number % len(products)]
        sequences[str(product)] += 1
        key = str(product), sequences[str(product)]
        await pool.fetch(_SELL, shop.store_id, [product])
        committed[key] = time.perf_counter()

    try:
        await _paced(sell, seconds)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not committed.keys() <= came.keys():  # noqa: ASYNC110 - by the receiver.
                await asyncio.sleep(0.02)
    finally:
        await pool.close()
    # A message may arrive before the answer to the commit does.
    return [max(came[key] - at, 0.0) * 1000 for key, at in committed.items()]


async def _posts(
    url: str, body: bytes, came: dict[Key, float], *, seconds: float
) -> list[float]:
    """Post at the pace; return the milliseconds until each has come."""
    message = orjson.loads(body)
    delays = []

    async with httpx.AsyncClient(trust_env=False) as http:

        async def post(number: int) -> None:
            message["data"] |= {"product_id": "floor", "sequence": number}
            sent = orjson.dumps(message)
            began = time.perf_counter()
            await http.post(url, content=sent)
            delays.append((came["floor", number] - began) * 1000)

        await _paced(post, seconds)
    return delays


async def _paced(act: Callable[[int], Awaitable[None]], seconds: float) -> None:
    """Do it a hundred times a second, however long each takes."""
    began = time.perf_counter()
    running = []
    for number in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        running.append(asyncio.ensure_future(act(number)))
    await asyncio.gather(*running)


def _percentiles(delays: list[float]) -> tuple[float, float]:
    return median(delays), quantiles(delays, n=20)[-1]


Turn = tuple[tuple[float, float], tuple[float, float]]


def _section(turns: list[Turn]) -> Section:
    ratios = [mine[0] / its[0] for mine, its in turns]
    p95 = median(mine[1] for mine, _ in turns)
    row = (
        f"stock notices, {PER_SECOND} movements/s",
        _shown([mine for mine, _ in turns]),
        _shown([its for _, its in turns]),
        f"{median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})",
        f"p95 ≤ {TARGET_P95_MS:.0f} ms",
    )
    missed = [f"stock notices: p95 {p95:.0f} ms, {TARGET_P95_MS:.0f} wanted."]
    note = (
        f"{PRODUCTS} products of one store; from the commit of a movement to its signed message "
        "at the receiver, through the queue and a worker of its own. The bare POST knows its "
        "body and has one connection."
    )
    is_slow = p95 > TARGET_P95_MS
    return Section("Telling the ERP", COLUMNS, [row], note, missed if is_slow else [])


def _shown(percentiles: list[tuple[float, float]]) -> str:
    p50, p95 = (median(each) for each in zip(*percentiles, strict=True))
    return f"{p50:.1f} / {p95:.1f}"
