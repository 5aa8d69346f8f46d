import re

import pytest

from vek1_api.pix.br_code import StaticCode, parse
from vek1_api.pix.txid import LARGEST_ORDER_NUMBER, order_number_of, txid_of

NUMBERS = [1, 42, 999_999, 1_000_000, 2**31 - 1, LARGEST_ORDER_NUMBER]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_txid_fits_a_code_and_names_its_order(number: int) -> None:
    txid = txid_of(number)
    assert re.fullmatch("[A-Z0-9]{1,25}", txid)
    assert parse(StaticCode("1", "Zé", "Ipê", txid=txid).text()).txid == txid
    assert order_number_of(txid) == number
    assert order_number_of(txid.lower()) == number


def test_a_merchant_can_read_the_order_in_it() -> None:
    assert txid_of(42) == "VEK000042"
    assert txid_of(1_234_567) == "VEK1234567"


@pytest.mark.parametrize("number", [0, -1, LARGEST_ORDER_NUMBER + 1])
def test_no_order_has_such_a_number(number: int) -> None:
    with pytest.raises(ValueError, match="is not the number of an order"):
        txid_of(number)


@pytest.mark.parametrize(
    "txid",
    [
        "",
        "***",
        "VEK",
        "VEK42",
        "VEK000000",
        "VEK0000042",
        "PED000042",
        "VEK000042X",
        "VEK00004٢",
        "VEK000042\n",
        " VEK000042",
        "VEK" + "9" * 23,
    ],
)
def test_other_peoples_txids_name_no_order(txid: str) -> None:
    assert order_number_of(txid) is None
