"""Saying how a store is paid: validation, secrets that only go in, the trail."""

import asyncio
import json
from typing import Any

import pytest

from tests.payment_settings.shops import (
    DEV_KEY,
    GATEWAY,
    MANUAL,
    SECRET,
    path_of,
    pointers,
    put,
    refused,
    row_of,
)
from tests.people import Person
from vek1_api.core.db import Driver


async def test_store_that_set_nothing_has_the_defaults(ana: Person, db: Driver) -> None:
    store_id = (await ana.open_store())["id"]

    assert await ana.get(path_of(store_id)) == {
        "store_id": store_id,
        "abacate_pay_api_key_set": False,
        "abacate_pay_api_key_last_four": None,
        "abacate_pay_dev_mode": False,
        "abacate_pay_webhook_secret_set": False,
        "abacate_pay_webhook_secret_last_four": None,
        "webhook_url": f"https://api.loja.test/webhooks/abacatepay/{store_id}",
        "webhook_registered_at": None,
        "webhook_error": None,
        "pix_enabled": False,
        "pix_expires_in_minutes": 60,
        "cash_on_delivery_enabled": True,
        "manual_pix_key": None,
        "manual_pix_key_type": None,
        "manual_pix_recipient": None,
        "manual_pix_city": None,
        "default_tax_id": None,
        "payment_instructions": None,
        "created_at": None,
        "updated_at": None,
    }
    assert await row_of(db, store_id) is None


async def test_settings_are_kept_and_read_back(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    saved = await put(
        ana,
        store_id,
        **MANUAL,
        pix_expires_in_minutes=30,
        cash_on_delivery_enabled=False,
        default_tax_id="11.222.333/0001-81",
        payment_instructions="Mande o comprovante.",
    )

    assert saved.pop("abacate_pay_webhook_secret") is None
    assert saved == await ana.get(path_of(store_id))
    assert saved["manual_pix_key"] == "11144477735"
    assert saved["manual_pix_key_type"] == "cpf"
    assert saved["manual_pix_recipient"] == "Torrefação Serra Azul"
    assert saved["manual_pix_city"] == "Belo Horizonte"
    assert saved["default_tax_id"] == "11222333000181"
    assert saved["pix_expires_in_minutes"] == 30
    assert saved["cash_on_delivery_enabled"] is False
    assert saved["payment_instructions"] == "Mande o comprovante."
    assert saved["created_at"].endswith("Z")


async def test_put_says_all_that_is_no_secret(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **MANUAL, **GATEWAY, pix_enabled=True)

    after = await put(ana, store_id, abacate_pay_dev_mode=True)

    assert after["manual_pix_key"] is None
    assert after["manual_pix_city"] is None
    assert after["pix_enabled"] is False
    assert after["abacate_pay_api_key_set"] is True
    assert after["abacate_pay_webhook_secret_set"] is True


async def test_first_key_makes_a_webhook_secret_that_is_shown_once(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    first = await put(ana, store_id, **GATEWAY)
    second = await put(ana, store_id, **GATEWAY)

    secret = first["abacate_pay_webhook_secret"]
    assert len(secret) == 43
    assert first["abacate_pay_webhook_secret_last_four"] == secret[-4:]
    assert first["abacate_pay_api_key_last_four"] == DEV_KEY[-4:]
    assert second["abacate_pay_webhook_secret"] is None
    assert second == first | {"abacate_pay_webhook_secret": None}
    assert "abacate_pay_webhook_secret" not in await ana.get(path_of(store_id))


async def test_secret_of_the_merchant_is_never_shown(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    saved = await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)

    assert saved["abacate_pay_webhook_secret"] is None
    assert saved["abacate_pay_webhook_secret_last_four"] == SECRET[-4:]
    for text in (json.dumps(saved), json.dumps(await ana.audit())):
        assert SECRET not in text
        assert DEV_KEY not in text


async def test_secrets_are_sealed_at_rest_each_for_its_place(
    ana: Person, db: Driver
) -> None:
    one = (await ana.open_store())["id"]
    other = (await ana.open_store("Centro"))["id"]

    for store_id in (one, other):
        await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)

    rows = [await row_of(db, store_id) for store_id in (one, other)]
    sealed = [
        row[name]
        for row in rows
        for name in ("abacate_pay_api_key", "abacate_pay_webhook_secret")
    ]
    assert len(set(sealed)) == 4
    assert all(text.startswith("v1.") for text in sealed)
    assert not any(DEV_KEY in str(dict(row)) or SECRET in str(dict(row)) for row in rows)


async def test_null_removes_a_secret_and_leaving_it_out_keeps_it(
    ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY)

    kept = await put(ana, store_id, abacate_pay_dev_mode=True)
    removed = await put(
        ana, store_id, abacate_pay_api_key=None, abacate_pay_webhook_secret=None
    )

    assert kept["abacate_pay_api_key_set"] is True
    assert removed["abacate_pay_api_key_set"] is False
    assert removed["abacate_pay_webhook_secret_set"] is False
    assert removed["abacate_pay_webhook_secret"] is None
    row = await row_of(db, store_id)
    assert row["abacate_pay_api_key"] is None
    assert row["abacate_pay_webhook_secret"] is None
    assert row["previous_webhook_secrets"] == []


async def test_null_for_the_secret_of_a_key_makes_another_and_forgets_the_old(
    ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]
    first = await put(ana, store_id, **GATEWAY)

    second = await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=None)

    assert second["abacate_pay_webhook_secret"] is not None
    assert second["abacate_pay_webhook_secret"] != first["abacate_pay_webhook_secret"]
    assert (await row_of(db, store_id))["previous_webhook_secrets"] == []


REFUSED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"manual_pix_key": "11144477735"}, [
        ("/manual_pix_key_type", "missing"),
        ("/manual_pix_recipient", "missing"),
        ("/manual_pix_city", "missing"),
    ]),
    (MANUAL | {"manual_pix_key_type": "phone"}, [("/manual_pix_key", "pix_key_mismatch")]),
    (MANUAL | {"manual_pix_key_type": "guess"}, [("/manual_pix_key_type", "enum")]),
    (MANUAL | {"manual_pix_key": "11111111111"}, [("/manual_pix_key", "pix_key_mismatch")]),
    (MANUAL | {"manual_pix_recipient": "東京"}, [("/manual_pix_recipient", "unreadable")]),
    (MANUAL | {"manual_pix_city": "→"}, [("/manual_pix_city", "unreadable")]),
    (MANUAL | {"manual_pix_city": " "}, [("/manual_pix_city", "string_too_short")]),
    ({"default_tax_id": "11111111111"}, [("/default_tax_id", "value_error")]),
    ({"pix_expires_in_minutes": 4}, [("/pix_expires_in_minutes", "greater_than_equal")]),
    ({"pix_expires_in_minutes": 1441}, [("/pix_expires_in_minutes", "less_than_equal")]),
    ({"pix_enabled": True}, [("/pix_enabled", "api_key_missing")]),
    ({"abacate_pay_api_key": DEV_KEY}, [("/abacate_pay_dev_mode", "dev_mode_mismatch")]),
    ({"abacate_pay_api_key": "abc_prod_123456", "abacate_pay_dev_mode": True},
     [("/abacate_pay_dev_mode", "dev_mode_mismatch")]),
    ({"abacate_pay_api_key": "tem espaço"},
     [("/abacate_pay_api_key", "string_pattern_mismatch")]),
    ({"abacate_pay_webhook_secret": "x" * 31},
     [("/abacate_pay_webhook_secret", "string_pattern_mismatch")]),
    ({"abacate_pay_webhook_secret": "a&b" * 20},
     [("/abacate_pay_webhook_secret", "string_pattern_mismatch")]),
    ({"abacate_pay_webhook_secret_set": True},
     [("/abacate_pay_webhook_secret_set", "extra_forbidden")]),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "wrong"), REFUSED)
async def test_what_does_not_fit_together_is_refused_and_changes_nothing(
    sent: dict[str, Any], wrong: list[tuple[str, str]], ana: Person
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, payment_instructions="Antes.")

    response = await refused(ana, store_id, **sent)

    assert pointers(response) == wrong
    for name in ("abacate_pay_api_key", "abacate_pay_webhook_secret"):
        assert str(sent.get(name, "no such")) not in response.text


async def test_key_that_was_kept_must_agree_with_the_mode_too(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY)

    response = await refused(ana, store_id, abacate_pay_dev_mode=False)

    assert pointers(response) == [("/abacate_pay_dev_mode", "dev_mode_mismatch")]


async def test_key_without_a_known_prefix_may_be_of_either_mode(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    for is_dev in (True, False):
        saved = await put(
            ana, store_id, abacate_pay_api_key="k-12345678", abacate_pay_dev_mode=is_dev
        )
        assert saved["abacate_pay_dev_mode"] is is_dev


async def test_change_needs_the_version_that_was_read(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]
    path = path_of(store_id)
    unset = (await ana.request("GET", path)).headers["etag"]
    saved = await ana.request("PUT", path, json=GATEWAY, headers={"If-Match": unset})
    tag = saved.headers["etag"]

    stale = await ana.request("PUT", path, json={}, headers={"If-Match": unset})

    assert stale.status_code == 412
    assert tag == (await ana.request("GET", path)).headers["etag"]
    assert (await ana.get(path))["abacate_pay_api_key_set"] is True
    fresh = await ana.request("PUT", path, json={}, headers={"If-Match": tag})
    assert fresh.status_code == 422  # The mode no longer agrees with the key.
    again = {"abacate_pay_dev_mode": True, "payment_instructions": "Depois."}
    fresh = await ana.request("PUT", path, json=again, headers={"If-Match": tag})
    assert fresh.status_code == 200


async def test_trail_names_what_changed_and_masks_the_pix_key(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    await put(ana, store_id, **MANUAL, **GATEWAY)
    await put(ana, store_id, **MANUAL, **GATEWAY)
    await put(ana, store_id, **MANUAL | {"manual_pix_key": "529.982.247-25"}, **GATEWAY)

    entries = await ana.audit(action="payment_settings.updated")
    assert [entry["meta"] for entry in reversed(entries)] == [
        {
            "fields": sorted(
                [*MANUAL, *GATEWAY, "abacate_pay_webhook_secret"],
            ),
            "manual_pix_key": [None, "***35"],
        },
        {"fields": ["manual_pix_key"], "manual_pix_key": ["***35", "***25"]},
    ]
    assert {entry["target_id"] for entry in entries} == {store_id}


async def test_two_who_set_the_first_settings_at_once_make_one_row(
    ana: Person, db: Driver
) -> None:
    store_id = (await ana.open_store())["id"]

    saved = await asyncio.gather(*(put(ana, store_id, **GATEWAY) for _ in range(5)))

    made = [each["abacate_pay_webhook_secret"] for each in saved]
    assert sum(secret is not None for secret in made) == 1
    count = "SELECT count(*) FROM store_payment_settings WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1


async def test_stranger_sees_and_changes_nothing(ana: Person, bruno: Person) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY)
    before = await ana.get(path_of(store_id))

    for method, more in (
        ("GET", ""), ("PUT", ""), ("POST", "/test"), ("POST", "/rotate-webhook-secret")
    ):  # fmt: skip
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        response = await bruno.request(method, path_of(store_id, more), **body)
        assert response.status_code == 404

    assert await ana.get(path_of(store_id)) == before
