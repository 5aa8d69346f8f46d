"""Every way in which a call can go wrong."""

from collections.abc import Awaitable

import httpx
import pytest
from pydantic import SecretStr

from tests.abacatepay.conftest import Sleeps
from tests.fakes.abacatepay import LOCK_NOT_ACQUIRED, AbacatePayServer, Fault
from tests.fakes.abacatepay_shapes import Store
from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    NewCharge,
    Patience,
)


async def failure(call: Awaitable[object]) -> AbacatePayError:
    with pytest.raises(AbacatePayError) as caught:
        await call
    return caught.value


async def test_no_success_on_200_is_an_error(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    fake.fail("create", Fault(status=200, error="Invalid taxId"))

    error = await failure(client.create_charge(key, new_charge))

    assert (error.status, error.code, error.is_uncertain) == (200, "invalid_tax_id", False)
    assert fake.state.charges == {}


async def test_success_that_is_an_object_is_a_success(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    fake.fail("store", Fault(body=b'{"data":{"name":"A"},"success":{},"error":null}'))

    assert (await client.get_store(key)).name == "A"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_without_permission_needs_attention_and_is_not_tried_again(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, shop: Store, status: int
) -> None:
    fake.state.missing_permission_status = status
    shop.permissions.remove("STORE")

    error = await failure(client.get_store(key))

    assert error.needs_attention
    assert (error.status, error.code, error.is_retryable) == (status, "unauthorized", False)
    assert len(fake.calls) == 1


async def test_an_unknown_key_needs_attention(client: AbacatePay) -> None:
    error = await failure(client.get_store(SecretStr("abc_dev_unknown")))

    assert (error.status, error.needs_attention) == (401, True)


@pytest.mark.parametrize("broken", ["", "abc dev", "abc\r\nx: y", "abc_ção", "x" * 513])
async def test_a_malformed_key_is_never_sent(
    fake: AbacatePayServer, client: AbacatePay, broken: str
) -> None:
    error = await failure(client.get_store(SecretStr(broken)))

    assert (error.code, error.needs_attention) == ("malformed_key", True)
    assert (error.is_retryable, fake.calls) == (False, [])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_read_is_tried_again(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, sleeps: Sleeps, status: int
) -> None:
    fake.fail("store", Fault(status=status), times=2)

    assert (await client.get_store(key)).name == "Loja da Ana"
    assert len(fake.calls) == 3
    assert 0.21 <= sleeps[0] <= 0.3
    assert 0.42 <= sleeps[1] <= 0.6


async def test_a_read_is_given_up_after_three_tries(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    fake.fail("store", Fault(status=503), times=3)

    assert (await failure(client.get_store(key))).status == 503
    assert len(fake.calls) == 3


async def test_a_read_waits_as_long_as_it_is_told_but_not_for_ever(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, sleeps: Sleeps
) -> None:
    fake.fail("store", Fault(status=429, headers={"retry-after": "7"}))
    await client.get_store(key)
    fake.fail("store", Fault(status=429, headers={"retry-after": "60"}))
    error = await failure(client.get_store(key))

    assert sleeps == [7]
    assert (error.retry_after_seconds, error.is_retryable) == (60, True)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, happens=True),
        Fault(status=503),
        Fault(status=429),
        Fault(is_cut=True),
        Fault(body=b"<html>", happens=True),
    ],
)
async def test_a_charge_is_never_sent_twice_by_itself(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    fault: Fault,
) -> None:
    fake.fail("create", fault)

    error = await failure(client.create_charge(key, new_charge))

    assert error.is_retryable
    assert error.is_uncertain is (fault.status != 429)
    assert len(fake.calls) == 1


@pytest.mark.parametrize("happens", [True, False])
async def test_a_time_out_is_uncertain(
    fake: AbacatePayServer,
    hasty: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    *,
    happens: bool,
) -> None:
    wait = "delay_after_seconds" if happens else "delay_before_seconds"
    fake.fail("create", Fault(**{wait: 60}))  # type: ignore[arg-type] # One float.

    error = await failure(hasty.create_charge(key, new_charge))

    assert (error.status, error.code) == (None, "no_answer")
    assert (error.is_uncertain, error.is_retryable) == (True, True)
    assert len(fake.state.charges) == happens


async def test_an_answer_as_a_whole_has_its_time_too(
    fake: AbacatePayServer, shared: httpx.AsyncClient, key: SecretStr
) -> None:
    client = AbacatePay(fake.url, shared, patience=Patience(whole_seconds=0.03, attempts=1))
    fake.fail("store", Fault(delay_after_seconds=60))

    error = await failure(client.get_store(key))

    assert (error.code, error.message) == ("no_answer", "no whole answer (TimeoutError)")


async def test_without_a_connection_nothing_happened_and_a_charge_is_tried_again(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    sleeps: Sleeps,
) -> None:
    await fake.stop()

    error = await failure(client.create_charge(key, new_charge))

    assert (error.code, error.is_uncertain, error.is_retryable) == ("not_sent", False, True)
    assert len(sleeps) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(
    fake: AbacatePayServer, client: AbacatePay, shared: httpx.AsyncClient, status: int
) -> None:
    shop = fake.new_store()
    shared.follow_redirects = True
    there = {"location": f"{fake.url}/v2/webhooks/list"}
    fake.fail("store", Fault(status=status, headers=there))

    error = await failure(client.get_store(SecretStr(shop.dev_key)))

    assert (error.status, error.code, error.is_retryable) == (status, "redirected", False)
    assert [call.operation for call in fake.calls] == ["store"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>", b"\xff\xfe", b'{"data":', b"[" * 5_000]
)
async def test_garbage_is_no_answer(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, body: bytes
) -> None:
    fake.fail("store", Fault(body=body), times=3)

    error = await failure(client.get_store(key))

    assert (error.status, error.code) == (200, "unreadable_answer")


@pytest.mark.parametrize("data", ["null", "{}", '{"id":7}', '{"id":""}', "[]", '"x"'])
async def test_a_charge_without_an_id_is_uncertain(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    new_charge: NewCharge,
    data: str,
) -> None:
    fake.fail("create", Fault(body=f'{{"data":{data},"success":true}}'.encode()))

    error = await failure(client.create_charge(key, new_charge))

    assert (error.code, error.is_uncertain) == ("unreadable_answer", True)


async def test_odd_values_in_a_charge_are_left_out(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    body = (
        b'{"data":{"id":"pix_char_1","amount":"12990","status":3,"devMode":"x","brCode":1,'
        b'"platformFee":-1,"createdAt":"soon","expiresAt":"2026-11-23T01:00:00","metadata":7,'
        b'"externalId":{}}}'
    )
    fake.fail("create", Fault(body=body))

    charge = await client.create_charge(key, new_charge)

    assert (charge.charge_id, charge.amount_cents, charge.status) == (
        "pix_char_1",
        12_990,
        "UNKNOWN",
    )
    assert (charge.is_dev, charge.br_code, charge.fee_cents) == (None, None, None)
    assert (charge.external_id, charge.payment_id, charge.created_at) == (None, None, None)
    assert charge.expires_at is not None
    assert charge.expires_at.isoformat() == "2026-11-23T01:00:00+00:00"


async def test_more_than_a_mebibyte_is_an_error(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr
) -> None:
    padding = b" " * (1024 * 1024 - 2)
    fake.fail("store", Fault(body=b"{}" + padding))
    assert (await client.get_store(key)).name is None

    fake.fail("store", Fault(body=b"{} " + padding))
    error = await failure(client.get_store(key))

    assert (error.code, error.is_retryable) == ("answer_too_large", False)


async def test_a_lock_is_told_once_and_then_the_refund_works(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    fake.pay(charge.charge_id)
    fake.fail("refund", LOCK_NOT_ACQUIRED)

    error = await failure(client.refund_charge(key, charge.charge_id))

    assert (error.code, error.is_retryable) == ("LOCK_NOT_ACQUIRED", True)
    assert fake.charge(charge.charge_id).status == "PAID"
    assert (await client.refund_charge(key, charge.charge_id)).refund_id is not None


async def test_a_refund_without_balance_is_refused_and_changes_nothing(
    fake: AbacatePayServer,
    client: AbacatePay,
    key: SecretStr,
    shop: Store,
    new_charge: NewCharge,
) -> None:
    charge = await client.create_charge(key, new_charge)
    fake.pay(charge.charge_id)
    shop.available_cents = 12_989

    error = await failure(client.refund_charge(key, charge.charge_id))

    assert (error.code, error.is_retryable) == ("INSUFFICIENT_FUNDS", False)
    assert (fake.charge(charge.charge_id).status, shop.available_cents) == ("PAID", 12_989)


async def test_only_what_is_paid_and_undisputed_is_refunded(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    charge = await client.create_charge(key, new_charge)
    unpaid = await failure(client.refund_charge(key, charge.charge_id))
    fake.dispute(charge.charge_id)
    disputed = await failure(client.refund_charge(key, charge.charge_id))

    codes = (unpaid.code, disputed.code)
    assert codes == ("TRANSACTION_NOT_REFUNDABLE", "TRANSACTION_UNDER_DISPUTE")
