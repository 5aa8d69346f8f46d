"""Runs due jobs: any number of workers at once, each job on one of them."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import orjson
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule

from vek1_api.core import context, jobs, metrics
from vek1_api.core.jobs import Handled, Periodic, PermanentJobError
from vek1_api.core.resources import Resources
from vek1_api.domains import load_jobs

HEARTBEAT_TIMEOUT = timedelta(seconds=12)
"""After this long without a sign of life, another worker takes the job."""

DEQUEUE_TIMEOUT = timedelta(seconds=5)
"""How often a worker looks by itself, should a notification be lost."""

MAX_CONCURRENT_JOBS = 20
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 600.0
RECONNECT_SECONDS = 2.0

log = structlog.get_logger()


async def run(resources: Resources, *, database_url: str, stop: asyncio.Event) -> None:
    """Run jobs until ``stop``, across restarts of the database; then finish those begun."""
    load_jobs()
    while not stop.is_set():
        try:
            await _run_connected(resources, database_url, stop)
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
            TimeoutError,
        ) as error:
            log.warning("worker_disconnected", error=type(error).__name__)
            await _pause(stop)


async def _run_connected(
    resources: Resources, database_url: str, stop: asyncio.Event
) -> None:
    connection = await asyncpg.connect(
        database_url, server_settings={"timezone": "UTC", "application_name": "vek1-worker"}
    )
    try:
        driver = AsyncpgDriver(connection)
        queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))
        register(queuer, resources)
        connection.add_termination_listener(lambda _connection: queuer.shutdown.set())
        stopping = asyncio.create_task(_forward(stop, queuer.shutdown))
        try:
            await queuer.run(
                dequeue_timeout=DEQUEUE_TIMEOUT,
                batch_size=MAX_CONCURRENT_JOBS // 2,
                max_concurrent_tasks=MAX_CONCURRENT_JOBS,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
            )
        finally:
            stopping.cancel()
    finally:
        if not connection.is_closed():
            await connection.close(timeout=5)


def register(queuer: PgQueuer, resources: Resources) -> None:
    """Tell PgQueuer about every handler and every periodic task."""
    for name, handled in jobs.HANDLERS.items():
        queuer.entrypoint(name, concurrency_limit=handled.concurrency, on_failure="hold")(
            _entrypoint(name, handled, resources)
        )
    for name, task in jobs.PERIODIC.items():
        queuer.schedule(name, task.cron, clean_old=True)(_schedule(name, task, resources))


def _entrypoint(
    name: str, handled: Handled, resources: Resources
) -> Callable[[Job], Awaitable[None]]:
    async def run_job(job: Job) -> None:
        context.request_id.set(
            str((job.headers or {}).get("request_id") or f"job-{job.id}")
        )
        with structlog.contextvars.bound_contextvars(job=name, job_id=job.id):
            try:
                await handled.run(resources, orjson.loads(job.payload or b"{}"))
                metrics.JOBS.labels(name, "done").inc()
            except PermanentJobError:
                log.warning("job_held", attempts=job.attempts + 1, exc_info=True)
                metrics.JOBS.labels(name, "held").inc()
                raise
            except Exception as error:
                if job.attempts + 1 >= handled.max_attempts:
                    log.exception("job_held", attempts=job.attempts + 1)
                    metrics.JOBS.labels(name, "held").inc()
                    raise
                delay = _backoff(job.attempts)
                metrics.JOBS.labels(name, "retried").inc()
                log.warning("job_failed", attempts=job.attempts + 1, exc_info=True)
                raise RetryRequested(delay, type(error).__name__) from error

    return run_job


def _schedule(
    name: str, task: Periodic, resources: Resources
) -> Callable[[Schedule], Awaitable[None]]:
    async def run_task(_schedule: Schedule) -> None:
        with structlog.contextvars.bound_contextvars(job=name):
            await task.run(resources)

    return run_task


def _backoff(attempts: int) -> timedelta:
    """Return the wait before the next try: doubling, up to ten minutes, with jitter."""
    seconds = min(FIRST_RETRY_SECONDS * 2**attempts, LONGEST_RETRY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - no secret.


async def _forward(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), RECONNECT_SECONDS)
    except TimeoutError:
        return


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
