"""Who sent a webhook, and whether its bytes are what was sent."""

import base64
import json
from pathlib import Path

import pytest

from vek1_api.abacatepay import is_authentic, signature_ok

SAMPLES = Path(__file__).parent / "samples"
SIGNATURES = {
    "01_transparent_completed.json": "GaEcMkAz2Ibpl+Nlk9Hqa9Oy2pjlgfewDCDpO+iWUC4=",
    "03_transparent_refunded.json": "2nyCbLMey0Ztirnk32at+jyoBM7GHyhhAeOSiinyRyQ=",
    "05_checkout_completed.json": "RN1HAYj0D1orT8N+Aa4mFooLyXAlkYV0mCQLWc4POcg=",
    "06_v1_billing_paid_pixqrcode.json": "DxLbo2lmMYQHnYpiRNC3E5u+aXuG/YLbA0XtGQPAbGI=",
}
OLD, NEW = "old-" * 8, "new-" * 8
RAW = (SAMPLES / "01_transparent_completed.json").read_bytes()
GOOD = SIGNATURES["01_transparent_completed.json"]


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items())
def test_the_signature_of_each_sample_is_right(name: str, signature: str) -> None:
    assert signature_ok((SAMPLES / name).read_bytes(), signature)


def test_the_same_json_written_anew_has_another_signature() -> None:
    anew = json.dumps(json.loads(RAW), ensure_ascii=True, separators=(",", ":")).encode()

    assert json.loads(anew) == json.loads(RAW)
    assert not signature_ok(anew, GOOD)
    assert not signature_ok(RAW + b"\n", GOOD)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "=",
        "abc",
        "ção",
        GOOD[:-1],
        GOOD.lower(),
        GOOD + "A",
        base64.b64decode(GOOD).hex(),
        SIGNATURES["03_transparent_refunded.json"],
    ],
)
def test_any_other_signature_is_wrong(header: str | None) -> None:
    assert not signature_ok(RAW, header)


def test_a_signature_may_have_spaces_around_it() -> None:
    assert signature_ok(RAW, f" {GOOD} ")


def test_another_public_key_can_be_set() -> None:
    assert not signature_ok(RAW, GOOD, "another")
    # From RFC 4231, test case 2.
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    header = base64.b64encode(bytes.fromhex(known)).decode()
    assert signature_ok(b"what do ya want for nothing?", header, "Jefe")


@pytest.mark.parametrize(
    ("offered", "expected", "answer"),
    [
        ([NEW, None], [NEW], True),
        ([None, NEW], [NEW], True),
        ([NEW, NEW], [NEW], True),
        ([OLD, None], [NEW, OLD], True),
        ([OLD, NEW], [NEW, OLD], True),
        ([NEW, ""], [NEW], True),
        ([NEW, OLD], [NEW], False),
        ([OLD, NEW], [NEW], False),
        ([OLD, OLD], [NEW], False),
        ([None, None], [NEW], False),
        (["", ""], [NEW], False),
        ([""], [""], False),
        ([NEW], [], False),
        ([NEW], [""], False),
        ([NEW[:-1]], [NEW], False),
        ([NEW + " "], [NEW], False),
        (["senhação\udc80"], [NEW], False),
        (["senhação"], ["senhação"], True),
    ],
)
def test_each_secret_that_was_sent_must_be_valid(
    offered: list[str | None],
    expected: list[str],
    answer: bool,  # noqa: FBT001 - The expected answer, from the table above.
) -> None:
    assert is_authentic(offered, expected) is answer
