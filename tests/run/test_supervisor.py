import asyncio
import os
import signal
import sys
from pathlib import Path

import orjson
import pytest

from tests.run.process import wait_until
from vek1_api.embedded import endpoints, parts
from vek1_api.embedded.parts import Part, Program
from vek1_api.embedded.processes import EmbeddedError, Recipe
from vek1_api.embedded.screen import LogTail, readable
from vek1_api.embedded.secrets import keep_secrets, known_service_token, replace_privately
from vek1_api.embedded.supervisor import StopRequestedError, Supervisor


def _part(folder: Path, code: str, said: list[str]) -> Part:
    recipe = Recipe(
        name="part",
        command=["/bin/sh", "-c", code],
        log=folder / "part.log",
        stop_signal=signal.SIGTERM,
        environment={"PATH": "/usr/bin:/bin"},
        folder=folder,
    )
    return Part("part", Program(recipe), folder / "part.log", said.append)


def test_a_part_that_keeps_dying_stops_everything_and_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "FIRST_WAIT_SECONDS", 0.0)
    said: list[str] = []
    code = "echo started >> starts; echo no such table; exit 3"

    with Supervisor() as supervisor:
        supervisor.start([_part(tmp_path, code, said)])
        with pytest.raises(EmbeddedError) as caught:
            supervisor.watch()

    assert str(caught.value).startswith("part died 6 times in a row; the end of ")
    assert str(caught.value).endswith("no such table")
    assert (tmp_path / "starts").read_text() == "started\n" * 6
    assert said.count("part died; starting it again") == 5


def test_a_part_that_cannot_start_is_not_tried_again(tmp_path: Path) -> None:
    code = "echo started >> starts; echo no such module; exit 3"

    with Supervisor() as supervisor:
        supervisor.start([_part(tmp_path, code, [])])
        with pytest.raises(EmbeddedError, match="part cannot start") as caught:
            supervisor.watch(may_restart=False)

    assert str(caught.value).endswith("no such module")
    assert (tmp_path / "starts").read_text() == "started\n"


def test_a_signal_ends_the_watch_and_the_parts_stop_in_the_opposite_order(
    tmp_path: Path,
) -> None:
    code = "trap 'echo {0} >> ../order; exit 0' TERM; touch ready; while :; do sleep 0.01; done"
    folders = [tmp_path / name for name in ("first", "second")]
    before = signal.getsignal(signal.SIGTERM)

    with Supervisor() as supervisor:
        for folder in folders:
            folder.mkdir()
            supervisor.start([_part(folder, code.format(folder.name), [])])
        supervisor.watch(lambda: all((each / "ready").exists() for each in folders))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequestedError):
            supervisor.watch()

    assert (tmp_path / "order").read_text() == "second\nfirst\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_parts_are_watched_while_something_else_is_done(tmp_path: Path) -> None:
    code = "echo started >> starts; test -e again && exec sleep 60; touch again"
    starts = tmp_path / "starts"

    def has_restarted() -> bool:
        return starts.exists() and starts.read_text() == "started\nstarted\n"

    async def until_restarted() -> str:
        await asyncio.to_thread(wait_until, has_restarted)
        return "done"

    with Supervisor() as supervisor:
        supervisor.start([_part(tmp_path, code, [])])
        assert supervisor.watch_while(until_restarted()) == "done"


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    first, second = keep_secrets(tmp_path), keep_secrets(tmp_path)

    assert first == second
    kept = orjson.loads((tmp_path / "secrets.json").read_bytes())
    assert len(set(kept.values())) == 6
    assert min(map(len, kept.values())) >= 32
    assert known_service_token(tmp_path) == first.service_token
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_new_leaves_the_others_alone(tmp_path: Path) -> None:
    replace_privately(tmp_path / "secrets.json", {"service_token": "kept"})

    assert keep_secrets(tmp_path).service_token == "kept"
    assert len(keep_secrets(tmp_path).ops_token) >= 32


def test_endpoints_of_a_dead_run_are_not_believed(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    found = {
        "api": "http://127.0.0.1:1",
        "docs": "http://127.0.0.1:1/docs",
        "database_url": "postgresql://127.0.0.1:1/vek1",
        "s3": dict.fromkeys(
            ("endpoint", "access_key", "secret_key", "bucket", "public_url"), "x"
        ),
        "pids": {
            "supervisor": child,
            "api": [],
            "worker": [],
            "postgres": None,
            "store": None,
        },
    }
    replace_privately(tmp_path / "endpoints.json", found)
    assert endpoints.of_running(tmp_path) is None

    replace_privately(
        tmp_path / "endpoints.json",
        found | {"pids": found["pids"] | {"supervisor": os.getpid()}},  # type: ignore[operator]
    )
    living = endpoints.of_running(tmp_path)
    assert living is not None
    assert living.api == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"event":"request","level":"info"}', None),
        ('{"event":"job_held","level":"error","job_id":7}', "error job_held job_id=7"),
        (
            '{"event":"job_failed","level":"warning","exception":"Traceback\\nKeyError: 1"}',
            "warning job_failed KeyError: 1",
        ),
        ("Segmentation fault", "Segmentation fault"),
        ("", None),
    ],
)
def test_a_log_line_is_shown_when_a_person_must_see_it(
    line: str, shown: str | None
) -> None:
    assert readable(line) == shown


def test_a_long_burst_of_a_log_is_shown_by_its_end(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("from an earlier run\n")
    tail = LogTail("api", log)
    with log.open("a") as stream:
        stream.writelines(f"line {number}\n" for number in range(9))
        stream.write("half a li")

    assert tail.news() == [
        f"api: see {log}; it ends with",
        *(f"api: line {number}" for number in range(4, 9)),
    ]
    assert tail.news() == []
