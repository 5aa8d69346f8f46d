"""What an error answer means, and what of it may be shown."""

import traceback
from collections.abc import Awaitable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests.fakes.abacatepay import AbacatePayServer, Fault
from vek1_api.abacatepay import (
    AbacatePay,
    AbacatePayError,
    Customer,
    NewCharge,
)
from vek1_api.abacatepay.errors import cleaned, refusal


async def failure(call: Awaitable[object]) -> AbacatePayError:
    with pytest.raises(AbacatePayError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (401, b'{"error":"Token"}', "unauthorized", "Token"),
        (403, b'{"error":{"message":"Sem acesso"}}', "unauthorized", "Sem acesso"),
        (400, b'{"data":null,"success":false,"error":"Ruim"}', "refused", "Ruim"),
        (400, b'{"error":"Invalid taxId"}', "invalid_tax_id", "Invalid taxId"),
        (400, b'{"error":"INSUFFICIENT_FUNDS"}', "INSUFFICIENT_FUNDS", None),
        (
            400,
            b'{"error":{"code":"STORE_NOT_FOUND","message":"A"}}',
            "STORE_NOT_FOUND",
            "A",
        ),
        (404, b'{"message":"Nada"}', "refused", "Nada"),
        (422, b'{"error":[{"path":"x"}]}', "refused", '{"error":[{"path":"x"}]}'),
        (422, b"<html>\n no \xff</html>", "refused", "<html> no \ufffd</html>"),
        (418, b"", "refused", "answered 418"),
        (302, b"", "redirected", "answered 302"),
        (500, b"null", "unavailable", "null"),
        (429, b'{"error":"Calma"}', "unavailable", "Calma"),
    ],
)
def test_code_and_message_come_from_every_shape(
    status: int, body: bytes, code: str, message: str | None
) -> None:
    error = refusal(status, body)

    assert (error.status, error.code, error.message) == (status, code, message or code)


@pytest.mark.parametrize(
    ("status", "error", "is_retryable", "is_uncertain"),
    [
        (400, "Ruim", False, False),
        (401, "Token", False, False),
        (422, "Expected", False, False),
        (408, "Slow", True, True),
        (425, "Early", True, False),
        (429, "Many", True, False),
        (500, "INTERNAL_SERVER_ERROR", True, True),
        (501, "No", False, True),
        (502, "Bad", True, True),
        (503, "Away", True, True),
        (504, "Slow", True, True),
        (522, "Away", True, True),
        (400, "LOCK_NOT_ACQUIRED", True, False),
        (500, "LOCK_NOT_ACQUIRED", True, False),
        (500, "INSUFFICIENT_FUNDS", True, False),
        (400, "REFUND_REQUEST_FAILED", True, False),
        (400, "REFUND_CONFIRMATION_FAILED", True, True),
    ],
)
def test_what_may_be_tried_again_and_what_may_have_happened(
    status: int, error: str, *, is_retryable: bool, is_uncertain: bool
) -> None:
    failed = refusal(status, b'{"error":"%s"}' % error.encode())

    assert (failed.is_retryable, failed.is_uncertain) == (is_retryable, is_uncertain)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Bearer abc_prod_x1Y2 is no key", "[redacted] is no key"),
        ("key abc_live_x1Y2", "key [redacted]"),
        (
            "https://a.test/?webhookSecret=s3cr3t&a=1",
            "https://a.test/?webhookSecret=[redacted]&a=1",
        ),
        ('{"secret":"s3cr3t"}', '{"secret":"[redacted]"}'),
        ("call +55 (11) 91234-5678 now", "call [redacted] now"),
        ("CNPJ 11.222.333/0001-81.", "CNPJ [redacted]."),
        ("amount 12990 of 100", "amount 12990 of 100"),
        ("a\0b\n c", "ab c"),
        ("x" * 600, "x" * 500),
    ],
)
def test_words_are_cleaned(said: str, shown: str) -> None:
    assert cleaned(said) == shown


async def test_an_error_tells_neither_the_customer_nor_the_key(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    customer = Customer("João da Silva", "j@exemplo.com", "111.444.777-36", "11912345678")
    echo = f"JOÃO DA SILVA j@exemplo.com 11144477736 {key.get_secret_value()}"
    fake.fail("create", Fault(status=422, error=echo))
    charge = replace(new_charge, customer=customer)

    echoed = await failure(client.create_charge(key, charge))
    invalid = await failure(client.create_charge(key, charge))

    assert echoed.message == " ".join(["[redacted]"] * 4)
    assert (invalid.code, invalid.message) == (
        "invalid_tax_id",
        "Invalid taxId: [redacted]",
    )
    for error in (echoed, invalid):
        said = "".join(traceback.format_exception(error)) + repr(vars(error))
        for private in ("111.444", "Silva", "exemplo", key.get_secret_value()):
            assert private not in said
        assert error.__cause__ is None
        assert error.__context__ is None


async def test_an_error_tells_no_webhook_secret(client: AbacatePay, key: SecretStr) -> None:
    short = SecretStr("too-short-secret")

    error = await failure(
        client.create_webhook(key, name="v", endpoint="https://v.test", secret=short)
    )

    assert error.message == (
        "Expected property 'secret' to be 32+ characters but found: [redacted]"
    )


async def test_a_broken_connection_leaves_nothing_of_the_request_in_the_error(
    fake: AbacatePayServer, client: AbacatePay, key: SecretStr, new_charge: NewCharge
) -> None:
    fake.fail("create", Fault(is_cut=True))

    error = await failure(client.create_charge(key, new_charge))

    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.code == "no_answer"


def test_nothing_shows_a_customer_or_a_key(new_charge: NewCharge) -> None:
    customer = Customer("João da Silva", "j@exemplo.com", "111.444.777-35", "11912345678")

    shown = repr(replace(new_charge, customer=customer))

    assert "customer=Customer()" in shown
