"""The product as it runs: an API and a worker on one database, killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from tests.crashes.gateway import Gateway
from tests.crashes.waiting import Sweep, until
from tests.crashes.wire import Wire
from tests.fakes.embedding_server import EmbeddingServer
from tests.people import OPS_TOKEN, SERVICE_TOKEN
from tests.run.process import COMMAND, environment
from vek1_api.core.resources import Resources
from vek1_api.embedded.processes import free_ports

ROOT = Path(__file__).parents[2]

_RULES = {
    "an order has more than one payment (I3)": """
        SELECT orders.id FROM public.orders
        WHERE (SELECT count(*) FROM public.order_events AS event
               WHERE event.order_id = orders.id AND event.type = 'payment_paid') > 1
           OR (SELECT count(*) FROM public.payment_attempts AS attempt
               WHERE attempt.order_id = orders.id AND attempt.status = 'paid') > 1
    """,
    "a transaction stays open (I8)": """
        SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'vek1-%'
        AND state LIKE 'idle in transaction%'
        AND xact_start < now() - interval '5 seconds'
    """,
    "a job was given up": "SELECT id FROM vek1_api.pgqueuer WHERE status = 'failed'",
}
"""What ``vek1-api doctor`` does not look at."""


class Part(StrEnum):
    """A process that can be killed."""

    API = "API"
    WORKER = "worker"


@dataclass
class Product:
    """Everything that runs; ``wires`` are its two processes' connections to Postgres."""

    folder: Path
    settings: dict[str, str]
    wires: dict[Part, Wire]
    gateway: Gateway
    resources: Resources
    db: "asyncpg.Pool[asyncpg.Record]"
    http: httpx.AsyncClient
    sweep: Sweep = field(default_factory=lambda: Sweep(1))
    _running: "dict[Part, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def start(self, part: Part) -> None:
        """Start a process; whoever needs it waits until it answers."""
        url = make_url(self.settings["database_url"])
        wired = url.set(host="127.0.0.1", port=self.wires[part].port)
        own = {"database_url": wired.render_as_string(hide_password=False)}
        command = (
            [*COMMAND, "api"]
            if part is Part.API
            else [sys.executable, "-m", "tests.crashes.worker"]
        )
        with (self.folder / f"{part.lower()}.log").open("ab") as log:
            self._running[part] = subprocess.Popen(
                command,
                env=environment(**self.settings | own),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, part: Part) -> None:
        """Kill a process as the kernel does when memory is short."""
        process = self._running.pop(part)
        assert process.poll() is None, f"the {part} ended by itself"
        process.kill()
        process.wait()

    def freeze(self, part: Part) -> None:
        """Let a process stand wherever it is."""
        os.kill(self._running[part].pid, signal.SIGSTOP)

    def stop(self) -> None:
        """Kill what runs."""
        while self._running:
            _, process = self._running.popitem()
            process.kill()
            process.wait()

    async def is_ready(self) -> bool:
        """Return whether the API answers."""
        try:
            answer = await self.http.get("/health/ready")
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    async def is_quiet(self) -> bool:
        """Return whether no job waits or runs that could run now."""
        waiting = await self.db.fetchval(
            "SELECT count(*) FROM vek1_api.pgqueuer WHERE status = 'picked'"
            " OR status = 'queued' AND execute_after <= now()"
        )
        return not waiting

    async def problems(self) -> list[str]:
        """Return what is wrong with the rows and the bucket, in words."""
        doctor = await asyncio.create_subprocess_exec(
            *[*COMMAND, "doctor"],
            env=environment(**self.settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await doctor.communicate()
        found = [] if doctor.returncode == 0 else [said.decode()]
        for sentence, query in _RULES.items():
            found += [f"{sentence}: {row[0]}" for row in await self.db.fetch(query)]
        return found


@asynccontextmanager
async def started(
    folder: Path, resources: Resources, **settings: str
) -> AsyncGenerator[Product]:
    """Lend a product that answers, on the migrated database of ``resources``."""
    port = free_ports(1)[0]
    there = make_url(settings["database_url"])
    async with AsyncExitStack() as stack:
        wires = {
            part: await stack.enter_async_context(
                Wire(there.host or "", there.port or 5432)
            )
            for part in Part
        }
        gateway = await stack.enter_async_context(Gateway())
        # Of two charges under one id of ours, each would cost the customer money.
        gateway.state.on_repeated_external_id = "new"
        embedder = await stack.enter_async_context(EmbeddingServer())
        http = await stack.enter_async_context(_client(port))
        db: Any = await stack.enter_async_context(
            asyncpg.create_pool(settings["database_url"], min_size=1, max_size=20)
        )
        settings |= {
            "port": str(port),
            # Each point keeps one for as long as it stands.
            "database_pool_size": "80",
            "data_dir": str(folder),
            "public_url": f"http://127.0.0.1:{port}",
            "service_tokens": SERVICE_TOKEN,
            "ops_token": OPS_TOKEN,
            "encryption_keys": "encryption-" + SERVICE_TOKEN,
            "abacatepay_url": gateway.url,
            "embedder": "openai",
            "embedding_url": embedder.url,
        }
        product = Product(folder, settings, wires, gateway, resources, db, http)
        stack.callback(product.stop)
        for part in Part:
            product.start(part)
        await until(product.is_ready)
        yield product


def _client(port: int) -> httpx.AsyncClient:
    # A connection for each request: one that died with a process is not taken for the next.
    limits = httpx.Limits(max_keepalive_connections=0)
    url = f"http://127.0.0.1:{port}"
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False)
