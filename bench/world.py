"""The servers that are measured: Postgres as in production, an object store, app and floor.

The app and the floor are one uvicorn process each, started alike. All of it is on loopback,
lives in one folder, and dies with this process.
"""

import secrets
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from vek1_api.core.schema import migrate
from vek1_api.embedded.object_store import EmbeddedObjectStore
from vek1_api.embedded.postgres import EmbeddedPostgres
from vek1_api.embedded.processes import LOOPBACK, Child, Recipe, answers, free_ports
from vek1_api.opening import open_resources
from vek1_api.settings import Settings

STORE_KEY = "vek1"
READY_SECONDS = 60
STOP_SECONDS = 5
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log")


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is; ``settings`` are those of the app."""

    settings: Settings
    database_url: str
    service_token: str
    app_port: int
    floor_port: int

    @property
    def app_url(self) -> str:
        """The app's base address."""
        return f"http://{LOOPBACK}:{self.app_port}"

    def headers(self, user_id: str) -> dict[str, str]:
        """Return the credentials of the front end, acting for a user."""
        return {
            "Authorization": f"Bearer {self.service_token}",
            "X-Actor-User-Id": user_id,
        }


@contextmanager
def servers(folder: Path) -> Generator[dict[str, str]]:
    """Lend an empty, durable Postgres and an object store, as the settings name them."""
    secret_key = secrets.token_hex(16)
    store = EmbeddedObjectStore(
        folder / "store", access_key=STORE_KEY, secret_key=secret_key
    )
    postgres = EmbeddedPostgres(folder / "postgres", durable=True)
    (folder / "postgres").mkdir()
    (folder / "store").mkdir()
    try:
        yield {
            "database_url": postgres.start(),
            "s3_endpoint": store.start(),
            "s3_access_key": STORE_KEY,
            "s3_secret_key": secret_key,
            "encryption_keys": secrets.token_hex(32),
        }
    finally:
        store.stop()
        postgres.discard()


@contextmanager
def processes(folder: Path, given: dict[str, str]) -> Generator[World]:
    """Start the app and the floor over a migrated database."""
    token = secrets.token_hex(32)
    values = given | {"service_tokens": token, "demo": "false"}
    environment = {f"VEK1_{name.upper()}": value for name, value in values.items()}
    app_port, floor_port = free_ports(2)
    app = _child(folder, "app", "vek1_api.main:app_factory", app_port, environment)
    try:
        floor = _child(folder, "floor", "bench.floor:app_factory", floor_port, environment)
        try:
            yield World(
                settings=_settings(given, token),
                database_url=given["database_url"],
                service_token=token,
                app_port=app_port,
                floor_port=floor_port,
            )
        finally:
            floor.stop(patience_seconds=STOP_SECONDS)
    finally:
        app.stop(patience_seconds=STOP_SECONDS)


async def prepare(given: dict[str, str]) -> None:
    """Migrate the database and make the bucket."""
    await migrate(given["database_url"])
    resources = open_resources(_settings(given, secrets.token_hex(32)))
    try:
        await resources.bucket.ensure()
    finally:
        await resources.close()


def _settings(given: dict[str, str], token: str) -> Settings:
    values = given | {"demo": False, "service_tokens": (SecretStr(token),)}
    return Settings.model_validate(values)


def _child(
    folder: Path, name: str, factory: str, port: int, environment: dict[str, str]
) -> Child:
    where = ["--factory", factory, "--host", LOOPBACK, "--port", str(port)]
    recipe = Recipe(
        name=name,
        command=[sys.executable, "-m", "uvicorn", *where, *UVICORN],
        log=folder / f"{name}.log",
        stop_signal=signal.SIGINT,
        environment=environment,
        folder=Path(__file__).parents[1],
    )
    child = Child(recipe)
    child.wait_until(lambda: answers(port), seconds=READY_SECONDS)
    return child
