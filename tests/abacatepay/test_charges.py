"""Charges made, checked, read and found again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from tests.fakes.abacatepay import AbacatePayServer, Fault
from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    ChargeStatus,
    Customer,
    NewCharge,
    PaymentState,
)

CUSTOMER = Customer("João da Silva", "joao@exemplo.com.br", "111.444.777-35", "11912345678")


async def test_a_charge_is_made_with_our_ids_and_read_whole(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)

    [call] = fake.calls
    assert call.body == {
        "method": "PIX",
        "data": {
            "amount": 12_990,
            "expiresIn": 1_800,
            "externalId": new_charge.payment_id,
            "metadata": {
                "payment_id": new_charge.payment_id,
                "order_id": new_charge.order_id,
            },
            "description": "Pedido 1042",
        },
    }
    assert call.key == key.get_secret_value()
    held = fake.charge(charge.charge_id)
    assert (charge.amount_cents, charge.fee_cents, charge.is_dev) == (12_990, 80, True)
    assert (charge.status, charge.state) == (ChargeStatus.PENDING, PaymentState.PENDING)
    assert charge.br_code == held.wire()["brCode"]
    assert charge.qr_png_base64 == "iVBORw0KGgoAAAANSUhEUgAA"
    assert charge.external_id == charge.payment_id == new_charge.payment_id
    assert charge.order_id == new_charge.order_id
    assert charge.created_at is not None
    assert charge.expires_at == charge.created_at + timedelta(minutes=30)


async def test_a_whole_customer_goes_along_and_a_part_of_one_does_not(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    await client.create_charge(key, replace(new_charge, customer=CUSTOMER))
    unnamed = replace(CUSTOMER, email=" ")
    other = replace(new_charge, customer=unnamed, payment_id="another")
    await client.create_charge(key, other)

    whole, partial = fake.calls
    assert whole.body["data"]["customer"] == {
        "name": "João da Silva",
        "email": "joao@exemplo.com.br",
        "taxId": "111.444.777-35",
        "cellphone": "11912345678",
    }
    assert "customer" not in partial.body["data"]


async def test_a_description_is_cut_to_what_arrives_and_left_out_when_blank(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    await client.create_charge(key, replace(new_charge, description="x" * 38))
    await client.create_charge(key, replace(new_charge, description=" ", payment_id="b"))

    assert fake.calls[0].body["data"]["description"] == "x" * 37
    assert "description" not in fake.calls[1].body["data"]


async def test_less_than_the_minimum_is_refused_without_a_call(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    with pytest.raises(AbacatePayError) as caught:
        await client.create_charge(key, replace(new_charge, amount_cents=99))

    assert (caught.value.code, caught.value.is_uncertain) == ("amount_too_small", False)
    assert fake.calls == []
    least = await client.create_charge(key, replace(new_charge, amount_cents=100))
    assert least.amount_cents == 100


async def test_a_check_follows_the_charge(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    before = await client.check_charge(key, charge.charge_id)
    fake.advance(1_801)
    over = await client.check_charge(key, charge.charge_id)
    fake.pay(charge.charge_id)
    late = await client.check_charge(key, charge.charge_id)

    assert before.expires_at == charge.expires_at
    states = [before.state, over.state, late.state]
    assert states == [PaymentState.PENDING, PaymentState.EXPIRED, PaymentState.PAID]


async def test_an_unknown_status_is_pending(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    fake.charge(charge.charge_id).status = "SOMETHING_NEW"

    check = await client.check_charge(key, charge.charge_id)

    assert (check.status, check.state) == (ChargeStatus.UNKNOWN, PaymentState.PENDING)


async def test_an_answer_about_another_charge_is_not_believed(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    body = b'{"data":{"id":"pix_char_other","status":"PAID"},"success":true,"error":null}'
    fake.fail("check", Fault(body=body))

    with pytest.raises(AbacatePayError) as caught:
        await client.check_charge(key, charge.charge_id)

    assert caught.value.code == "unreadable_answer"


async def test_a_check_takes_the_other_spelling_of_the_id(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    fake.fail("check", Fault(body=b'{"data":{"id":"char_x1","status":"PAID"}}'))

    check = await client.check_charge(key, "pix_char_x1")

    assert (check.charge_id, check.state) == ("pix_char_x1", PaymentState.PAID)


async def test_a_charge_is_read_by_id_with_its_amount(
    client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    await client.create_charge(key, replace(new_charge, payment_id="later"))

    assert await client.get_charge(key, charge.charge_id) == charge
    assert await client.get_charge(key, "pix_char_none") is None


async def test_a_list_that_ignores_the_id_gives_no_other_charge(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    fake.fail("list", Fault(body=b'{"data":[{"id":"pix_char_other","amount":1}]}'))

    assert await client.get_charge(key, "pix_char_mine") is None


async def test_a_charge_is_found_by_our_id_on_a_later_page(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    wanted = await client.create_charge(key, new_charge)
    for number in range(60):
        later = replace(new_charge, payment_id=f"later-{number}")
        await client.create_charge(key, later)

    assert await client.find_charge(key, new_charge.payment_id) == wanted
    assert await client.find_charge(key, new_charge.payment_id, pages=1) is None
    assert await client.find_charge(key, "never made") is None
    assert len(fake.calls_of("list")) == 5


@pytest.mark.parametrize("behaviour", ["same", "error"])
async def test_a_lost_answer_to_create_is_found_again_whatever_a_repeat_does(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    behaviour: str,
) -> None:
    fake.state.on_repeated_external_id = behaviour
    fake.fail("create", Fault(is_cut=True, happens=True))
    with pytest.raises(AbacatePayError) as caught:
        await client.create_charge(key, new_charge)

    found = await client.find_charge(key, new_charge.payment_id)

    assert caught.value.is_uncertain
    assert [found and found.charge_id] == list(fake.state.charges)


async def test_a_br_code_is_forwarded_to_the_letter(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    body = b'{"data":{"id":"pix_char_1","brCode":"0002LOJA  DA  ANA 6304FFFF "}}'
    fake.fail("create", Fault(body=body))

    charge = await client.create_charge(key, new_charge)

    assert charge.br_code == "0002LOJA  DA  ANA 6304FFFF "
