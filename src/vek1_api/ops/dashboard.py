"""PgQueuer's own dashboard at ``/ops/jobs``, behind the ops token.

A browser asks for a name and a password: any name, and the ops token as password. It opens
its own connections, at the first visit.
"""

import asyncio
import base64
import binascii
from contextlib import AsyncExitStack

import asyncpg
from fastapi import FastAPI
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.web.routes import create_web_router
from pgqueuer.adapters.web.sse import Broadcaster
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vek1_api.access import credentials
from vek1_api.core import jobs
from vek1_api.opening import database_url
from vek1_api.settings import Settings

MAX_CONNECTIONS = 3


class JobsDashboard:
    """An ASGI application; close it when the process ends."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._app = FastAPI(openapi_url=None)
        self._app.include_router(create_web_router())
        self._parts = AsyncExitStack()
        self._is_open = False
        self._opening = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of somebody with the ops token."""
        if not self._is_allowed(Request(scope)):
            refusal = Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
            await refusal(scope, receive, send)
            return
        async with self._opening:
            if not self._is_open:
                await self._open()
        # An application of its own: its links must be made from its routes, below this path.
        own = {**scope, "app": self._app, "app_root_path": scope["root_path"]}
        own.pop("router", None)
        await self._app(own, receive, send)

    async def close(self) -> None:
        """Close the connections, if there are any."""
        await self._parts.aclose()

    async def _open(self) -> None:
        pool = asyncpg.create_pool(
            database_url(self._settings), min_size=0, max_size=MAX_CONNECTIONS
        )
        driver = AsyncpgPoolDriver(await self._parts.enter_async_context(pool))
        await self._parts.enter_async_context(driver)
        broadcaster = Broadcaster(driver=driver, channel=jobs.queue_settings().channel)
        await broadcaster.start()
        self._app.state.pgq_queries = jobs.queries_of(driver)
        self._app.state.pgq_broadcaster = broadcaster
        self._is_open = True

    def _is_allowed(self, request: Request) -> bool:
        offered = _offered(request.headers.get("authorization", ""))
        expected = self._settings.ops_token
        if not offered or expected is None:
            return False
        return credentials.is_one_of(offered, [expected])


def _offered(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return value.strip() if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
