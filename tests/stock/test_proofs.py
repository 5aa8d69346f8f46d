"""Who is believed to be a store's ERP."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from tests.access.refusals import is_refused
from tests.fakes.erp import Erp, Message, new_secret
from tests.people import SERVICE_TOKEN
from tests.stock.shelves import START, Shop, stocks
from vek1_api.core.db import Driver
from vek1_api.stock.dependencies import MAX_BODY_BYTES
from vek1_api.stock.signatures import is_proven

BODY = json.dumps({"items": [{"product_integration_id": "CAF-A", "stock": 1}]}).encode()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _shown(response: httpx.Response) -> tuple[int, dict[str, Any], str]:
    body = response.json()
    del body["request_id"]
    return response.status_code, body, response.headers["www-authenticate"]


async def test_a_signature_and_the_secret_itself_are_believed(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    signed = await erp.post(erp.signed(BODY))
    plain = await erp.http.post(
        erp.path, content=BODY, headers={"Authorization": f"Bearer {erp.secret}"}
    )

    assert [each.json()["items"][0]["status"] for each in (signed, plain)] == [
        "applied",
        "unchanged",
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 1}


async def test_a_bare_read_can_be_signed_too(erp: Erp) -> None:
    message = erp.signed(b"")

    response = await erp.http.get(erp.path, headers=message.headers)

    assert response.status_code == 200


def _nobody(_: Message) -> dict[str, str]:
    return {}


def _another_secret(message: Message) -> dict[str, str]:
    at = datetime.now(UTC)
    signature = Webhook(new_secret()).sign("msg_1", at, message.body.decode())
    return message.headers | {"webhook-id": "msg_1", "webhook-signature": signature}


def _changed(name: str, value: str) -> Callable[[Message], dict[str, str]]:
    return lambda message: message.headers | {name: value}


HOSTILE: dict[str, Callable[[Message], dict[str, str]]] = {
    "nobody": _nobody,
    "another secret": _another_secret,
    "another id": _changed("webhook-id", "msg_other"),
    "no id": lambda message: {
        name: value for name, value in message.headers.items() if name != "webhook-id"
    },
    "a time before": _changed("webhook-timestamp", "1614265330"),
    "a time to come": _changed("webhook-timestamp", "4102444800"),
    "no number": _changed("webhook-timestamp", "nan"),
    "endless": _changed("webhook-timestamp", "1e400"),
    "no version": _changed("webhook-signature", "abc"),
    "too many commas": _changed("webhook-signature", "v1,a,b"),
    "no base64": _changed("webhook-signature", "v1,!!!"),
    "not ASCII": _changed("webhook-signature", "v1,\u00e7"),
    "another version": _changed("webhook-signature", "v1a,aGVsbG8="),
    "empty": _changed("webhook-signature", ""),
    "an empty bearer": lambda _: {"Authorization": "Bearer "},
    "a service token": lambda _: {"Authorization": f"Bearer {SERVICE_TOKEN}"},
    "a user and a password": lambda _: {"Authorization": "Basic YTpi"},
    "a bearer beside a bad signature": _changed("webhook-signature", "v1,aGVsbG8="),
}


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
async def test_what_proves_nothing_is_refused_and_changes_nothing(
    forge: Callable[[Message], dict[str, str]], erp: Erp, shop: Shop, db: Driver
) -> None:
    headers = forge(erp.signed(BODY))
    if headers.get("webhook-signature") == "v1,aGVsbG8=":
        headers["Authorization"] = f"Bearer {erp.secret}"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    response = await erp.http.post(erp.path, content=BODY, headers=raw)

    assert is_refused(response)
    assert await stocks(db, shop) == START


async def test_a_body_that_was_changed_on_its_way_is_refused(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    message = erp.signed(BODY)

    response = await erp.http.post(
        erp.path, content=BODY.replace(b"1}", b"9}"), headers=message.headers
    )

    assert is_refused(response)
    assert await stocks(db, shop) == START


async def test_a_body_that_is_no_text_is_refused(erp: Erp) -> None:
    message = erp.signed(BODY)

    response = await erp.http.post(erp.path, content=b"\xff\xfe", headers=message.headers)

    assert is_refused(response)


@pytest.mark.parametrize("body", [BODY, b"{", b'{"items": 1}'])
async def test_unknown_disabled_and_wrong_look_the_same(
    body: bytes, erp: Erp, shop: Shop, db: Driver
) -> None:
    wrong = {"Authorization": f"Bearer {new_secret()}"}
    right = {"Authorization": f"Bearer {erp.secret}"}
    unknown_path = f"/erp/v1/stores/{uuid4()}/stock"

    answers = [
        await erp.http.post(erp.path, content=body, headers=wrong),
        await erp.http.post(unknown_path, content=body, headers=right),
    ]
    await db.execute(
        "UPDATE store_stock_sync_settings SET inbound_enabled = false WHERE store_id = $1",
        shop.store_id,
    )
    answers.append(await erp.http.post(erp.path, content=body, headers=right))
    await db.execute(
        "UPDATE store_stock_sync_settings SET inbound_enabled = true WHERE store_id = $1",
        shop.store_id,
    )
    await shop.owner.delete(f"/v1/stores/{shop.store_id}")
    answers.append(await erp.http.post(erp.path, content=body, headers=right))

    assert [_shown(each) for each in answers] == [_shown(answers[0])] * 4
    assert is_refused(answers[0])


async def test_a_body_that_is_too_large_is_refused_whoever_sends_it(erp: Erp) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)

    for secret in (erp.secret, new_secret()):
        response = await erp.http.post(
            erp.path, content=body, headers={"Authorization": f"Bearer {secret}"}
        )
        assert (response.status_code, response.json()["code"]) == (
            413,
            "payload_too_large",
        )


async def test_a_filter_that_is_not_known_is_refused(erp: Erp) -> None:
    response = await erp.http.post(
        erp.path,
        content=BODY,
        params={"dryrun": "true"},
        headers={"Authorization": f"Bearer {erp.secret}"},
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/dryrun"


def _signed(secret: str, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, BODY.decode()),
    }


def test_both_secrets_are_good_while_they_are_rotated() -> None:
    old, new = new_secret(), new_secret()

    for secret in (old, new):
        assert is_proven(_signed(secret), BODY, [new, old])
        assert is_proven({"authorization": f"Bearer {secret}"}, BODY, [new, old])
    assert not is_proven(_signed(old), BODY, [new])
    assert not is_proven({"authorization": f"bearer {old}"}, BODY, [new])


def test_one_good_signature_among_several_is_enough() -> None:
    headers = _signed(SECRET)
    other = base64.b64encode(b"0" * 32).decode()
    headers["webhook-signature"] = f"v1a,{other} v1,{other} {headers['webhook-signature']}"

    assert is_proven(headers, BODY, [SECRET])


def test_without_a_secret_nothing_is_believed() -> None:
    for secret in ("", "whsec_", SECRET):
        assert not is_proven({"authorization": f"Bearer {secret}"}, BODY, [])
    assert not is_proven(_signed(SECRET), BODY, [])


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_message_of_another_time_is_not_believed(seconds: int) -> None:
    at = datetime.now(UTC) + timedelta(seconds=seconds)

    assert not is_proven(_signed(SECRET, at), BODY, [SECRET])


def test_a_guess_takes_as_long_where_there_is_no_secret() -> None:
    headers = _signed(new_secret())

    def seconds(secrets: list[str]) -> float:
        began = perf_counter()
        for _ in range(20):
            is_proven(headers, BODY * 100, secrets)
        return perf_counter() - began

    turns = [(seconds([]), seconds([SECRET]), seconds([SECRET] * 2)) for _ in range(15)]
    none, one, two = (median(turn[place] for turn in turns) for place in range(3))

    assert max(none, one, two) < 1.5 * min(none, one, two)
