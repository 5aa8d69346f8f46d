"""PIX to the store's own key, and cash on delivery."""

import asyncio
from base64 import b64decode

import pytest

from tests.payments.till import PAID_ONCE, UNPAID, Till, outcome, payments, states, steps
from vek1_api.pix.br_code import StaticCode

NO_PIX_KEY = {"manual_pix_key": None, "manual_pix_key_type": None}


async def test_manual_pix_puts_the_code_of_the_stores_key_on_the_order(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")

    code = StaticCode(
        "11144477735", "Torrefação Serra Azul", "Belo Horizonte", 7480, "VEK000001"
    ).text()
    assert order["status"] == "awaiting_proof"
    assert (order["payment_method"], order["payment_provider"]) == ("pix_manual", "manual")
    path = f"{till.resources.settings.api_url}/v1/orders/{order['id']}/payment/qr"
    assert order["payment"] == {
        "method": "pix_manual",
        "provider": "manual",
        "status": "open",
        "br_code": code,
        "qr_png_url": f"{path}.png",
        "qr_svg_url": f"{path}.svg",
        "expires_at": None,
    }
    assert steps(order) == ["created", "payment_initialized", "awaiting_proof"]
    assert (states(order), payments(order)) == (["open"], UNPAID)
    image = await till.db.fetchval(
        "SELECT payment_br_code_image FROM orders WHERE id::text = $1", order["id"]
    )
    assert b64decode(image.removeprefix("data:image/png;base64,"))[:4] == b"\x89PNG"
    [entry] = await till.owner.audit(action="order.payment_initialized")
    assert (entry["target_id"], entry["meta"]["number"]) == (order["id"], 1)


async def test_asking_again_for_manual_pix_changes_nothing(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")
    before = await till.kept(order)

    assert await till.start(order, "pix_manual") == order
    assert await till.kept(order) == before


async def test_another_key_of_the_store_gives_another_code(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")
    await till.set_up(
        manual_pix_key="financeiro@serraazul.com.br", manual_pix_key_type="email"
    )

    again = await till.start(order, "pix_manual")

    assert "financeiro@serraazul.com.br" in again["payment"]["br_code"]
    assert states(again) == ["expired", "open"]


async def test_confirming_by_hand_pays_the_manual_attempt(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")

    confirmed = await till.step(order, "confirm")

    assert confirmed["status"] == "confirmed"
    assert (states(confirmed), payments(confirmed)) == (["paid"], PAID_ONCE)


async def test_cash_on_delivery_confirms_and_is_paid_on_arrival(till: Till) -> None:
    order = await till.start(await till.order(), "cash_on_delivery")

    assert order["status"] == "confirmed"
    assert order["payment"]["status"] == "open"
    assert order["payment"]["br_code"] is None
    assert steps(order) == ["created", "payment_initialized", "confirmed"]
    assert payments(order) == UNPAID
    assert await till.start(order, "cash_on_delivery") == order
    await till.step(order, "ship")
    arrived = await till.step(order, "fulfill")
    assert (states(arrived), payments(arrived)) == (["paid"], PAID_ONCE)


@pytest.mark.parametrize(
    ("method", "unset", "word"),
    [
        ("pix_manual", NO_PIX_KEY, "manual_pix_key"),
        ("pix_gateway", {"pix_enabled": False}, "pix_enabled"),
        ("pix_gateway", {"abacate_pay_api_key": None, "pix_enabled": False}, "api_key"),
        ("cash_on_delivery", {"cash_on_delivery_enabled": False}, "cash on delivery"),
    ],
)  # fmt: skip
async def test_what_the_store_does_not_take_is_refused_with_what_to_set(
    method: str, unset: dict[str, object], word: str, till: Till
) -> None:
    await till.set_up(**unset)
    order = await till.order()
    before = await till.kept(order)

    response = await till.try_to_pay(order, method)

    assert outcome(response) == (409, "conflict")
    assert word in response.json()["detail"]
    assert await till.kept(order) == before
    assert till.gateway.calls == []


@pytest.mark.parametrize(
    ("method", "total", "least"),
    [("pix_manual", 0, "R$ 0,01"), ("pix_gateway", 0, "R$ 1,00"), ("pix_gateway", 99, "R$ 1,00")],
)  # fmt: skip
async def test_an_amount_that_cannot_be_paid_is_refused(
    method: str, total: int, least: str, till: Till
) -> None:
    order = await till.order(total)
    before = await till.kept(order)

    response = await till.try_to_pay(order, method)

    assert outcome(response) == (409, "conflict")
    assert least in response.json()["detail"]
    assert await till.kept(order) == before
    assert till.gateway.calls == []


@pytest.mark.parametrize("method", ["pix_manual", "pix_gateway", "cash_on_delivery"])
@pytest.mark.parametrize("verbs", [["cancel"], ["pix_manual", "confirm"]], ids=str)
async def test_an_order_that_waits_for_no_payment_is_not_asked_to_pay(
    verbs: list[str], method: str, till: Till
) -> None:
    order = await till.order()
    for verb in verbs:
        pay = verb == "pix_manual"
        await (till.start(order, verb) if pay else till.step(order, verb))
    before = await till.kept(order)

    response = await till.try_to_pay(order, method)

    assert outcome(response) == (409, "invalid_transition")
    assert await till.kept(order) == before


async def test_cash_is_too_late_once_pix_was_asked_for(till: Till) -> None:
    order = await till.start(await till.order(), "pix_manual")
    before = await till.kept(order)

    response = await till.try_to_pay(order, "cash_on_delivery")

    assert outcome(response) == (409, "invalid_transition")
    assert await till.kept(order) == before


async def test_many_askers_at_once_begin_one_manual_payment(till: Till) -> None:
    order = await till.order()

    responses = await asyncio.gather(
        *(till.try_to_pay(order, "pix_manual") for _ in range(10))
    )

    assert {response.status_code for response in responses} == {200}
    seen = await till.seen(order)
    assert all(response.json() == seen for response in responses)
    assert states(seen) == ["open"]


async def test_no_such_method_is_a_mistake(till: Till) -> None:
    response = await till.try_to_pay(await till.order(), "boleto")

    assert outcome(response) == (422, "validation_failed")


@pytest.mark.parametrize("method", ["pix_manual", "pix_gateway", "cash_on_delivery"])
async def test_order_that_somebody_changed_meanwhile_is_not_paid(
    till: Till, method: str
) -> None:
    order = await till.order()
    path = f"/v1/orders/{order['id']}"
    read = await till.owner.request("GET", path)
    await till.owner.patch(path, {"shipping_cents": 900})
    before = await till.kept(order)

    stale = {"If-Match": read.headers["ETag"]}
    refused = await till.try_to_pay(order, method, headers=stale)

    assert outcome(refused) == (412, "precondition_failed")
    assert await till.kept(order) == before
    assert till.gateway.calls_of("create") == []
    newest = (await till.owner.request("GET", path)).headers["ETag"]
    paid = await till.try_to_pay(order, method, headers={"If-Match": newest})
    assert paid.status_code == 200
