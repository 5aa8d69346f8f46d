"""Their words for a charge, ours for a payment, and the one direction."""

from itertools import product

import pytest

from vek1_api.abacatepay import ChargeStatus, PaymentState, spellings


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("PENDING", "pending"),
        ("APPROVED", "pending"),
        ("ACTIVE", "pending"),
        ("SOMETHING", "pending"),
        ("", "pending"),
        (None, "pending"),
        (7, "pending"),
        (["PAID"], "pending"),
        ("PAID", "paid"),
        (" paid ", "paid"),
        ("COMPLETE", "paid"),
        ("REDEEMED", "paid"),
        ("EXPIRED", "expired"),
        ("CANCELLED", "cancelled"),
        ("FAILED", "failed"),
        ("UNDER_DISPUTE", "disputed"),
        ("REFUNDED", "refunded"),
    ],
)
def test_each_status_of_theirs_has_one_of_ours(theirs: object, ours: str) -> None:
    assert ChargeStatus.read(theirs).state == ours


def test_a_payment_only_moves_forward() -> None:
    moves = {
        (a.value, b.value) for a, b in product(PaymentState, repeat=2) if a.may_become(b)
    }

    unpaid = {"expired", "cancelled", "failed"}
    later = {"paid", "disputed", "refunded"}
    assert moves == {
        *product(["pending"], unpaid | later),
        *product(unpaid, later),
        ("paid", "disputed"),
        ("paid", "refunded"),
        ("disputed", "refunded"),
    }


@pytest.mark.parametrize(
    ("charge_id", "both"),
    [
        ("pix_char_a1", ("pix_char_a1", "char_a1")),
        ("char_a1", ("char_a1", "pix_char_a1")),
        ("bill_a1", ("bill_a1",)),
    ],
)
def test_a_charge_id_has_two_spellings(charge_id: str, both: tuple[str, ...]) -> None:
    assert spellings(charge_id) == both
