"""``vek1-api run``: everything on one machine, started in order, stopped in order."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from vek1_api.core.schema import migrate
from vek1_api.demo.seed import Demo, seed
from vek1_api.embedded import endpoints, provisioning
from vek1_api.embedded.endpoints import Endpoints, ObjectStoreEndpoint, Pids
from vek1_api.embedded.object_store import EmbeddedObjectStore
from vek1_api.embedded.parts import Part, Program, Server, marker, processes_marked
from vek1_api.embedded.postgres import EmbeddedPostgres
from vek1_api.embedded.processes import EmbeddedError, FolderLock, Recipe, end_all
from vek1_api.embedded.screen import Screen
from vek1_api.embedded.secrets import DevelopmentSecrets, keep_secrets
from vek1_api.embedded.supervisor import StopRequestedError, Supervisor
from vek1_api.opening import database_url, open_resources
from vek1_api.settings import Environment, Settings

READY_SECONDS = 900
"""A model of two gigabytes may have to be downloaded first."""

LEFTOVER_SECONDS = 10
ASK_SECONDS = 10


def run(settings: Settings, screen: Screen) -> None:
    """Start everything, keep it alive, and stop it when a signal comes.

    Raises ``InUseError`` when another ``run`` holds the folder, ``EmbeddedError`` when a
    part cannot start or keeps dying. Nothing is left running in any case.
    """
    with Supervisor() as supervisor:
        try:
            _Run(settings, screen, supervisor).start()
            supervisor.watch()
        except StopRequestedError:
            screen.say("Stopping.")
        except EmbeddedError:
            # Ctrl-C also reaches what a part runs in the foreground, which then fails.
            if not supervisor.is_stopping:
                raise
    screen.say("Stopped.")


class _Run:
    """One start; the settings become complete as the parts come up."""

    def __init__(self, settings: Settings, screen: Screen, supervisor: Supervisor) -> None:
        self._settings = settings
        self._screen = screen
        self._supervisor = supervisor
        self._secrets: DevelopmentSecrets | None = None
        self._parts: dict[str, list[Part]] = {}

    def start(self) -> None:
        """Start the parts in order, and say what to do with them."""
        started = time.monotonic()
        self._take_folder()
        self._screen.say(f"vek1-api, in {self._settings.data_dir}")
        self._start_database()
        self._start_store()
        with self._screen.step("bucket and migrations"):
            self._supervisor.watch_while(self._prepare())
        self._start_programs()
        with self._screen.step("API, worker and model") as wait_for:
            self._await_readiness(wait_for)
        self._publish()
        self._supervisor.on_restart = self._publish
        demo = self._demo() if self._settings.demo else None
        self._introduce(demo, time.monotonic() - started)

    def _take_folder(self) -> None:
        folder = provisioning.data_folder(self._settings)
        self._supervisor.at_the_end(FolderLock.take(folder).release)
        _end_leftovers(marker(folder))
        self._supervisor.at_the_end(partial(endpoints.remove, folder))
        port = self._supervisor.enter(_reserved(self._settings.host, self._settings.port))
        self._settings = provisioning.located(self._settings, port)
        if self._settings.environment is Environment.DEVELOPMENT:
            self._secrets = keep_secrets(folder)
            self._settings = provisioning.with_secrets(self._settings, self._secrets)

    def _start_database(self) -> None:
        if self._settings.database_url is None:
            folder = self._settings.data_dir / "postgres"
            server = EmbeddedPostgres(folder)
            with self._screen.step("Postgres with pgvector"):
                self._add(
                    "postgres", [self._part("postgres", server, folder / "server.log")]
                )
            self._settings = provisioning.with_database(self._settings, server.start())

    def _start_store(self) -> None:
        if self._settings.s3_endpoint is None and self._secrets is not None:
            folder = self._settings.data_dir / "store"
            keys = self._secrets.s3_access_key, self._secrets.s3_secret_key
            server = EmbeddedObjectStore(folder, access_key=keys[0], secret_key=keys[1])
            with self._screen.step("object store"):
                self._add(
                    "store", [self._part("Object store", server, folder / "server.log")]
                )
            self._settings = provisioning.with_store(
                self._settings, server.start(), self._secrets
            )

    async def _prepare(self) -> None:
        resources = open_resources(self._settings)
        try:
            await resources.bucket.ensure()
        finally:
            await resources.close()
        await migrate(database_url(self._settings))

    def _start_programs(self) -> None:
        settings = self._settings
        api = ["api", "--share-port"]
        self._add("api", [self._program(api, n) for n in range(settings.api_processes)])
        self._add(
            "worker",
            [self._program(["worker"], n) for n in range(settings.worker_processes)],
        )

    def _program(self, words: Sequence[str], number: int) -> Part:
        name = words[0] if number == 0 else f"{words[0]}-{number + 1}"
        log = self._settings.data_dir / "logs" / f"{name}.log"
        word = marker(self._settings.data_dir)
        recipe = Recipe(
            name=name,
            command=[sys.executable, "-X", word, "-m", "vek1_api.cli", *words],
            log=log,
            stop_signal=signal.SIGTERM,
            # They need what we were given too: paths, proxies, a model's cache.
            environment={
                **os.environ,  # noqa: TID251
                **provisioning.environment_of(self._settings),
            },
        )
        return self._part(name, Program(recipe), log)

    def _part(self, name: str, server: Server, log: Path) -> Part:
        return Part(name, server, log, partial(self._screen.say, style="yellow"))

    def _add(self, kind: str, parts: list[Part]) -> None:
        self._parts[kind] = parts
        self._supervisor.start(parts)

    def _await_readiness(self, wait_for: Callable[[str], None]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        address = f"{provisioning.address_of(self._settings)}/health/ready"
        with httpx.Client(timeout=ASK_SECONDS, trust_env=False) as client:

            def is_ready() -> bool:
                missing = _missing_parts(client, address)
                wait_for(missing)
                if missing and time.monotonic() > deadline:
                    message = f"not ready after {READY_SECONDS} s: {missing}"
                    raise EmbeddedError(message)
                return not missing

            self._supervisor.watch(is_ready, may_restart=False)

    def _publish(self) -> None:
        """Write ``endpoints.json`` as it is now."""
        settings = self._settings
        api = provisioning.address_of(settings)
        pids = {
            kind: [part.pid for part in parts if part.pid is not None]
            for kind, parts in self._parts.items()
        }
        secret = settings.s3_secret_key
        Endpoints(
            api=api,
            docs=f"{api}/docs",
            database_url=database_url(settings),
            s3=ObjectStoreEndpoint(
                endpoint=str(settings.s3_endpoint).rstrip("/"),
                access_key=settings.s3_access_key or "",
                secret_key=secret.get_secret_value() if secret else "",
                bucket=settings.s3_bucket,
                public_url=str(settings.s3_public_url or settings.s3_endpoint).rstrip("/"),
            ),
            pids=Pids(
                supervisor=os.getpid(),
                api=pids["api"],
                worker=pids["worker"],
                postgres=next(iter(pids.get("postgres", [])), None),
                store=next(iter(pids.get("store", [])), None),
            ),
        ).write(settings.data_dir)

    def _demo(self) -> Demo:
        """Return the demo shop, made the first time that this folder is used."""
        known = Demo.kept_in(self._settings.data_dir)
        if known is not None:
            return known
        with self._screen.bar("demo shop, indexed") as advance:
            demo = self._supervisor.watch_while(
                seed(
                    provisioning.address_of(self._settings),
                    self._settings.service_tokens[0].get_secret_value(),
                    advance,
                )
            )
        demo.keep_in(self._settings.data_dir)
        return demo

    def _introduce(self, demo: Demo | None, seconds: float) -> None:
        api = provisioning.address_of(self._settings)
        say = self._screen.say
        say(f"Ready after {seconds:.1f} s.", style="bold green")
        say()
        say(f"  docs            {api}/docs")
        if self._secrets is None:
            return  # Production: its secrets are nobody's business here.
        settings = self._settings
        token = settings.service_tokens[0].get_secret_value()
        say(f"  service token   {token}")
        if settings.ops_token is not None:
            say(f"  ops token       {settings.ops_token.get_secret_value()}")
        if demo is not None:
            say(f"  demo user       {demo.user_id}   (X-Actor-User-Id)")
            say()
            say("Ask the demo shop:", style="bold")
            say()
            say(demo.curl(api, token))
        say()
        say("Ctrl-C stops everything; what is stored stays.")


def _missing_parts(client: httpx.Client, address: str) -> str:
    """Return what is not ready yet, in words; empty when all is."""
    try:
        answer = client.get(address)
    except httpx.HTTPError as error:
        return f"the API does not answer ({type(error).__name__})"
    if answer.is_success:
        return ""
    parts = answer.json().get("parts", {})
    return "; ".join(
        f"{name}: {part['detail']}" for name, part in parts.items() if part["detail"]
    )


def _end_leftovers(word: str) -> None:
    """End the children of a ``run`` that was killed; we hold the lock, so nobody needs them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if end_all(lambda: processes_marked(word), number, seconds=LEFTOVER_SECONDS):
            return


@contextmanager
def _reserved(host: str, port: int) -> Generator[int]:
    """Hold a port without listening on it, and lend its number; 0 takes a free one.

    Our API processes share it; nobody else can have it, not even between two of them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial, socket.socket(family) as held:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            trial.bind((host, port))
            port = int(trial.getsockname()[1])
            trial.close()
            held.bind((host, port))
        except OSError as error:
            message = f"cannot listen on {host}:{port} ({error.strerror}); set VEK1_PORT"
            raise EmbeddedError(message) from error
        yield port
