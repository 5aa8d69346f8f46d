"""The same process, but AbacatePay is the fake one, and we are reached by https."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from pydantic import AnyHttpUrl

from tests.access.conftest import db
from tests.fakes.abacatepay import AbacatePayServer
from vek1_api.core.resources import Resources
from vek1_api.main import create_app


@pytest.fixture(scope="session")
async def gateway_server() -> AsyncGenerator[AbacatePayServer]:
    async with AbacatePayServer() as server:
        yield server


@pytest.fixture
def gateway(gateway_server: AbacatePayServer) -> AbacatePayServer:
    gateway_server.calls.clear()
    return gateway_server


@pytest.fixture(scope="session")
def resources(resources: Resources, gateway_server: AbacatePayServer) -> Resources:
    urls = {
        "abacatepay_url": AnyHttpUrl(gateway_server.url),
        "public_url": AnyHttpUrl("https://api.loja.test"),
    }
    return replace(resources, settings=resources.settings.model_copy(update=urls))


@pytest.fixture(scope="session")
async def app(resources: Resources) -> AsyncGenerator[FastAPI]:
    application = create_app(resources.settings, resources)
    application.state.resources = resources
    yield application
    await application.state.dashboard.close()
