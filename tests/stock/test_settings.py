"""Connecting a store with its ERP."""

from typing import Any
from uuid import UUID

import pytest

from tests.fakes.erp_receiver import ErpReceiver, Reaction
from tests.people import Person
from tests.stock.outlets import deliver, deliveries, later, listen, path, put
from tests.stock.shelves import Shop, sell
from vek1_api.core.db import Driver
from vek1_api.core.encryption import is_sealed
from vek1_api.core.resources import Resources
from vek1_api.stock.secrets import inbound_secrets

NOTHING = {"outbound_url": None, "outbound_enabled": False, "inbound_enabled": False}


async def rotate(shop: Shop, which: str, **more: Any) -> Any:
    body = {"which": which, **more}
    return await shop.owner.post(path(shop, "/rotate-secret"), body, status=200)


async def columns(db: Driver, store_id: str) -> Any:
    return await db.fetchrow(
        "SELECT * FROM store_stock_sync_settings WHERE store_id = $1", UUID(store_id)
    )


async def test_store_that_was_never_connected_shows_the_defaults(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    assert await ana.get(f"/v1/stores/{store_id}/stock-sync") == {
        **NOTHING,
        "outbound_secret_set": False,
        "outbound_secret_last_four": None,
        "outbound_old_secret_until": None,
        "outbound_failing_since": None,
        "outbound_disabled": None,
        "inbound_url": f"http://127.0.0.1:8000/erp/v1/stores/{store_id}/stock",
        "inbound_secret_set": False,
        "inbound_secret_last_four": None,
        "inbound_old_secret_until": None,
        "hold_above_percent": 50,
        "hold_from_products": 10,
    }


async def test_secrets_are_made_when_first_needed_and_shown_only_then(
    ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]
    where = f"/v1/stores/{store_id}/stock-sync"
    wanted = {
        "outbound_url": "https://erp.example.com/vek1?token=abc",
        "outbound_enabled": True,
        "inbound_enabled": True,
        "hold_above_percent": 30,
        "hold_from_products": 5,
    }
    first = await ana.request("PUT", where, json=wanted)
    second = await ana.request("PUT", where, json=wanted)
    seen = await ana.request("GET", where)

    made, again = first.json(), second.json()
    for which in ("outbound", "inbound"):
        secret = made[f"{which}_secret"]
        assert secret.startswith("whsec_")
        assert len(secret) == 50
        assert made[f"{which}_secret_last_four"] == secret[-4:]
        assert again[f"{which}_secret"] is None
        assert secret not in seen.text
        row = await columns(db, store_id)
        assert is_sealed(row[f"{which}_secret"])
    assert first.headers["etag"] == second.headers["etag"] == seen.headers["etag"]
    assert {name: seen.json()[name] for name in wanted} == wanted
    (event,) = await ana.audit(action="stock_sync.updated")
    assert event["meta"] == {
        "changed": [
            "hold_above_percent",
            "hold_from_products",
            "inbound_enabled",
            "inbound_secret",
            "outbound_enabled",
            "outbound_secret",
            "outbound_url",
        ]
    }


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"outbound_enabled": True}, "/outbound_url"),
        ({"outbound_url": "ftp://erp.example.com/"}, "/outbound_url"),
        ({"outbound_url": "https://ana:senha@erp.example.com/"}, "/outbound_url"),
        ({"outbound_url": "https://169.254.169.254/"}, "/outbound_url"),
        ({"outbound_url": "https://erp.example.com:25/"}, "/outbound_url"),
        ({"outbound_url": ""}, "/outbound_url"),
        ({"outbound_url": "https://erp.example.com/ a"}, "/outbound_url"),
        ({"hold_above_percent": 0}, "/hold_above_percent"),
        ({"hold_above_percent": 101}, "/hold_above_percent"),
        ({"hold_from_products": 0}, "/hold_from_products"),
        ({"outbound_secret": "whsec_mine"}, "/outbound_secret"),
    ],
)
async def test_settings_that_cannot_be_are_refused_and_change_nothing(
    ana: Person, db: Driver, wanted: dict[str, Any], pointer: str
) -> None:
    store_id = (await ana.open_store())["id"]
    refused = await ana.request(
        "PUT", f"/v1/stores/{store_id}/stock-sync", json=NOTHING | wanted
    )

    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    assert await columns(db, store_id) is None


async def test_settings_of_another_version_are_not_overwritten(shop: Shop) -> None:
    seen = await shop.owner.request("GET", path(shop))
    changed = await shop.owner.request(
        "PUT",
        path(shop),
        json=NOTHING | {"hold_above_percent": 20},
        headers={"If-Match": seen.headers["etag"]},
    )
    late = await shop.owner.request(
        "PUT", path(shop), json=NOTHING, headers={"If-Match": seen.headers["etag"]}
    )

    assert (changed.status_code, late.status_code) == (200, 412)
    assert (await shop.owner.get(path(shop)))["hold_above_percent"] == 20


async def test_both_secrets_sign_until_the_old_one_has_run_out(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    old = await listen(shop, receiver)
    new = await rotate(shop, "outbound")
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)
    await later(db, shop, hours=25)
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)

    during, after = receiver.received
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert during.is_signed_with(old)
    assert during.is_signed_with(new["secret"])
    assert after.is_signed_with(new["secret"])
    assert not after.is_signed_with(old)
    assert new["old_secret_until"] is not None
    (event,) = await shop.owner.audit(action="stock_sync.secret_rotated")
    assert event["meta"] == {"which": "outbound", "overlap_hours": 24}


async def test_secret_in_wrong_hands_is_replaced_at_once(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    first = await listen(shop, receiver)
    second = (await rotate(shop, "outbound"))["secret"]
    third = await rotate(shop, "outbound", overlap_hours=0)
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)

    (message,) = receiver.received
    assert third["old_secret_until"] is None
    assert message.is_signed_with(third["secret"])
    assert not message.is_signed_with(first)
    assert not message.is_signed_with(second)


async def test_inbound_secrets_are_those_that_are_good_now(
    ana: Person, db: Driver, resources: Resources
) -> None:
    shop = Shop(ana, (await ana.open_store())["id"], "", {})
    store, keyring = UUID(shop.store_id), resources.keyring
    assert await inbound_secrets(db, store, keyring) == ("", [])

    first = (await put(shop, inbound_enabled=True))["inbound_secret"]
    assert await inbound_secrets(db, store, keyring) == (ana.user_id, [first])
    second = (await rotate(shop, "inbound"))["secret"]
    third = (await rotate(shop, "inbound", overlap_hours=48))["secret"]
    known = await inbound_secrets(db, store, keyring)
    assert known == (ana.user_id, [third, second, first])

    await later(db, shop, hours=30)
    known = await inbound_secrets(db, store, keyring)
    assert known == (ana.user_id, [third, second])
    await put(shop)
    assert await inbound_secrets(db, store, keyring) == ("", [])
    await put(shop, inbound_enabled=True)
    await ana.delete(f"/v1/stores/{shop.store_id}")
    assert await inbound_secrets(db, store, keyring) == ("", [])


async def test_repeated_rotation_shows_the_same_secret_and_keeps_it_sealed(
    shop: Shop, db: Driver
) -> None:
    asked = {"json": {"which": "outbound"}, "headers": {"Idempotency-Key": "r-1"}}
    where = path(shop, "/rotate-secret")
    first = await shop.owner.request("POST", where, **asked)
    again = await shop.owner.request("POST", where, **asked)

    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    kept = await db.fetchval(
        "SELECT convert_from(body, 'UTF8') FROM vek1_api.idempotency_keys WHERE actor = $1",
        shop.owner.user_id,
    )
    assert secret not in kept
    assert len(await shop.owner.audit(action="stock_sync.secret_rotated")) == 1


async def test_test_message_says_what_the_erp_answered(
    shop: Shop, receiver: ErpReceiver
) -> None:
    secret = await listen(shop, receiver)
    await put(shop, outbound_url=receiver.url)  # Switched off: trying comes first.
    receiver.reactions += [Reaction(), Reaction(401, body=b"who are you?")]
    good, bad = [
        await shop.owner.post(path(shop, "/test"), None, status=200) for _ in range(2)
    ]

    assert (good["is_delivered"], good["status"], good["error"]) == (True, 200, None)
    assert (bad["is_delivered"], bad["status"], bad["error"]) == (False, 401, "status")
    assert receiver.received[0].json["type"] == "stock.test"
    assert receiver.received[0].data == {"store_id": shop.store_id}
    assert receiver.received[0].is_signed_with(secret)
    assert await deliveries(shop) == []
    assert len(await shop.owner.audit(action="stock_sync.tested")) == 2


async def test_test_message_is_sent_once_for_its_key(
    shop: Shop, receiver: ErpReceiver
) -> None:
    await listen(shop, receiver)
    headers = {"Idempotency-Key": "t-1"}
    answers = [
        await shop.owner.request("POST", path(shop, "/test"), headers=headers)
        for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert len(receiver.received) == 1


async def test_there_is_nothing_to_try_without_an_address(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]
    refused = await ana.request("POST", f"/v1/stores/{store_id}/stock-sync/test")

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_deliveries_are_paged_and_filtered(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    for key in ("CAF-A", "CAF-B", "CAF-A"):
        await sell(db, shop, key, 1)
    first = await shop.owner.get(path(shop, "/deliveries"), limit=2)
    rest = await shop.owner.get(
        path(shop, "/deliveries"), limit=2, cursor=first["next_cursor"]
    )
    await deliver(resources, shop)

    found = [
        (each["product_integration_id"], each["sequence"])
        for each in first["items"] + rest["items"]
    ]
    assert found == [("CAF-A", 2), ("CAF-B", 1), ("CAF-A", 1)]
    assert rest["next_cursor"] is None
    mine = await deliveries(shop, product_id=shop.products["CAF-B"], status="delivered")
    assert [(each["type"], each["stock"], each["delta"]) for each in mine] == [
        ("stock.decremented", 19, -1)
    ]
    assert await deliveries(shop, status="held") == []


async def test_nothing_is_sent_again_while_messages_are_off(
    shop: Shop, db: Driver, receiver: ErpReceiver, resources: Resources
) -> None:
    await listen(shop, receiver)
    await sell(db, shop, "CAF-A", 1)
    await deliver(resources, shop)
    (delivery,) = await deliveries(shop)
    await put(shop, outbound_url=receiver.url)
    where = path(shop, f"/deliveries/{delivery['id']}/redeliver")
    refused = await shop.owner.request("POST", where)

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert await deliveries(shop) == [delivery]
