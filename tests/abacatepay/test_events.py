"""What a webhook says, in every shape that AbacatePay documents and in none."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from vek1_api.abacatepay import CHARGE_EVENTS, Event, EventKind, read_event, redacted

SAMPLES = Path(__file__).parent / "samples"
CHARGE = "pix_char_mA3fTz81KqWc0LrYbN6eXu2D"
OURS = "0192f0c4-7b1e-7c3a-9d55-2f6a1c0e9b11"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def raw(**body: Any) -> bytes:
    return json.dumps(body).encode()


def thing(
    name: str = "transparent.completed", kind: str = "transparent", **f: Any
) -> Event:
    return read_event(raw(id="log_1", event=name, data={kind: f}))


def test_a_completed_charge() -> None:
    assert read_event(sample("01_transparent_completed.json")) == Event(
        event_id="log_Tz81KqWc0LrYbN6eXu2DmA3f",
        name="transparent.completed",
        kind=EventKind.PAID,
        charge_ids=(CHARGE, "char_mA3fTz81KqWc0LrYbN6eXu2D"),
        external_ids=(OURS,),
        amount_cents=12_990,
        paid_amount_cents=12_990,
        dev_mode=True,
    )


def test_a_refunded_charge_is_refunded_though_its_status_says_paid() -> None:
    event = read_event(sample("03_transparent_refunded.json"))

    assert event.kind is EventKind.REFUNDED
    assert event.reason == "Pedido cancelado pelo cliente"
    assert event.charge_ids[0] == CHARGE


def test_a_completed_checkout() -> None:
    event = read_event(sample("05_checkout_completed.json"))

    assert (event.name, event.kind) == ("checkout.completed", EventKind.PAID)
    assert event.charge_ids == ("bill_jskd3TMfScHZDJe5NSZjTmQ4",)
    assert (event.amount_cents, event.paid_amount_cents) == (10_000, 10_000)


def test_a_paid_qr_code_of_v1() -> None:
    assert read_event(sample("06_v1_billing_paid_pixqrcode.json")) == Event(
        event_id="log_v1Legacy0Aa1Bb2Cc3Dd4Ee5",
        name="billing.paid",
        kind=EventKind.PAID,
        charge_ids=("pix_char_vL1egacyXu2DmA3fTz81Kq", "char_vL1egacyXu2DmA3fTz81Kq"),
        amount_cents=1_000,
        paid_amount_cents=1_000,
    )


def test_a_paid_bill_of_v1() -> None:
    data = {
        "payment": {"amount": 950, "fee": 80, "method": "PIX"},
        "billing": {"id": "bill_1", "amount": 1_000, "paidAmount": 900, "products": []},
    }

    event = read_event(raw(id="log_1", event="billing.paid", devMode=False, data=data))

    assert (event.kind, event.charge_ids) == (EventKind.PAID, ("bill_1",))
    assert (event.amount_cents, event.paid_amount_cents) == (1_000, 900)


def test_money_on_a_key() -> None:
    data = {
        "pixKey": {"id": "tran_1", "amount": 500, "fee": 80, "endToEndId": "E123"},
        "payer": {"name": "Fulano", "taxId": "123.***.789-**"},
    }

    event = read_event(raw(id="log_1", event="pix_key.received", data=data))

    assert (event.kind, event.charge_ids) == (EventKind.PAID, ("tran_1",))
    assert (event.amount_cents, event.paid_amount_cents) == (500, 500)
    assert event.end_to_end_id == "E123"


def test_a_payment_of_the_beta() -> None:
    event = thing("payment.completed", "payment", id="pix_char_1", amount=100)

    assert (event.kind, event.charge_ids) == (EventKind.PAID, ("pix_char_1", "char_1"))
    assert (event.amount_cents, event.paid_amount_cents) == (100, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("transparent.disputed", EventKind.DISPUTED),
        ("transparent.lost", EventKind.DISPUTE_LOST),
        ("checkout.refunded", EventKind.REFUNDED),
        ("payment.disputed", EventKind.DISPUTED),
        ("pix_key.refunded", EventKind.REFUNDED),
        ("payout.completed", EventKind.OTHER),
        ("transfer.failed", EventKind.OTHER),
        ("subscription.renewed", EventKind.OTHER),
        ("withdraw.done", EventKind.OTHER),
        ("transparent.created", EventKind.OTHER),
        ("", EventKind.OTHER),
    ],
)
def test_an_event_is_known_by_its_name(name: str, kind: EventKind) -> None:
    event = thing(name, id="x")

    assert (event.name, event.kind) == (name, kind)
    assert event.is_known is (kind is not EventKind.OTHER)


def test_we_subscribe_to_what_a_charge_can_do() -> None:
    assert CHARGE_EVENTS == (
        "transparent.completed",
        "transparent.refunded",
        "transparent.disputed",
        "transparent.lost",
    )


def test_every_id_that_may_be_the_charge_is_kept_once_the_likeliest_first() -> None:
    data = {
        "id": "char_1",
        "billing": {"id": "bill_1"},
        "transparent": {"id": "pix_char_1"},
    }

    event = read_event(raw(event="transparent.completed", data=data))

    assert event.charge_ids == ("pix_char_1", "char_1", "bill_1")


def test_a_charge_without_a_customer_still_tells_our_ids_by_metadata() -> None:
    metadata = {"payment_id": OURS, "order_id": "o-1", "else": 1}

    event = thing(id="char_1", externalId=None, metadata=metadata)

    assert event.charge_ids == ("char_1", "pix_char_1")
    assert (event.external_ids, event.payment_ids) == ((), (OURS,))
    assert event.order_ids == ("o-1",)


@pytest.mark.parametrize(
    ("envelope", "inner", "expected"),
    [
        (True, True, True),
        (True, False, True),
        (False, True, True),
        (None, True, True),
        (False, False, False),
        (None, None, False),
        ("yes", 1, False),
    ],
)
def test_either_flag_makes_it_a_test(
    envelope: object, inner: object, expected: object
) -> None:
    body = raw(devMode=envelope, data={"transparent": {"id": "x", "devMode": inner}})

    assert read_event(body).dev_mode is expected


@pytest.mark.parametrize("event_id", [None, "", 7, {}, "x" * 256, "a\nb"])
def test_without_an_id_the_digest_of_the_body_is_the_id(event_id: object) -> None:
    body = raw(id=event_id, event="transparent.completed")

    assert read_event(body).event_id == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe\x00",
        b"<html>",
        b"[" * 200_000,
        b"9" * 10_000,
        '{"event":"transparent.completed"}'.encode("utf-16"),
    ],
)
def test_garbage_is_a_nameless_event(body: bytes) -> None:
    event = read_event(body)

    assert event == Event(event_id=hashlib.sha256(body).hexdigest())
    assert not event.is_known


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"transparent": 1}, [{"id": "x"}]])
def test_odd_data_leaves_a_name_without_a_charge(data: object) -> None:
    event = read_event(raw(id="log_1", event="transparent.completed", data=data))

    assert event == Event("log_1", "transparent.completed", EventKind.PAID)


@pytest.mark.parametrize(
    ("said", "cents"),
    [
        (0, 0),
        (12_990, 12_990),
        (12_990.0, 12_990),
        ("012990", 12_990),
        (129.9, None),
        (-1, None),
        (True, None),
        ("1.00", None),
        ("9" * 5_000, None),
        (2**31, None),
        (1e300, None),
        (float("nan"), None),
        (None, None),
        ([1], None),
    ],
)
def test_amounts_are_whole_cents_or_nothing(said: object, cents: int | None) -> None:
    event = thing(id="x", amount=said, paidAmount=said)

    assert (event.amount_cents, event.paid_amount_cents) == (cents, cents)


def test_half_a_character_and_a_nul_do_not_reach_the_database() -> None:
    body = rb'{"id":"log_\ud83d","event":"transparent.lost","data":{"reason":"a\u0000b \ud83d"}}'

    event = read_event(body)

    assert event.event_id == hashlib.sha256(body).hexdigest()
    assert (event.kind, event.reason) == (EventKind.DISPUTE_LOST, "ab ?")


def test_a_byte_order_mark_is_no_garbage() -> None:
    assert read_event(b"\xef\xbb\xbf" + raw(event="billing.paid")).name == "billing.paid"


def test_an_event_holds_no_person() -> None:
    for path in SAMPLES.iterdir():
        shown = repr(read_event(path.read_bytes()))
        assert "João" not in shown
        assert "111." not in shown
        assert "exemplo" not in shown


def test_what_is_stored_holds_no_person_and_says_the_same() -> None:
    for path in SAMPLES.iterdir():
        body = path.read_bytes()
        stored = redacted(body)

        assert all(word not in stored.decode() for word in ("João", "111.", "exemplo"))
        assert read_event(stored) == read_event(body)


def test_what_is_stored_holds_no_secret() -> None:
    body = (
        b'{"webhookSecret":"s3\\"cr3t", "secret" : "s3cr3t","data":{"url":'
        b'"https://v.test/?webhookSecret=s3cr3t&a=1","note":"mine-is-xyz","apiKey":"k"}}'
    )

    assert redacted(body, ["xyz", ""]) == (
        b'{"webhookSecret":"[redacted]", "secret" : "[redacted]","data":{"url":'
        b'"https://v.test/?webhookSecret=[redacted]&a=1","note":"mine-is-[redacted]",'
        b'"apiKey":"[redacted]"}}'
    )


def test_what_is_no_json_is_stored_as_it_came() -> None:
    assert redacted(b"\xff<html>\x00") == b"\xff<html>\x00"


def test_an_endless_name_is_sieved_in_good_time() -> None:
    body = b'"name":"' + b"\\" * 500_000

    assert redacted(body) == body
