"""What a person sees of ``vek1-api run``: steps with their times, warnings, the last words."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

LOUD = frozenset({"warning", "error", "critical"})
QUIET_FIELDS = frozenset({"event", "level", "timestamp", "exception", "logger"})
NAME_WIDTH = 34
LONG_SECONDS = 20
MOST_LINES = 5
"""Of a log at a time; a traceback is read in the file."""

Advance = Callable[[int, int], None]
"""Takes how many are done, and of how many."""


class Screen:
    """A terminal, or a file: then one plain line per step, without colours."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    @contextmanager
    def step(self, name: str) -> Generator[Callable[[str], None]]:
        """Show that something takes its time, and then how long it took.

        What is lent tells what it waits for; once that takes long, not only on a terminal.
        """
        started = time.monotonic()
        with self._console.status(name) as status:
            said = ""

            def wait_for(what: str) -> None:
                nonlocal said
                status.update(f"{name}: {what}")
                if what != said and time.monotonic() - started > LONG_SECONDS:
                    self.say(f"  {name}: {what}")
                    said = what

            yield wait_for
        self._done(name, started)

    @contextmanager
    def bar(self, name: str) -> Generator[Advance]:
        """Show a progress bar, and then how long it took."""
        started = time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        interactive = self._console.is_terminal
        with Progress(
            *columns, console=self._console, transient=True, disable=not interactive
        ) as progress:
            task = progress.add_task(name, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        self._done(name, started)

    def say(self, line: str = "", *, style: str | None = None) -> None:
        """Print a line as it is: never wrapped, so that it can be copied."""
        self._console.print(line, style=style, markup=False, soft_wrap=True)

    def _done(self, name: str, started: float) -> None:
        self.say(f"  {name:<{NAME_WIDTH}} {time.monotonic() - started:6.1f} s")


class LogTail:
    """What a child adds to its log from now on; only what a person must see."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def news(self) -> list[str]:
        """Return the new lines that warn, each as a person reads it."""
        if not self._path.exists():
            return []
        size = self._path.stat().st_size
        if size < self._offset:  # It was begun anew.
            self._offset = 0
        if size == self._offset:
            return []
        with self._path.open("rb") as log:
            log.seek(self._offset)
            whole, newline, _rest = log.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        lines = whole.decode(errors="replace").splitlines()
        texts = [f"{self._name}: {text}" for line in lines if (text := readable(line))]
        if len(texts) <= MOST_LINES:
            return texts
        return [f"{self._name}: see {self._path}; it ends with", *texts[-MOST_LINES:]]


def readable(line: str) -> str | None:
    """Return a log line for people: ``None`` below a warning, and as it is when not ours."""
    try:
        event: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line.rstrip() or None
    if not isinstance(event, Mapping):
        return line
    if event.get("level") not in LOUD:
        return None
    details = " ".join(
        f"{name}={value}" for name, value in event.items() if name not in QUIET_FIELDS
    )
    trace = str(event.get("exception", "")).rstrip().rpartition("\n")[2]
    return " ".join(filter(None, [event["level"], event.get("event"), details, trace]))
