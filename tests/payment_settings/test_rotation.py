"""A webhook secret is replaced, and the old one is still taken for a while."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.payment_settings.shops import GATEWAY, SECRET, path_of, put
from tests.people import Person
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.payment_settings.gateways import webhook_secrets_of


async def rotate(person: Person, store_id: str, **options: Any) -> httpx.Response:
    path = f"/v1/stores/{store_id}/rotate-webhook-secret"
    return await person.request("POST", path, **options)


async def valid(resources: Resources, db: Driver, store_id: str) -> tuple[str, ...]:
    return await webhook_secrets_of(db, UUID(store_id), resources.keyring)


async def end_overlap(db: Driver, store_id: str) -> None:
    """Let the time of every replaced secret be over."""
    await db.execute(
        "UPDATE vek1_api.store_payment SET previous_webhook_secrets = (SELECT"
        ' jsonb_agg(one || \'{"valid_until": "2026-01-01T00:00:00+00:00"}\')'
        " FROM jsonb_array_elements(previous_webhook_secrets) AS one) WHERE store_id = $1",
        store_id,
    )


async def test_both_secrets_are_taken_until_the_overlap_ends(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)

    response = await rotate(ana, store_id)

    assert response.status_code == 200
    body = response.json()
    new = body["abacate_pay_webhook_secret"]
    assert body["webhook_url"] == f"https://api.loja.test/webhooks/abacatepay/{store_id}"
    until = datetime.fromisoformat(body["previous_valid_until"])
    assert abs(until - clock.now() - timedelta(hours=24)) < timedelta(minutes=1)
    assert await valid(resources, db, store_id) == (new, SECRET)
    await end_overlap(db, store_id)
    assert await valid(resources, db, store_id) == (new,)


async def test_two_rotations_leave_three_secrets_valid(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)

    made = [
        (await rotate(ana, store_id, json={"overlap_hours": 168})).json() for _ in range(2)
    ]

    first, second = (each["abacate_pay_webhook_secret"] for each in made)
    assert await valid(resources, db, store_id) == (second, SECRET, first)


async def test_without_overlap_every_old_secret_is_void_at_once(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)
    await rotate(ana, store_id)

    body = (await rotate(ana, store_id, json={"overlap_hours": 0})).json()

    assert body["previous_valid_until"] is None
    assert await valid(resources, db, store_id) == (body["abacate_pay_webhook_secret"],)


async def test_secret_that_put_replaces_is_taken_for_a_day_more(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_webhook_secret=SECRET)

    await put(ana, store_id, abacate_pay_webhook_secret=SECRET + "-2")

    assert await valid(resources, db, store_id) == (SECRET + "-2", SECRET)


async def test_first_secret_has_nothing_to_overlap(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]

    body = (await rotate(ana, store_id)).json()

    assert body["previous_valid_until"] is None
    assert await valid(resources, db, store_id) == (body["abacate_pay_webhook_secret"],)


async def test_overlap_beyond_a_week_is_refused_and_changes_nothing(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_webhook_secret=SECRET)

    for hours in (-1, 169, 1.5):
        response = await rotate(ana, store_id, json={"overlap_hours": hours})
        assert response.status_code == 422

    assert await valid(resources, db, store_id) == (SECRET,)


async def test_same_key_rotates_once_and_its_answer_is_not_kept_in_the_open(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    headers = {"Idempotency-Key": f"rotate-{store_id}"}

    first = await rotate(ana, store_id, headers=headers)
    again = await rotate(ana, store_id, headers=headers)

    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    secret = first.json()["abacate_pay_webhook_secret"]
    assert await valid(resources, db, store_id) == (secret,)
    kept = await db.fetchval(
        "SELECT body FROM vek1_api.idempotency_keys WHERE actor = $1", ana.user_id
    )
    assert kept.startswith(b"v1.")
    assert secret.encode() not in kept


async def test_rotation_is_in_the_trail_without_the_secret(ana: Person) -> None:
    store_id = (await ana.open_store())["id"]

    secret = (await rotate(ana, store_id)).json()["abacate_pay_webhook_secret"]

    [entry] = await ana.audit(action="payment_settings.webhook_secret_rotated")
    assert entry["meta"] == {"overlap_hours": 24}
    assert entry["store_id"] == store_id
    assert secret not in str(entry)


async def test_closed_store_has_no_valid_secret(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_webhook_secret=SECRET)

    await ana.delete(f"/v1/stores/{store_id}")

    assert await valid(resources, db, store_id) == ()
