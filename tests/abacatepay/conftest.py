import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
from pydantic import SecretStr

from tests.abacatepay.receiver import Receiver
from tests.fakes.abacatepay import AbacatePayServer
from tests.fakes.abacatepay_shapes import Store
from vek1_api.abacatepay import AbacatePay, NewCharge, Patience


class Sleeps(list[float]):
    """Takes note of how long to sleep, and does not."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def fake() -> AsyncGenerator[AbacatePayServer]:
    async with AbacatePayServer() as server:
        yield server


@pytest.fixture
def shop(fake: AbacatePayServer) -> Store:
    return fake.new_store("Loja da Ana")


@pytest.fixture
def key(shop: Store) -> SecretStr:
    return SecretStr(shop.dev_key)


@pytest.fixture
async def shared() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


@pytest.fixture
def client(fake: AbacatePayServer, shared: httpx.AsyncClient, sleeps: Sleeps) -> AbacatePay:
    return AbacatePay(fake.url, shared, sleep=sleeps)


@pytest.fixture
def hasty(fake: AbacatePayServer, shared: httpx.AsyncClient, sleeps: Sleeps) -> AbacatePay:
    """A client that waits for nothing."""
    return AbacatePay(fake.url, shared, patience=Patience(read_seconds=0.03), sleep=sleeps)


@pytest.fixture
def new_charge() -> NewCharge:
    return NewCharge(
        payment_id="0192f0c4-7b1e-7c3a-9d55-2f6a1c0e9b11",
        order_id="0192f0c4-7b1e-7c3a-9d55-2f6a1c0e9b00",
        amount_cents=12_990,
        expires_in_seconds=1_800,
        description="Pedido 1042",
    )


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def endpoint(receiver: Receiver) -> AsyncGenerator[str]:
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"
