"""A real Postgres, a real object store and a real model; every test has a company of its own.

Nothing is rolled back and nothing is mocked: tenants keep tests apart, as they keep merchants
apart. One database and one bucket for each process of the test run.
"""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.types import QueueExecutionMode
from pydantic import SecretStr

from tests.contract import Contract
from tests.jobs.running import forget_jobs
from tests.servers import object_store, postgres_url
from vek1_api import worker
from vek1_api.core import jobs, logging
from vek1_api.core.resources import Resources
from vek1_api.core.schema import connect, heal_database, migrate
from vek1_api.domains import load_jobs
from vek1_api.main import create_app
from vek1_api.opening import open_resources
from vek1_api.settings import Settings
from tests.people import OPS_TOKEN, SERVICE_TOKEN, Person

# Tracebacks as plain text: drawing them costs seconds for every error that a test provokes.
logging.configure("INFO")

RunJobs = Callable[[], Awaitable[None]]
NewPerson = Callable[[], Awaitable[Person]]


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with postgres_url(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def store_settings(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    with object_store(tmp_path_factory.mktemp("store")) as settings:
        yield settings


@pytest.fixture(scope="session")
def settings(database_url: str, store_settings: dict[str, str]) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        service_tokens=(SecretStr(SERVICE_TOKEN), SecretStr("another-" + SERVICE_TOKEN)),
        ops_token=SecretStr(OPS_TOKEN),
        better_auth_secret=SecretStr("better-auth-" + SERVICE_TOKEN),
        encryption_keys=(SecretStr("encryption-" + SERVICE_TOKEN),),
        **store_settings,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
async def resources(settings: Settings, database_url: str) -> AsyncGenerator[Resources]:
    await migrate(database_url)
    await heal_database(database_url)
    opened = open_resources(settings)
    await opened.bucket.ensure()
    load_jobs()
    yield opened
    await opened.close()


@pytest.fixture
async def empty_queue(resources: Resources) -> None:
    await forget_jobs(resources)


@pytest.fixture(autouse=True)
def _no_jobs_of_earlier_tests(request: pytest.FixtureRequest) -> None:
    if "resources" in request.fixturenames:
        request.getfixturevalue("empty_queue")


@pytest.fixture(scope="session")
async def app(settings: Settings, resources: Resources) -> AsyncGenerator[FastAPI]:
    application = create_app(settings, resources)
    application.state.resources = resources
    yield application
    await application.state.dashboard.close()


@pytest.fixture(scope="session")
def contract(app: FastAPI) -> Contract:
    return Contract(app.openapi())


@pytest.fixture
async def http(app: FastAPI, contract: Contract) -> AsyncGenerator[httpx.AsyncClient]:
    """A client without credentials; every answer is held against the OpenAPI document."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://vek1.test",
        event_hooks={"response": [contract.check]},
    ) as client:
        yield client


@pytest.fixture
def new_person(http: httpx.AsyncClient) -> NewPerson:
    async def make() -> Person:
        person = Person(http, f"user-{uuid4().hex}")
        await person.sign_up()
        return person

    return make


@pytest.fixture
async def ana(new_person: NewPerson) -> Person:
    return await new_person()


@pytest.fixture
async def bruno(new_person: NewPerson) -> Person:
    """Another company, to which nothing of Ana's belongs."""
    return await new_person()


@pytest.fixture
async def run_jobs(resources: Resources, database_url: str) -> RunJobs:
    async def drain() -> None:
        connection = await connect(database_url)
        try:
            driver = AsyncpgDriver(connection)
            queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))
            worker.register(queuer, resources)
            await queuer.qm.run(
                mode=QueueExecutionMode.drain,
                batch_size=5,
                dequeue_timeout=timedelta(seconds=0.05),
            )
        finally:
            await connection.close()

    return drain
