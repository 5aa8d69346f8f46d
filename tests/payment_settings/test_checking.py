"""The test of a store's settings, against AbacatePay on a socket."""

import pytest

from tests.fakes.abacatepay import AbacatePayServer, Fault
from tests.payment_settings.shops import DEV_KEY, GATEWAY, MANUAL, path_of, put
from tests.people import Person
from vek1_api.core.db import Driver


async def test_good_key_and_pix_key_are_said_to_work(
    ana: Person, gateway: AbacatePayServer
) -> None:
    key = gateway.new_store("Serra Azul").dev_key
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **MANUAL, abacate_pay_api_key=key, abacate_pay_dev_mode=True)

    result = await ana.post(path_of(store_id, "/test"), None, status=200)

    assert result == {
        "ok": True,
        "message": "AbacatePay takes the key, of its test mode.",
        "needs_attention": False,
        "store_name": "Serra Azul",
        "dev_mode": True,
        "manual_pix": {"ok": True, "message": "A code for the key can be made."},
    }
    [entry] = await ana.audit(action="payment_settings.tested")
    assert entry["meta"] == {"ok": True, "manual_pix_ok": True}


async def test_refused_key_says_what_to_do(ana: Person, gateway: AbacatePayServer) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY)

    result = await ana.post(path_of(store_id, "/test"), None, status=200)

    assert result["ok"] is False
    assert result["needs_attention"] is True
    assert "make a new one in its panel" in result["message"]
    assert DEV_KEY not in str(result)
    assert len(gateway.calls_of("store")) == 1


async def test_without_a_key_nobody_is_asked(
    ana: Person, gateway: AbacatePayServer
) -> None:
    store_id = (await ana.open_store())["id"]

    result = await ana.post(path_of(store_id, "/test"), None, status=200)

    assert result["ok"] is False
    assert result["needs_attention"] is False
    assert result["message"].startswith("There is no key of AbacatePay")
    assert result["manual_pix"] == {
        "ok": False,
        "message": "There is no PIX key to be paid to by hand.",
    }
    assert gateway.calls == []


@pytest.mark.parametrize(
    "fault",
    [Fault(status=400, error="STORE_NOT_FOUND"), Fault(body=b"<html>", status=200)],
    ids=["error", "nonsense"],
)
async def test_failing_gateway_is_an_upstream_failure_and_leaves_no_trace(
    fault: Fault, ana: Person, gateway: AbacatePayServer
) -> None:
    key = gateway.new_store().dev_key
    gateway.fail("store", fault, times=3)
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_api_key=key, abacate_pay_dev_mode=True)

    response = await ana.request("POST", path_of(store_id, "/test"))

    assert response.status_code == 502
    assert response.json()["code"] == "upstream_failed"
    assert key not in response.text
    assert await ana.audit(action="payment_settings.tested") == []
    while len(gateway.calls_of("store")) < 3:  # What is left of the fault.
        await ana.request("POST", path_of(store_id, "/test"))


async def test_key_that_the_front_end_wrote_alone_lacks_its_type(
    ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]
    await db.execute(
        "INSERT INTO store_payment_settings (store_id, manual_pix_key) VALUES ($1, $2)",
        store_id,
        "11144477735",
    )

    result = await ana.post(path_of(store_id, "/test"), None, status=200)

    assert result["manual_pix"] == {
        "ok": False,
        "message": "The PIX key needs its type, its recipient and its city.",
    }


async def test_same_key_tests_once(ana: Person, gateway: AbacatePayServer) -> None:
    key = gateway.new_store().dev_key
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_api_key=key, abacate_pay_dev_mode=True)
    headers = {"Idempotency-Key": f"test-{store_id}"}

    answers = [
        await ana.request("POST", path_of(store_id, "/test"), headers=headers)
        for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert len(gateway.calls_of("store")) == 1
