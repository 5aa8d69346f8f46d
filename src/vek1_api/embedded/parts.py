"""The parts that ``vek1-api run`` keeps alive: each is started again when it dies."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from vek1_api.embedded.processes import PROC, Child, EmbeddedError, Recipe
from vek1_api.embedded.screen import LogTail

STEADY_SECONDS = 10
"""A part that lived longer than this has recovered: its deaths are forgotten."""

MOST_DEATHS = 5
FIRST_WAIT_SECONDS = 0.5
STOP_SECONDS = 10
TAIL_LINES = 15

Report = Callable[[str], None]


class Server(Protocol):
    """Something that runs in a process of its own and can be started again."""

    @property
    def pid(self) -> int | None:
        """The process id; ``None`` when it does not run."""
        ...

    def start(self) -> object:
        """Start it; nothing happens when it runs."""
        ...

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        ...


class Program:
    """One of our own processes, as a :class:`Server`."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id; ``None`` when it does not run."""
        return self._child.pid if self._child and self._child.is_running else None

    def start(self) -> None:
        """Start it; whether it is ready is asked over HTTP."""
        if self.pid is None:
            self._child = Child(self._recipe)

    def stop(self) -> None:
        """Ask it to stop; kill it when it has not after a while."""
        if self._child is not None:
            self._child.stop(patience_seconds=STOP_SECONDS)
            self._child = None


class Part:
    """A server that is watched: dead, it is started again, at once and then with backoff."""

    def __init__(self, name: str, server: Server, log: Path, report: Report) -> None:
        self.name = name
        self._server = server
        self._log = log
        self._report = report
        # The logs of Postgres and the object store are for their own experts.
        self._tail = LogTail(name, log) if isinstance(server, Program) else None
        self._deaths = 0
        self._started_at = 0.0
        self._due_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id; ``None`` when it does not run."""
        return self._server.pid

    def start(self) -> None:
        """Start it the first time."""
        self._started_at = time.monotonic()
        self._server.start()

    def tend(self, *, may_restart: bool = True) -> bool:
        """Start it again if it is dead and due; tell whether it was started.

        Raises ``EmbeddedError`` with the end of its log when it keeps dying, and at its
        first death unless it ``may_restart``.
        """
        if not may_restart and self.pid is None:
            message = f"{self.name} cannot start; {self._end_of_log()}"
            raise EmbeddedError(message)
        for line in self._tail.news() if self._tail else ():
            self._report(line)
        now = time.monotonic()
        if self.pid is not None:
            if self._deaths and now - self._started_at > STEADY_SECONDS:
                self._deaths = 0
            return False
        if self._due_at is None:
            self._due_at = now + self._wait_after_death()
        if now < self._due_at:
            return False
        self._due_at = None
        return self._restart()

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def _wait_after_death(self) -> float:
        self._deaths += 1
        if self._deaths > MOST_DEATHS:
            message = (
                f"{self.name} died {self._deaths} times in a row; {self._end_of_log()}"
            )
            raise EmbeddedError(message)
        self._report(f"{self.name} died; starting it again")
        return 0.0 if self._deaths == 1 else FIRST_WAIT_SECONDS * 2 ** (self._deaths - 2)

    def _restart(self) -> bool:
        self._started_at = time.monotonic()
        try:
            self._server.start()
        except EmbeddedError as error:
            self._report(str(error))
            return False
        return True

    def _end_of_log(self) -> str:
        lines = (
            self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        )
        tail = "\n  ".join(lines[-TAIL_LINES:]) or "(empty)"
        return f"the end of {self._log}:\n  {tail}"


def stop_together(parts: list[Part]) -> None:
    """Stop several parts at the same time, and wait for all."""
    if parts:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(Part.stop, parts))


def marker(data_dir: Path) -> str:
    """Return the word in the command line of every process of ours on this folder."""
    return f"vek1={data_dir}"


def processes_marked(word: str) -> list[int]:
    """Return the pids of the processes that carry a marker; their supervisor may be dead."""
    if PROC.is_dir():
        return [pid for pid, words in _linux_commands() if word in words]
    listing = subprocess.run(
        ["/bin/ps", "-axwwo", "pid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=1) for line in listing.stdout.splitlines()]
    return [int(row[0]) for row in rows if len(row) > 1 and f" {word} " in row[1]]


def _linux_commands() -> list[tuple[int, list[str]]]:
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text(errors="replace").split("\0")
        except OSError:  # It has ended, or is not ours to look at.
            continue
        found.append((int(entry.name), words))
    return found
