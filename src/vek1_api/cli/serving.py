"""The two long-running commands: ``api`` and ``worker``."""

import socket

import uvicorn

from vek1_api import worker
from vek1_api.cli.errors import CommandError
from vek1_api.cli.finding import require_migrated
from vek1_api.opening import database_url, open_resources
from vek1_api.settings import Settings

PATIENCE_SECONDS = 5
"""How long a request that has begun may take when the API is told to stop."""


async def require_everything(settings: Settings) -> None:
    """Raise an error of one line unless the API can do its work."""
    await open_resources(settings).close()
    await require_migrated(settings)


def serve(settings: Settings, *, share_port: bool) -> None:
    """Serve until a signal comes."""
    listener = _listener(settings, share_port=share_port)
    config = uvicorn.Config(
        "vek1_api.main:app_factory",
        factory=True,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


async def work(settings: Settings) -> None:
    """Run jobs until a signal comes."""
    stop = worker.stop_on_signals()
    resources = open_resources(settings, application_name="vek1-worker")
    try:
        await require_migrated(settings)
        await worker.run(resources, database_url=database_url(settings), stop=stop)
    finally:
        await resources.close()


def _listener(settings: Settings, *, share_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        message = f"Cannot listen on {where} ({error.strerror}); set VEK1_PORT."
        raise CommandError(message) from error
    return listener
