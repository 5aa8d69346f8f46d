"""The queue: in the transaction that causes a job, once, again when it fails, held at last."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from structlog.testing import capture_logs

from tests.jobs.running import count_jobs, drain, forget_jobs, until, working
from tests.people import Person
from vek1_api import worker
from vek1_api.core import context, jobs
from vek1_api.core.db import driver_of
from vek1_api.core.jobs import Handled, PermanentJobError
from vek1_api.core.resources import Resources


@contextmanager
def handling(name: str, run: jobs.Handler, **more: Any) -> Generator[None]:
    """Register a kind of job for a block."""
    jobs.HANDLERS[name] = Handled(run, **({"max_attempts": 3, "concurrency": 0} | more))
    try:
        yield
    finally:
        del jobs.HANDLERS[name]


@pytest.fixture
def name() -> str:
    return f"tests.work_{uuid4().hex[:8]}"


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_RETRY_SECONDS", 0.001)


async def enqueue(resources: Resources, name: str, *payloads: jobs.Payload) -> None:
    async with resources.database.transaction() as tx:
        for payload in payloads:
            await jobs.enqueue(tx, name, payload)


async def test_job_of_a_transaction_that_fails_does_not_exist(
    resources: Resources, name: str
) -> None:
    before = await count_jobs(resources)

    async def fail() -> None:
        async with resources.database.transaction() as tx:
            await jobs.enqueue(tx, name)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await count_jobs(resources) == before


async def test_job_gets_what_it_was_given(
    resources: Resources, database_url: str, name: str
) -> None:
    seen: list[Any] = []

    async def run(given: Resources, payload: jobs.Payload) -> None:
        seen.append((given, payload))

    with handling(name, run):
        await enqueue(resources, name, {"id": "a", "n": 1}, {})
        await drain(resources, database_url)

    assert sorted(seen, key=str) == sorted(
        [(resources, {"id": "a", "n": 1}), (resources, {})], key=str
    )
    assert await count_jobs(resources) == await count_jobs(resources, "failed") == 0


async def test_job_is_the_one_that_pgqueuer_itself_would_add(
    resources: Resources, name: str
) -> None:
    token = context.request_id.set("pedido-42")
    wait, headers = timedelta(minutes=5), {"request_id": "pedido-42"}
    async with resources.database.transaction() as tx:
        driver = await driver_of(tx)
        theirs = jobs.queries_of(AsyncpgDriver(driver))
        await jobs.enqueue(tx, name, {"n": 1}, after=wait, once=f"{name}:1", priority=3)
        await theirs.enqueue(name, b'{"n":1}', 3, wait, f"{name}:2", headers)
        rows = await driver.fetch(
            "SELECT to_jsonb(job) - ARRAY['id', 'dedupe_key'] AS job,"
            " to_jsonb(log) - ARRAY['id', 'job_id'] AS log"
            " FROM vek1_api.pgqueuer AS job"
            " JOIN vek1_api.pgqueuer_log AS log ON log.job_id = job.id"
            " WHERE job.entrypoint = $1",
            name,
        )
    context.request_id.reset(token)

    assert len(rows) == 2
    assert rows[0] == rows[1]


async def test_once_makes_a_second_job_unneeded_until_the_first_has_run(
    resources: Resources, database_url: str, name: str
) -> None:
    runs = 0

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        nonlocal runs
        runs += 1

    with handling(name, run):
        for expected in (1, 2):
            for _ in range(3):
                async with resources.database.transaction() as tx:
                    await jobs.enqueue(tx, name, once=name)
            await drain(resources, database_url)
            assert runs == expected


@pytest.mark.usefixtures("impatience")
async def test_job_that_fails_is_tried_again_until_it_succeeds(
    resources: Resources, database_url: str, name: str
) -> None:
    runs = 0

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            message = "not yet"
            raise ValueError(message)

    with handling(name, run), capture_logs() as log:
        await enqueue(resources, name, {})
        await drain(resources, database_url)

    assert runs == 3
    assert [(entry["event"], entry["attempts"]) for entry in log] == [
        ("job_failed", 1),
        ("job_failed", 2),
    ]
    assert await count_jobs(resources) == await count_jobs(resources, "failed") == 0


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize(
    ("error", "runs", "max_attempts"), [(ValueError, 3, 3), (PermanentJobError, 1, 3)]
)
async def test_job_that_keeps_failing_is_held(
    resources: Resources,
    database_url: str,
    name: str,
    error: type[Exception],
    runs: int,
    max_attempts: int,
) -> None:
    count = 0

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        nonlocal count
        count += 1
        raise error

    with handling(name, run, max_attempts=max_attempts), capture_logs() as log:
        await enqueue(resources, name, {})
        await drain(resources, database_url)
        await drain(resources, database_url)

    assert count == runs
    assert (log[-1]["event"], log[-1]["attempts"]) == ("job_held", runs)
    assert await count_jobs(resources, "failed") == 1
    await forget_jobs(resources)


@pytest.mark.usefixtures("impatience")
async def test_job_that_fails_holds_no_other_up(
    resources: Resources, database_url: str, name: str
) -> None:
    seen: set[int] = set()

    async def run(_resources: Resources, payload: jobs.Payload) -> None:
        if payload["n"] % 2:
            raise ValueError
        seen.add(payload["n"])

    with handling(name, run), capture_logs():
        await enqueue(resources, name, *({"n": number} for number in range(20)))
        await drain(resources, database_url)

    assert seen == set(range(0, 20, 2))
    assert await count_jobs(resources, "failed") == 10
    await forget_jobs(resources)


def test_waits_double_up_to_ten_minutes() -> None:
    waits = [worker._backoff(attempts).total_seconds() for attempts in range(12)]  # noqa: SLF001

    for attempts, seconds in enumerate(waits):
        middle = min(2.0 * 2**attempts, 600)
        assert 0.75 * middle <= seconds <= 1.25 * middle


async def test_request_id_goes_along_into_the_job(
    resources: Resources, database_url: str, name: str
) -> None:
    seen: list[str | None] = []

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        seen.append(context.request_id.get())

    with handling(name, run):
        token = context.request_id.set("pedido-42")
        await enqueue(resources, name, {})
        context.request_id.set("pedido-43")
        await enqueue(resources, name, {})
        context.request_id.reset(token)
        await drain(resources, database_url)

    assert sorted(map(str, seen)) == ["pedido-42", "pedido-43"]


async def test_request_id_of_an_upload_is_that_of_its_job(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"

    response = await ana.request(
        "POST",
        path,
        json={"title": "a", "content": "b"},
        headers={"X-Request-Id": "envio-7"},
    )

    assert response.headers["X-Request-Id"] == "envio-7"
    async with resources.database.driver() as driver:
        headers = await driver.fetchval(
            "SELECT headers::text FROM vek1_api.pgqueuer WHERE dedupe_key LIKE $1",
            f"documents.index:{response.json()['id']}:%",
        )
    assert '"request_id": "envio-7"' in headers
    assert (await ana.audit(action="document.created"))[0]["request_id"] == "envio-7"
    await forget_jobs(resources)


async def test_worker_wakes_up_when_a_job_is_added(
    resources: Resources, database_url: str, name: str
) -> None:
    ran = asyncio.Event()

    async def run(_resources: Resources, payload: jobs.Payload) -> None:
        if payload["n"] == 2:
            ran.set()
        warm.set()

    warm = asyncio.Event()
    with handling(name, run):
        async with working(resources, database_url):
            await enqueue(resources, name, {"n": 1})
            await asyncio.wait_for(warm.wait(), 5)
            await enqueue(resources, name, {"n": 2})
            await asyncio.wait_for(ran.wait(), 1)


async def test_worker_that_is_told_to_stop_finishes_what_it_has_begun(
    resources: Resources, database_url: str, name: str
) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    stop = asyncio.Event()
    with handling(name, run):
        task = asyncio.create_task(
            worker.run(resources, database_url=database_url, stop=stop)
        )
        await enqueue(resources, name, {})
        await begun.wait()
        stop.set()
        done, _ = await asyncio.wait({task}, timeout=0.05)
        assert not done
        may_end.set()
        await task

    assert ended.is_set()
    # Of this kind: a worker's periodic tasks may add others at any full minute.
    for status in ("queued", "picked"):
        assert await count_jobs(resources, status, name) == 0


@pytest.mark.slow
async def test_two_workers_run_each_job_once(
    resources: Resources, database_url: str, name: str
) -> None:
    """Slow: two workers, two hundred jobs."""
    seen: list[int] = []

    async def run(_resources: Resources, payload: jobs.Payload) -> None:
        await asyncio.sleep(0)
        seen.append(payload["n"])

    async def all_ran() -> bool:
        return len(seen) >= 200

    with handling(name, run):
        async with working(resources, database_url), working(resources, database_url):
            await enqueue(resources, name, *({"n": number} for number in range(200)))
            await until(all_ran)

    assert sorted(seen) == list(range(200))


async def test_no_more_jobs_of_a_kind_run_at_once_than_it_says(
    resources: Resources, database_url: str, name: str
) -> None:
    running = most = 0

    async def run(_resources: Resources, _payload: jobs.Payload) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1

    with handling(name, run, concurrency=2):
        await enqueue(resources, name, *({} for _ in range(8)))
        await asyncio.gather(drain(resources, database_url), drain(resources, database_url))

    assert 1 <= most <= 2


@pytest.mark.slow
@pytest.mark.timeout(30)
async def test_worker_comes_back_after_its_connection_is_cut(
    resources: Resources, database_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: a worker starts twice."""
    monkeypatch.setattr(worker, "RECONNECT_SECONDS", 0.01)
    seen: list[int] = []

    async def run(_resources: Resources, payload: jobs.Payload) -> None:
        seen.append(payload["n"])

    async def have(count: int) -> bool:
        return len(seen) >= count

    with handling(name, run), capture_logs():
        async with working(resources, database_url):
            await enqueue(resources, name, {"n": 1})
            await until(lambda: have(1))
            async with resources.database.driver() as driver:
                cut = await driver.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE application_name = 'vek1-worker' AND datname = current_database()"
                )
            assert cut == 1
            await enqueue(resources, name, {"n": 2})
            await until(lambda: have(2), seconds=15)

    assert seen == [1, 2]


async def test_every_periodic_task_is_registered_with_the_database(
    resources: Resources, database_url: str
) -> None:
    async def scheduled() -> set[str]:
        async with resources.database.driver() as driver:
            rows = await driver.fetch("SELECT entrypoint FROM vek1_api.pgqueuer_schedules")
        return {row["entrypoint"] for row in rows}

    async def all_are() -> bool:
        return await scheduled() == set(jobs.PERIODIC)

    async with working(resources, database_url):
        await until(all_are)

    assert {"documents.resume", "files.sweep", "ops.heal"} <= set(jobs.PERIODIC)


def test_every_kind_of_job_is_named_by_its_domain() -> None:
    for name in (*jobs.HANDLERS, *jobs.PERIODIC):
        domain, _, verb = name.partition(".")
        assert domain.isidentifier(), name
        assert verb.isidentifier(), name
