import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vek1_api.embedded import processes
from vek1_api.embedded.processes import Child, EmbeddedError, Recipe, free_ports, is_free


def _recipe(folder: Path, *command: str) -> Recipe:
    return Recipe("The child", command, folder / "log", signal.SIGTERM, {})


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert all(map(is_free, ports))


def test_a_child_that_exits_is_reported_with_the_end_of_its_own_log(folder: Path) -> None:
    (folder / "log").write_text("an older run\n")
    child = Child(_recipe(folder, "/bin/sh", "-c", "echo no such thing; exit 3"))

    with pytest.raises(EmbeddedError, match=r"exited \(3\)") as caught:
        child.wait_until(lambda: False, seconds=5)
    assert "no such thing" in str(caught.value)
    assert "an older run" not in str(caught.value)


def test_a_child_that_is_never_ready_is_stopped(folder: Path) -> None:
    child = Child(_recipe(folder, "/bin/sleep", "60"))

    with pytest.raises(EmbeddedError, match=r"was not ready within 0\.05 s"):
        child.wait_until(lambda: False, seconds=0.05)
    assert not child.is_running


def test_a_child_that_ignores_the_polite_signal_is_killed(folder: Path) -> None:
    code = "trap '' TERM; touch ready; while :; do sleep 1; done"
    recipe = Recipe(
        "It",
        ("/bin/sh", "-c", code),
        folder / "log",
        signal.SIGTERM,
        {"PATH": "/usr/bin:/bin"},
        folder=folder,
    )
    child = Child(recipe)
    child.wait_until((folder / "ready").exists, seconds=5)
    child.stop(patience_seconds=0.05)

    assert not child.is_running


def test_a_child_outlives_the_thread_that_asked_for_it(folder: Path) -> None:
    children: list[Child] = []
    recipe = _recipe(folder, "/bin/sleep", "60")
    thread = threading.Thread(target=lambda: children.append(Child(recipe)))
    thread.start()
    thread.join()

    with pytest.raises(subprocess.TimeoutExpired):
        children[0]._process.wait(0.05)  # noqa: SLF001 - The signal needs a moment.
    children[0].stop(patience_seconds=1)


def test_a_program_that_is_not_there_is_an_error_of_ours(folder: Path) -> None:
    child = Child(_recipe(folder, "/nowhere/at/all"))

    with pytest.raises(EmbeddedError, match="No such file or directory"):
        child.wait_until(lambda: False, seconds=5)


def test_a_long_log_begins_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 4)
    (folder / "log").write_text("older\n")
    child = Child(_recipe(folder, "/bin/echo", "newer"))
    with pytest.raises(EmbeddedError):
        child.wait_until(lambda: False, seconds=5)

    assert (folder / "log").read_text() == "newer\n"
    assert (folder / "log.1").read_text() == "older\n"


def test_without_proc_processes_are_found_by_their_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PROC", folder / "missing")
    argument = str(folder)
    code = "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code, argument], stdin=subprocess.PIPE)

    try:
        found = processes.processes_in(folder, Path(sys.executable).name)
        assert found == [child.pid]
        assert os.getpid() not in found
    finally:
        child.communicate()
