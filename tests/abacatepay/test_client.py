"""What is done besides charging: refunds, the shop, webhooks; and whose key does it."""

import httpx
import pytest
from pydantic import SecretStr

from tests.fakes.abacatepay import AbacatePayServer, Fault
from tests.fakes.abacatepay_shapes import Store
from vek1_api.abacatepay import (
    CHARGE_EVENTS,
    AbacatePay,
    AbacatePayError,
    NewCharge,
    PaymentState,
)

SECRET = "whsec_0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("form", ["full", "short"])
async def test_a_refund_is_read_in_both_forms(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    form: str,
) -> None:
    fake.state.refund_form = form
    charge = await client.create_charge(key, new_charge)
    fake.pay(charge.charge_id)

    refund = await client.refund_charge(key, charge.charge_id, "Sem estoque")

    held = fake.charge(charge.charge_id)
    assert fake.calls[-1].body == {"id": charge.charge_id, "reason": "Sem estoque"}
    assert (held.status, held.refund_id) == ("REFUNDED", refund.refund_id)
    assert refund.amount_cents == (12_990 if form == "full" else None)
    assert refund.was_done_before is False


@pytest.mark.parametrize("behaviour", ["same", "error"])
async def test_a_repeated_refund_is_done_and_gives_nothing_back_twice(
    fake: AbacatePayServer,
    client: AbacatePay,
    shop: Store,
    key: SecretStr,
    new_charge: NewCharge,
    behaviour: str,
) -> None:
    fake.state.on_repeated_refund = behaviour
    charge = await client.create_charge(key, new_charge)
    fake.pay(charge.charge_id)
    first = await client.refund_charge(key, charge.charge_id)
    left = shop.available_cents

    again = await client.refund_charge(key, charge.charge_id)

    assert again.was_done_before is (behaviour == "error")
    assert again.refund_id == (None if behaviour == "error" else first.refund_id)
    assert shop.available_cents == left


async def test_a_simulated_payment_pays(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)

    paid = await client.simulate_payment(key, charge.charge_id)

    assert paid is not None
    assert paid.state is PaymentState.PAID
    assert fake.calls[-1].query == {"id": charge.charge_id}
    assert fake.calls[-1].body == {"metadata": {}}


async def test_the_store_of_a_key_is_told(
    client: AbacatePay, key: SecretStr, shop: Store
) -> None:
    store = await client.get_store(key)

    assert (store.store_id, store.name) == (shop.id, "Loja da Ana")
    assert (store.available_cents, store.pending_cents, store.blocked_cents) == (
        1_000_000,
        0,
        0,
    )


async def test_webhooks_are_made_listed_and_deleted_by_environment(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, shop: Store
) -> None:
    made = await client.create_webhook(
        key, name="vek1", endpoint="https://vek1.test/w", secret=SecretStr(SECRET)
    )

    assert fake.calls[-1].body == {
        "name": "vek1",
        "endpoint": "https://vek1.test/w",
        "secret": SECRET,
        "events": list(CHARGE_EVENTS),
    }
    assert made.events == CHARGE_EVENTS
    assert await client.list_webhooks(key) == [made]
    assert await client.list_webhooks(SecretStr(shop.prod_key)) == []
    await client.delete_webhook(key, made.webhook_id)
    assert await client.list_webhooks(key) == []
    assert fake.state.webhooks == {}


async def test_no_content_is_a_good_answer_to_a_deletion(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    fake.fail("webhook_delete", Fault(status=204, body=b""))

    await client.delete_webhook(key, "webh_1")

    assert fake.calls[-1].query == {"id": "webh_1"}


async def test_a_key_reaches_only_its_own_shop_and_environment(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    shop: Store,
    new_charge: NewCharge,
) -> None:
    charge = await client.create_charge(key, new_charge)
    stranger = fake.new_store("Outra")

    for other in (shop.prod_key, stranger.dev_key):
        with pytest.raises(AbacatePayError) as caught:
            await client.check_charge(SecretStr(other), charge.charge_id)
        assert caught.value.status == 404


async def test_nothing_of_one_call_is_carried_into_another(
    fake: AbacatePayServer, client: AbacatePay, shared: httpx.AsyncClient, key: SecretStr
) -> None:
    shared.headers["x-leak"] = "1"
    fake.fail("store", Fault(status=200, body=b"{}", headers={"set-cookie": "a=b"}))
    await client.get_store(key)
    await client.get_store(key)

    assert [("cookie" in c.headers, "x-leak" in c.headers) for c in fake.calls] == [
        (False, False)
    ] * 2
