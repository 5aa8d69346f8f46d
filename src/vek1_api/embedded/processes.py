"""What the embedded servers share: ports, locks, and children that die with their owner."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
LEASH = Path(__file__).with_name("leash.py")
PROC = Path("/proc")
LOG_LIMIT_BYTES = 16 * 1024 * 1024
POLL_SECONDS = 0.01

# The kernel ties a child to the *thread* that started it: a pool thread that goes idle
# would take the servers along. This thread lives as long as the process.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-starter")

Finished = subprocess.CompletedProcess[str]


class EmbeddedError(Exception):
    """An embedded server cannot do what was asked; the message says why."""


class InUseError(EmbeddedError):
    """Another live process runs a server on the same data folder."""


@dataclass(frozen=True)
class Account:
    """A system account that a child runs as."""

    uid: int
    gid: int


def free_ports(count: int) -> list[int]:
    """Return ``count`` different loopback ports on which nobody listens at the moment."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind((LOOPBACK, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a loopback port; its last connections do not count."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


class FolderLock:
    """A folder held for this process; the kernel lets go when the process dies."""

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Take the lock, or raise ``InUseError`` naming the process that has it."""
        file = os.open(folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 32, 0).decode() or "unknown"
            os.close(file)
            message = (
                f"{folder} is in use by a server that process {owner} started; "
                "stop that one, or choose another data folder"
            )
            raise InUseError(message) from None
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        return cls(file)

    def release(self) -> None:
        """Let go."""
        os.close(self._file)


@dataclass(frozen=True)
class Recipe:
    """How to run a server, where it logs and works, and its polite signal."""

    name: str
    command: Sequence[str]
    log: Path
    stop_signal: signal.Signals
    environment: Mapping[str, str]
    account: Account | None = None
    folder: Path | None = None


class Child:
    """One running server, in a session of its own: Ctrl-C reaches us, and we stop it.

    On Linux the kernel sends it the recipe's ``stop_signal`` when this process dies.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._log_start = _rotate(recipe.log)
        self._process = _starter.submit(self._launch).result()

    def _launch(self) -> subprocess.Popen[bytes]:
        recipe = self._recipe
        account = recipe.account or Account(-1, -1)
        leash = (os.getpid(), int(recipe.stop_signal), account.uid, account.gid)
        log = os.open(recipe.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - Every argument is ours.
                [sys.executable, "-I", "-S", str(LEASH), *map(str, leash), *recipe.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(recipe.environment),
                cwd=recipe.folder,
                start_new_session=True,
            )
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the server has not exited."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return once ``ready()`` holds.

        Raises ``EmbeddedError`` with the end of the server's log when it exits first or
        the time is over; the server is then stopped.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.is_running:
                raise EmbeddedError(self._report(f"exited ({self._process.returncode})"))
            if time.monotonic() > deadline:
                self.stop(patience_seconds=1)
                raise EmbeddedError(self._report(f"was not ready within {seconds:g} s"))
            time.sleep(POLL_SECONDS)

    def stop(self, *, patience_seconds: float) -> None:
        """Ask the server to stop, kill it when it has not after ``patience_seconds``."""
        if self.is_running:
            self._process.send_signal(self._recipe.stop_signal)
            try:
                self._process.wait(patience_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def _report(self, what: str) -> str:
        with self._recipe.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()[-15:]
        tail = "\n  ".join(lines) or "(empty)"
        return f"{self._recipe.name} {what}; the end of {self._recipe.log}:\n  {tail}"


def run_as(
    account: Account | None,
    command: Sequence[str],
    *,
    text: str,
    environment: Mapping[str, str],
) -> Finished:
    """Run a program to its end with ``text`` as its input; a failure is not an error here."""
    return subprocess.run(  # noqa: S603 - Every argument is ours.
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=dict(environment),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
    )


def processes_in(folder: Path, program: str) -> list[int]:
    """Return the pids of ``program`` whose working folder is ``folder``.

    Zombies do not count. Without /proc (macOS), those whose command line names both.
    """
    if not PROC.is_dir():
        return _processes_naming(folder, program)
    wanted, found = os.path.realpath(folder), []
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):  # It has ended, or is not ours to look at.
            is_program = (entry / "comm").read_text().strip() == program
            if is_program and str((entry / "cwd").readlink()) == wanted:
                found.append(int(entry.name))
    return found


def end_all(pids: Callable[[], list[int]], sent: signal.Signals, *, seconds: float) -> bool:
    """Signal whatever ``pids()`` lists and tell whether the list is empty in time."""
    for pid in pids():
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
    deadline = time.monotonic() + seconds
    while pids():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _rotate(log: Path) -> int:
    """Begin a long log anew, and return where the next line goes, in bytes."""
    if not log.exists():
        return 0
    if log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
        return 0
    return log.stat().st_size


def _processes_naming(folder: Path, program: str) -> list[int]:
    listing = subprocess.run(
        ["/bin/ps", "-axwwo", "pid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=1) for line in listing.stdout.splitlines()]
    return [
        int(row[0])
        for row in rows
        if len(row) > 1 and str(folder) in row[1] and f"{program} " in row[1]
    ]
