"""The fake itself: what tests of payments rely on."""

import httpx
import pytest
from pydantic import SecretStr

from tests.abacatepay.receiver import SECRET, Receiver
from tests.fakes.abacatepay import AbacatePayServer, Delivery
from tests.fakes.abacatepay_shapes import Store
from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    NewCharge,
    PaymentState,
    is_authentic,
    read_event,
    signature_ok,
)


@pytest.fixture
async def charge_id(client: AbacatePay, key: SecretStr, new_charge: NewCharge) -> str:
    return (await client.create_charge(key, new_charge)).charge_id


@pytest.fixture
async def webhook_id(client: AbacatePay, key: SecretStr, endpoint: str) -> str:
    made = await client.create_webhook(
        key, name="vek1", endpoint=endpoint, secret=SecretStr(SECRET)
    )
    return made.webhook_id


@pytest.mark.usefixtures("webhook_id")
async def test_an_event_is_delivered_with_secret_and_signature(
    fake: AbacatePayServer, receiver: Receiver, charge_id: str
) -> None:
    event = fake.pay(charge_id)

    assert await fake.deliver(event, times=3) == [200, 200, 200]

    assert len(receiver.got) == 3
    headers, query, raw = receiver.got[0]
    assert raw == event.raw
    assert query == {"a": "1", "webhookSecret": SECRET}
    assert headers["user-agent"] == "AbacatePay/1.0"
    assert is_authentic([headers["x-webhook-secret"], query["webhookSecret"]], [SECRET])
    assert signature_ok(raw, headers["x-webhook-signature"])
    said = read_event(raw)
    assert (said.charge_ids[0], said.amount_cents, said.dev_mode) == (
        charge_id,
        12_990,
        True,
    )
    assert said.payment_ids == said.external_ids


async def test_a_delivery_can_leave_out_or_forge_each_proof(
    fake: AbacatePayServer, receiver: Receiver, endpoint: str, charge_id: str
) -> None:
    event = fake.event(charge_id)
    bare = Delivery(endpoint, SECRET, in_header=False, in_query=False, is_signed=False)
    forged = Delivery(endpoint, "other", signature="AAAA")

    await fake.deliver(event, to=[bare, forged], concurrently=False)

    headers, query, _ = receiver.got[0]
    assert query == {"a": "1"}
    assert not {"x-webhook-secret", "x-webhook-signature"} & headers.keys()
    headers, query, _ = receiver.got[1]
    assert (headers["x-webhook-secret"], query["webhookSecret"]) == ("other", "other")
    assert headers["x-webhook-signature"] == "AAAA"


async def test_an_event_can_be_a_lie(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, charge_id: str
) -> None:
    said = read_event(fake.event(charge_id).raw)

    check = await client.check_charge(key, charge_id)

    assert (said.name, check.state) == ("transparent.completed", PaymentState.PENDING)


async def test_the_variants_of_an_event(fake: AbacatePayServer, charge_id: str) -> None:
    event = fake.pay(charge_id, amount=12_000)
    seen = read_event(event.raw)

    assert (seen.amount_cents, seen.paid_amount_cents) == (12_990, 12_000)
    assert read_event(event.resent().raw).event_id != seen.event_id
    assert read_event(event.resent().raw).charge_ids == seen.charge_ids
    assert len(read_event(event.without_id().raw).event_id) == 64
    other = charge_id.removeprefix("pix_")
    assert read_event(event.with_char_id().raw).charge_ids == (other, charge_id)
    nameless = read_event(event.without_external_id().raw)
    assert (nameless.external_ids, nameless.payment_ids) == ((), ())
    assert event.without_customer().body["data"]["customer"]["id"] == ""
    assert event.without_customer(is_null=True).body["data"]["customer"] is None
    assert not read_event(
        event.with_body(devMode=False).with_thing(devMode=False).raw
    ).dev_mode
    for is_billing in (True, False):
        v1 = read_event(fake.v1_event(charge_id, is_billing=is_billing).raw)
        assert (v1.name, v1.charge_ids) == ("billing.paid", seen.charge_ids)
        assert (v1.amount_cents, v1.paid_amount_cents) == (12_990, 12_000)


async def test_a_webhook_of_the_other_environment_or_shop_gets_nothing(
    fake: AbacatePayServer,
    client: AbacatePay,
    shop: Store,
    receiver: Receiver,
    endpoint: str,
    charge_id: str,
) -> None:
    for key in (shop.prod_key, fake.new_store().dev_key):
        await client.create_webhook(
            SecretStr(key), name="v", endpoint=endpoint, secret=SecretStr(SECRET)
        )

    assert await fake.deliver(fake.pay(charge_id)) == []
    assert receiver.got == []


async def test_a_410_disables_the_webhook_and_a_closed_door_is_no_answer(
    fake: AbacatePayServer, receiver: Receiver, webhook_id: str, charge_id: str
) -> None:
    event = fake.pay(charge_id)
    receiver.status = 410

    assert await fake.deliver(event) == [410]
    assert await fake.deliver(event) == []
    assert fake.state.webhooks[webhook_id].is_enabled is False
    closed = Delivery("http://127.0.0.1:1/", SECRET)
    assert await fake.deliver(b"garbage", to=[closed]) == [0]


@pytest.mark.usefixtures("webhook_id")
async def test_simulated_payments_and_refunds_can_send_by_themselves(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    receiver: Receiver,
    charge_id: str,
) -> None:
    fake.delivers = True

    await client.simulate_payment(key, charge_id)
    await client.refund_charge(key, charge_id)
    names = {read_event(await receiver.came.get()).name for _ in range(2)}

    assert names == {"transparent.completed", "transparent.refunded"}


async def test_the_body_of_create_is_closed(fake: AbacatePayServer, shop: Store) -> None:
    bodies = [
        {"method": "PIX", "data": {"amount": 100}, "extra": 1},
        {"method": "PIX", "data": {"amount": 100, "extra": 1}},
        {"method": "CARD", "data": {"amount": 100}},
        {"method": "PIX", "data": {"amount": 1.5}},
        {"method": "PIX", "data": {"amount": 100, "customer": {"name": "A"}}},
        {"method": "PIX", "data": {"amount": 99}},
        {"method": "PIX", "data": {"amount": 100}},
    ]
    headers = {"authorization": f"Bearer {shop.dev_key}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        url = f"{fake.url}/v2/transparents/create"
        statuses = [(await http.post(url, json=body)).status_code for body in bodies]

    assert statuses == [422, 422, 422, 422, 422, 400, 200]
    assert len(fake.state.charges) == 1


@pytest.mark.parametrize(("behaviour", "charges"), [("same", 1), ("error", 1), ("new", 2)])
async def test_a_repeated_external_id(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    behaviour: str,
    charges: int,
) -> None:
    fake.state.on_repeated_external_id = behaviour
    await client.create_charge(key, new_charge)
    if behaviour == "error":
        with pytest.raises(AbacatePayError, match="externalId already in use"):
            await client.create_charge(key, new_charge)
    else:
        await client.create_charge(key, new_charge)

    assert len(fake.state.charges) == charges


async def test_a_simulation_needs_a_test_key_and_an_open_charge(
    fake: AbacatePayServer,
    client: AbacatePay,
    shop: Store,
    key: SecretStr,
    charge_id: str,
    new_charge: NewCharge,
) -> None:
    live = SecretStr(shop.prod_key)
    live_charge = await client.create_charge(live, new_charge)
    fake.advance(1_800)

    for used, asked in ((live, live_charge.charge_id), (key, charge_id)):
        with pytest.raises(AbacatePayError) as caught:
            await client.simulate_payment(used, asked)
        assert caught.value.status == 400
