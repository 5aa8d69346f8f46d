"""``vek1-api`` as a person starts it: a process with a data folder and a port of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from vek1_api.embedded.parts import marker, processes_marked
from vek1_api.embedded.processes import free_ports, is_free

PATIENCE_SECONDS = 60
COMMAND = [sys.executable, "-m", "vek1_api.cli"]


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings instead of its own."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith("VEK1_")
    }
    # Wide, so that no message is broken into lines.
    return own | {"COLUMNS": "200"} | {f"VEK1_{k.upper()}": v for k, v in settings.items()}


def command(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def wait_until(condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds; it must in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Run:
    """One ``vek1-api run``."""

    folder: Path
    demo: bool = False
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def settings(self) -> dict[str, str]:
        return {
            "data_dir": str(self.folder),
            "port": str(self.port),
            "demo": str(self.demo),
        }

    @property
    def output(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.out").read_text()

    @property
    def endpoints(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads((self.folder / "endpoints.json").read_bytes())
        return found

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = orjson.loads((self.folder / "secrets.json").read_bytes())
        return found

    @property
    def pids(self) -> list[int]:
        pids = self.endpoints["pids"]
        return [*pids["api"], *pids["worker"], pids["postgres"], pids["store"]]

    @property
    def ports(self) -> list[int]:
        known = self.endpoints
        urls = (known["api"], known["database_url"], known["s3"]["endpoint"])
        return [port for url in urls if (port := urlsplit(url).port)]

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with (self.folder.parent / f"{self.folder.name}.out").open("wb") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "run"],
                env=environment(**self.settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> None:
        """Start it and wait for its last words."""
        self.launch()
        wait_until(lambda: self.has_exited or "Ctrl-C stops everything" in self.output)
        assert not self.has_exited, self.output

    @property
    def has_exited(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_SECONDS)

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.endpoints['api']}/health/ready", trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the API as the front end does."""
        headers = {
            "Authorization": f"Bearer {self.secrets['service_token']}",
            "X-Actor-User-Id": "user-of-the-run",
        }
        url = f"{self.endpoints['api']}{path}"
        return httpx.request(method, url, headers=headers, trust_env=False, **options)


def leaves_nothing(run: Run, pids: list[int], ports: list[int]) -> bool:
    """Tell whether no process of a run is alive and nobody listens where it did."""
    return (
        not any(map(is_alive, pids))
        and not processes_marked(marker(run.folder))
        and all(map(is_free, ports))
    )


@contextmanager
def started(run: Run) -> Iterator[Run]:
    """Lend a run that is ready, and stop it."""
    try:
        run.start()
        yield run
    finally:
        if run.process is not None and not run.has_exited:
            run.signal(signal.SIGTERM)
            run.wait()
