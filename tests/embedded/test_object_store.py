import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import urllib3
from minio import Minio

from vek1_api.embedded.object_store import EmbeddedObjectStore
from vek1_api.embedded.processes import PROC, InUseError, processes_in

# Each starts a cluster, and stopping it politely takes a second.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

KEYS: Any = {"access_key": "vek1", "secret_key": "a-secret-of-the-tests"}


@contextmanager
def _client(endpoint: str) -> Iterator[Minio]:
    pool = urllib3.PoolManager()
    host = endpoint.removeprefix("http://")
    yield Minio(host, **KEYS, secure=False, region="us-east-1", http_client=pool)
    pool.clear()


def _put(endpoint: str) -> None:
    with _client(endpoint) as client:
        client.make_bucket("shop")
        client.put_object("shop", "kept", BytesIO(b"seven"), 5)


def _get(endpoint: str) -> bytes:
    with _client(endpoint) as client:
        response = client.get_object("shop", "kept")
        try:
            return bytes(response.data)
        finally:
            response.close()


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_objects_and_address_survive_a_restart_and_a_kill(folder: Path) -> None:
    with EmbeddedObjectStore(folder / "s3", **KEYS) as store:
        endpoint = store.start()
        _put(endpoint)
    assert store.pid is None
    assert (folder / "s3" / "identities.json").stat().st_mode & 0o777 == 0o600

    with EmbeddedObjectStore(folder / "s3", **KEYS) as store:
        assert store.start() == endpoint
        _kill(store.pid)

        assert store.start() == endpoint
        with _client(endpoint) as client:
            client.put_object("shop", "later", BytesIO(b"eight"), 5)
        assert _get(endpoint) == b"seven"


def test_objects_survive_a_change_of_ports(folder: Path) -> None:
    with EmbeddedObjectStore(folder / "s3", **KEYS) as store:
        _put(store.start())
        first = store.port
    (folder / "s3" / "ports.json").unlink()

    with EmbeddedObjectStore(folder / "s3", **KEYS) as store:
        assert store.port != first
        assert _get(store.start()) == b"seven"


def test_two_run_side_by_side_and_one_folder_is_held_once(folder: Path) -> None:
    with (
        EmbeddedObjectStore(folder / "a", **KEYS) as one,
        EmbeddedObjectStore(folder / "b", **KEYS) as two,
    ):
        _put(one.start())
        _put(two.start())
        with pytest.raises(InUseError):
            EmbeddedObjectStore(folder / "a", **KEYS).start()
        assert _get(one.start()) == b"seven"


@pytest.mark.skipif(not PROC.is_dir(), reason="reads the kernel's table of sockets")
def test_every_listener_is_on_loopback(folder: Path) -> None:
    with EmbeddedObjectStore(folder / "s3", **KEYS) as store:
        assert processes_in(folder / "s3" / "objects", "weed") == [store.pid]
        sockets = {
            str(link.readlink())
            for link in (PROC / str(store.pid) / "fd").iterdir()
            if link.is_symlink()
        }
        rows = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in (PROC / "net" / table).read_text().splitlines()[1:]
        ]
        listening = [
            r[1].split(":")[0]
            for r in rows
            if f"socket:[{r[9]}]" in sockets
            if r[3] == "0A"
        ]
    assert len(listening) == 10
    assert set(listening) == {"0100007F"}
    assert processes_in(folder / "s3" / "objects", "weed") == []
