"""Secrets are sealed by and by; AbacatePay is told where its webhooks go."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from tests.conftest import RunJobs
from tests.fakes.abacatepay import AbacatePayServer
from tests.jobs.running import count_jobs
from tests.payment_settings.shops import DEV_KEY, GATEWAY, SECRET, path_of, put, row_of
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.encryption import Keyring
from vek1_api.core.resources import Resources
from vek1_api.payment_settings import jobs
from vek1_api.payment_settings.gateways import (
    cash_on_delivery_enabled,
    gateway_of,
    manual_of,
    webhook_secrets_of,
)
from vek1_api.payment_settings.service import REGISTER
from tests.payment_settings.shops import MANUAL
from vek1_api.pix.keys import KeyType

PLAIN = (
    "INSERT INTO store_payment_settings (store_id, abacate_pay_api_key,"
    " abacate_pay_webhook_secret, abacate_pay_dev_mode, pix_enabled)"
    " VALUES ($1, $2, $3, true, true)"
)


async def test_what_the_front_end_wrote_in_the_open_works_and_is_sealed(
    ana: Person, db: Driver, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = [(await ana.open_store(f"Loja {number}"))["id"] for number in range(3)]
    for store_id in stores:
        await db.execute(PLAIN, store_id, DEV_KEY, SECRET)
    before = [await gateway_of(db, UUID(each), resources.keyring) for each in stores]
    monkeypatch.setattr(jobs, "BATCH", 2)

    await jobs.seal(resources)

    for store_id, gateway in zip(stores, before, strict=True):
        row = await row_of(db, store_id)
        assert resources.keyring.is_current(row["abacate_pay_api_key"])
        assert resources.keyring.is_current(row["abacate_pay_webhook_secret"])
        assert await gateway_of(db, UUID(store_id), resources.keyring) == gateway
    assert gateway is not None
    assert gateway.api_key.get_secret_value() == DEV_KEY
    assert gateway.webhook_secrets == (SECRET,)
    assert gateway.is_dev
    assert gateway.is_enabled
    assert (await ana.get(path_of(stores[0])))["abacate_pay_api_key_set"] is True


async def test_after_a_key_rotation_everything_is_sealed_anew(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY, abacate_pay_webhook_secret=SECRET)
    await ana.post(f"/v1/stores/{store_id}/rotate-webhook-secret", {}, status=200)
    valid = await webhook_secrets_of(db, UUID(store_id), resources.keyring)
    newest = SecretStr("a-newer-key-0123456789abcdef0123456789")
    both = Keyring([newest, *resources.settings.encryption_keys])

    await jobs.seal(replace(resources, keyring=both))

    only_new = Keyring([newest])
    assert await webhook_secrets_of(db, UUID(store_id), only_new) == valid
    gateway = await gateway_of(db, UUID(store_id), only_new)
    assert gateway is not None
    assert gateway.api_key.get_secret_value() == DEV_KEY
    # Back to the keys of the other tests.
    back = Keyring([*resources.settings.encryption_keys, newest])
    await jobs.seal(replace(resources, keyring=back))


async def test_secret_whose_key_is_gone_can_be_entered_again(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    strange = Keyring([SecretStr("of-another-deployment-0123456789abcdef")])
    lost = strange.seal("x", "elsewhere")
    await db.execute(PLAIN, store_id, lost, lost)

    await jobs.seal(resources)
    shown = await ana.get(path_of(store_id))

    assert shown["abacate_pay_api_key_set"] is True
    assert shown["abacate_pay_api_key_last_four"] is None
    assert (await row_of(db, store_id))["abacate_pay_api_key"] == lost
    saved = await put(ana, store_id, **GATEWAY)
    assert saved["abacate_pay_api_key_last_four"] == DEV_KEY[-4:]
    assert saved["abacate_pay_webhook_secret"] is not None


async def test_key_is_registered_with_address_and_secret_and_events(
    ana: Person, gateway: AbacatePayServer, run_jobs: RunJobs
) -> None:
    shop = gateway.new_store()
    store_id = (await ana.open_store())["id"]

    saved = await put(
        ana, store_id, abacate_pay_api_key=shop.dev_key, abacate_pay_dev_mode=True
    )
    assert saved["webhook_registered_at"] is None
    await run_jobs()

    [webhook] = [w for w in gateway.state.webhooks.values() if w.store_id == shop.id]
    assert webhook.endpoint == saved["webhook_url"]
    assert webhook.secret == saved["abacate_pay_webhook_secret"]
    assert webhook.events == [
        f"transparent.{verb}" for verb in ("completed", "refunded", "disputed", "lost")
    ]
    shown = await ana.get(path_of(store_id))
    assert shown["webhook_registered_at"] is not None
    assert shown["webhook_error"] is None


async def test_rotation_registers_the_new_secret_instead_of_the_old(
    ana: Person, gateway: AbacatePayServer, run_jobs: RunJobs
) -> None:
    shop = gateway.new_store()
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, abacate_pay_api_key=shop.dev_key, abacate_pay_dev_mode=True)
    await run_jobs()

    made = await ana.post(f"/v1/stores/{store_id}/rotate-webhook-secret", {}, status=200)
    await run_jobs()

    [webhook] = [w for w in gateway.state.webhooks.values() if w.store_id == shop.id]
    assert webhook.secret == made["abacate_pay_webhook_secret"]


async def test_key_that_may_not_register_says_so_and_is_not_tried_for_ever(
    ana: Person, run_jobs: RunJobs, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    await put(ana, store_id, **GATEWAY)

    await run_jobs()

    shown = await ana.get(path_of(store_id))
    assert shown["webhook_registered_at"] is None
    assert shown["webhook_error"] == "Token de autenticação inválido ou ausente."
    for status in ("queued", "exception", "failed"):
        assert await count_jobs(resources, status, REGISTER) == 0


async def test_what_is_no_secret_registers_nothing(
    ana: Person, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]

    await put(ana, store_id, payment_instructions="PIX.")

    assert await count_jobs(resources, "queued", REGISTER) == 0


async def test_jobs_find_the_ways_to_pay_of_any_store(
    ana: Person, db: Driver, resources: Resources
) -> None:
    store_id = (await ana.open_store())["id"]
    row_id = UUID(store_id)
    assert await gateway_of(db, row_id, resources.keyring) is None
    assert await manual_of(db, row_id) is None
    assert await cash_on_delivery_enabled(db, row_id)

    await put(ana, store_id, **MANUAL, cash_on_delivery_enabled=False)
    await ana.delete(f"/v1/stores/{store_id}")

    manual = await manual_of(db, row_id)
    assert manual is not None
    assert (manual.key, manual.key_type) == ("11144477735", KeyType.CPF)
    assert (manual.recipient, manual.city) == ("Torrefação Serra Azul", "Belo Horizonte")
    assert not await cash_on_delivery_enabled(db, row_id)
