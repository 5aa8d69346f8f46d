"""The fake in a process of its own, as crash tests run it."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.abacatepay.receiver import SECRET, Receiver
from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    NewCharge,
    PaymentState,
    read_event,
)

ROOT = Path(__file__).parents[2]


class Elsewhere:
    """The fake in a process of its own."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http

    async def control(self, command: str, **asked: object) -> dict[str, Any]:
        answer = await self._http.post(f"{self.url}/_control/{command}", json=asked)
        said: dict[str, Any] = answer.json()
        return said


@pytest.fixture
async def elsewhere(shared: httpx.AsyncClient) -> AsyncGenerator[Elsewhere]:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.abacatepay",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert program.stdout is not None
        yield Elsewhere((await program.stdout.readline()).decode().strip(), shared)
    finally:
        program.terminate()
        await program.wait()


async def test_another_process_pays_delivers_and_tells(
    elsewhere: Elsewhere,
    shared: httpx.AsyncClient,
    receiver: Receiver,
    endpoint: str,
    new_charge: NewCharge,
) -> None:
    await elsewhere.control("stores", dev_key="abc_dev_fixed")
    client = AbacatePay(elsewhere.url, shared)
    charge = await client.create_charge(SecretStr("abc_dev_fixed"), new_charge)
    to = [{"url": endpoint, "secret": SECRET}]

    paid = await elsewhere.control("pay", charge_id=charge.charge_id, amount=5)
    sent = await elsewhere.control("deliver", **paid, to=to, times=2, concurrently=False)
    state = await elsewhere.control("state")

    assert sent == {"statuses": [200, 200]}
    assert read_event(receiver.got[1][2]).paid_amount_cents == 5
    assert [(c["id"], c["status"]) for c in state["charges"]] == [
        (charge.charge_id, "PAID")
    ]
    assert [call["operation"] for call in state["calls"]] == ["create"]


async def test_another_process_has_the_same_switches(
    elsewhere: Elsewhere, shared: httpx.AsyncClient, new_charge: NewCharge
) -> None:
    shop = await elsewhere.control("stores", name="Fora")
    key, client = SecretStr(shop["dev_key"]), AbacatePay(elsewhere.url, shared)
    charge = await client.create_charge(key, new_charge)
    await elsewhere.control("fail", operation="store", status=401, error="Não")
    with pytest.raises(AbacatePayError, match="Não"):
        await client.get_store(key)
    await elsewhere.control("set", on_repeated_refund="same", delivers=False)
    await elsewhere.control("pay", charge_id=charge.charge_id)
    await elsewhere.control("balance", store_id=shop["id"], available_cents=0)
    with pytest.raises(AbacatePayError, match="INSUFFICIENT_FUNDS"):
        await client.refund_charge(key, charge.charge_id)
    await elsewhere.control("advance", seconds=5)
    event = await elsewhere.control("event", charge_id=charge.charge_id)
    disputed = await elsewhere.control("dispute", charge_id=charge.charge_id)

    assert event["event"]["event"] == "transparent.completed"
    assert disputed["event"]["event"] == "transparent.disputed"
    check = await client.check_charge(key, charge.charge_id)
    assert check.state is PaymentState.DISPUTED
