"""The same process, but AbacatePay is the fake one."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from pydantic import AnyHttpUrl

from tests.access.conftest import db
from tests.fakes.abacatepay import AbacatePayServer
from tests.payments.till import Till
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.main import create_app


@pytest.fixture(scope="session")
async def gateway_server() -> AsyncGenerator[AbacatePayServer]:
    async with AbacatePayServer() as server:
        yield server


@pytest.fixture
def gateway(gateway_server: AbacatePayServer) -> AbacatePayServer:
    """The fake without anything that earlier tests did to it."""
    gateway_server.calls.clear()
    gateway_server._faults.clear()  # noqa: SLF001 - nobody else needs that.
    gateway_server.state = type(gateway_server.state)()
    return gateway_server


@pytest.fixture(scope="session")
def resources(resources: Resources, gateway_server: AbacatePayServer) -> Resources:
    url = {"abacatepay_url": AnyHttpUrl(gateway_server.url)}
    return replace(resources, settings=resources.settings.model_copy(update=url))


@pytest.fixture(scope="session")
async def app(resources: Resources) -> AsyncGenerator[FastAPI]:
    application = create_app(resources.settings, resources)
    application.state.resources = resources
    yield application
    await application.state.dashboard.close()


@pytest.fixture
async def till(
    ana: Person,
    gateway: AbacatePayServer,
    resources: Resources,
    db: Driver,  # noqa: F811 - a fixture.
) -> Till:
    # What other tests left is not asked for by this one's sweeps.
    await db.execute("UPDATE vek1_api.attempt_ref SET check_at = NULL")
    made = Till(
        ana,
        (await ana.open_store())["id"],
        gateway,
        gateway.new_store("Loja da Ana"),
        resources,
        db,
    )
    await made.set_up()
    return made


@pytest.fixture
async def other_till(
    bruno: Person, till: Till, gateway: AbacatePayServer, resources: Resources
) -> Till:
    """Another merchant, with an account of his own."""
    account = gateway.new_store("Loja do Bruno")
    store_id = (await bruno.open_store())["id"]
    made = Till(bruno, store_id, gateway, account, resources, till.db)
    await made.set_up()
    return made
