import asyncio
import os
import shlex
import signal
from itertools import pairwise
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest

from tests.run.process import Run, command, leaves_nothing, started, wait_until
from vek1_api.embedded.processes import free_ports

# Real servers start, stop and are killed, maybe on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def _pid(run: Run, part: str) -> int:
    pid = run.endpoints["pids"][part]
    return int(pid[0] if isinstance(pid, list) else pid)


@pytest.mark.parametrize("part", ["api", "worker", "postgres", "store"])
def test_a_part_that_is_killed_comes_back_and_is_published(running: Run, part: str) -> None:
    before = running.endpoints
    killed = _pid(running, part)

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: _pid(running, part) != killed and running.is_ready())
    after = running.endpoints
    assert {**after, "pids": {}} == {**before, "pids": {}}
    others = set(before["pids"]) - {part}
    assert {name: after["pids"][name] for name in others} == {
        name: before["pids"][name] for name in others
    }


def test_endpoints_are_those_of_the_contract_and_for_the_owner_only(running: Run) -> None:
    found = running.endpoints

    assert list(found) == ["api", "docs", "database_url", "s3", "pids"]
    assert list(found["s3"]) == [
        "endpoint",
        "access_key",
        "secret_key",
        "bucket",
        "public_url",
    ]
    assert list(found["pids"]) == ["supervisor", "api", "worker", "postgres", "store"]
    assert found["api"] == f"http://127.0.0.1:{running.port}"
    assert found["pids"]["supervisor"] == running.process.pid  # type: ignore[union-attr]
    for name in ("endpoints.json", "secrets.json"):
        assert (running.folder / name).stat().st_mode & 0o777 == 0o600


def test_the_printed_curl_gets_a_cited_answer(running: Run) -> None:
    output = running.output
    words = shlex.split(output[output.index("curl ") :].split("\n\n")[0])
    url = next(word for word in words if word.startswith("http"))
    values = {flag: [b for a, b in pairwise(words) if a == flag] for flag in ("-H", "-d")}
    headers = dict(line.split(": ", 1) for line in values["-H"])

    answer = httpx.post(url, headers=headers, content=values["-d"][0], trust_env=False)

    assert answer.status_code == 200
    found = answer.json()["items"][0]
    assert found["title"] == "Política de trocas e devoluções"
    assert "7 dias corridos depois de receber o produto" in found["chunk"]["text"]


def test_the_docs_and_the_tokens_are_printed(running: Run) -> None:
    assert f"{running.endpoints['docs']}\n" in running.output
    assert running.secrets["service_token"] in running.output
    assert running.secrets["ops_token"] in running.output


def test_a_second_run_on_the_same_folder_is_refused_and_told_by_whom(running: Run) -> None:
    before = running.endpoints
    second = command("run", data_dir=str(running.folder), port=str(free_ports(1)[0]))

    assert second.returncode == 1
    assert second.stderr == (
        f"vek1-api: {running.folder} is in use by a server that process "
        f"{before['pids']['supervisor']} started; stop that one, or choose another data folder\n"
    )
    assert running.endpoints == before
    assert running.is_ready()


def test_a_port_in_use_is_one_line_and_nothing_is_left(running: Run, parent: Path) -> None:
    other = parent / "other"
    refused = command("run", data_dir=str(other), port=str(running.port))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"vek1-api: cannot listen on 127.0.0.1:{running.port} (Address already in use); "
        "set VEK1_PORT\n"
    )
    assert leaves_nothing(Run(other), [], [])
    assert not (other / "endpoints.json").exists()
    assert running.is_ready()


def test_doctor_finds_the_run_and_nothing_wrong(running: Run) -> None:
    done = command("doctor", data_dir=str(running.folder))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "PostgreSQL 16" in done.stdout
    assert "vector 0.8" in done.stdout
    assert "512 dimensions" in done.stdout


def test_doctor_names_what_a_push_of_the_front_end_dropped_and_fixes_it(
    running: Run,
) -> None:
    worker = _pid(running, "worker")
    os.kill(worker, signal.SIGSTOP)  # Else it might heal this first.
    try:
        asyncio.run(_execute(running, "DROP INDEX vek1_api.document_chunks_terms_idx"))
        examined = command("doctor", data_dir=str(running.folder))
        fixed = command("doctor", "--fix", data_dir=str(running.folder))
    finally:
        os.kill(worker, signal.SIGCONT)

    assert examined.returncode == 1
    assert "index vek1_api.document_chunks_terms_idx is missing" in examined.stdout
    assert fixed.returncode == 0, fixed.stdout
    assert "building vek1_api.document_chunks_terms_idx" in fixed.stdout


async def _execute(run: Run, statement: str) -> None:
    connection = await asyncpg.connect(run.endpoints["database_url"])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_migrating_again_changes_nothing(running: Run) -> None:
    again = command("migrate", data_dir=str(running.folder))

    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == [
        "migrating the database",
        "the database is up to date",
    ]


def test_seeding_again_makes_nothing_new(running: Run) -> None:
    demo = orjson.loads((running.folder / "demo.json").read_bytes())

    again = command("seed", data_dir=str(running.folder))

    assert again.returncode == 0, again.stderr
    assert f"/v1/stores/{demo['store_id']}/search" in again.stdout
    headers = {
        "X-Actor-User-Id": demo["user_id"],
        "Authorization": f"Bearer {running.secrets['service_token']}",
    }
    url = f"{running.endpoints['api']}/v1/stores/{demo['store_id']}/usage"
    counts = httpx.get(url, headers=headers, trust_env=False).json()["counts"]
    assert (counts["agents"], counts["products"]) == (1, 85)
    assert counts["documents"] == 6 + 85  # Each product speaks.


def test_reembedding_with_the_same_model_has_nothing_to_do(running: Run) -> None:
    done = command("reembed", data_dir=str(running.folder))

    assert done.returncode == 0, done.stderr


def test_a_killed_run_takes_its_children_along_and_the_next_goes_on(parent: Path) -> None:
    with started(Run(parent / "life")) as run:
        body = {"user_id": "user-of-the-run", "name": "Serra Azul"}
        made = run.call("POST", "/internal/company/ensure", json=body)
        assert made.status_code == 201
        pids, ports, secrets = run.pids, run.ports, run.secrets

        run.signal(signal.SIGKILL)
        run.wait()
        wait_until(lambda: leaves_nothing(run, pids, ports))

        run.start()
        assert run.secrets == secrets
        assert run.call("GET", "/v1/company").json() == made.json()
        pids, ports = run.pids, run.ports

        run.signal(signal.SIGTERM)
        run.signal(signal.SIGINT)
        assert run.wait() == 0
        assert leaves_nothing(run, pids, ports)
        assert not (run.folder / "endpoints.json").exists()
        assert run.output.endswith("Stopping.\nStopped.\n")


def test_a_run_that_is_stopped_while_it_starts_leaves_nothing(parent: Path) -> None:
    run = Run(parent / "early")
    run.launch()
    wait_until(lambda: "object store" in run.output)

    run.signal(signal.SIGTERM)

    assert run.wait() == 0
    assert "Ready" not in run.output
    assert leaves_nothing(run, [], [run.port])
