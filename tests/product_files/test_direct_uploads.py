"""Straight from the browser to the bucket: announced, put there, completed or swept."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import RunJobs
from tests.documents.files import pdf
from tests.documents.shelf import set_used_bytes
from tests.files.pictures import PLACE, picture, plain
from tests.jobs.running import count_jobs
from tests.product_files.shelf import Shop, opened, post_form
from vek1_api.core import clock
from vek1_api.files import jobs as file_jobs
from vek1_api.product_files import jobs

MANUAL = pdf(["Manual da cafeteira Aurora"])


async def expire(shop: Shop, ago: timedelta) -> None:
    """Let the shop's forms have expired so long ago."""
    async with shop.resources.database.driver() as driver:
        await driver.execute(
            "UPDATE vek1_api.file_uploads SET expires_at = now() - $2::interval"
            " WHERE product_id = $1",
            UUID(shop.product_id),
            ago,
        )


async def test_form_puts_a_file_where_nobody_else_reads_it(shop: Shop) -> None:
    form = await shop.announce(MANUAL)

    key = form["fields"]["key"]
    put = await post_form(form, MANUAL)

    assert put.is_success, put.text
    assert form["method"] == "POST"
    assert key.startswith(f"companies/{shop.person.user_id}/private/incoming/")
    assert (await opened(shop.resources.bucket.public_url(key))).status_code == 403
    assert await shop.resources.bucket.read(key, 10**6) == MANUAL
    assert await shop.objects() == {key: "pending"}
    assert await shop.used_bytes() == len(MANUAL)
    assert await shop.files() == []
    left = datetime.fromisoformat(form["expires_at"]) - clock.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("content", "changed"),
    [
        (MANUAL + b"x", {}),
        (b"", {}),
        (MANUAL, {"Content-Type": "text/html"}),
        (MANUAL, {"key": "companies/x/products/y/z.pdf"}),
        (MANUAL, {"x-amz-signature": "0" * 64}),
        (MANUAL, {"policy": "e30="}),
    ],
    ids=["larger", "empty", "of another type", "elsewhere", "unsigned", "no policy"],
)
async def test_form_takes_nothing_else(
    shop: Shop, content: bytes, changed: dict[str, str]
) -> None:
    form = await shop.announce(MANUAL)

    response = await post_form(form, content, **changed)

    assert 400 <= response.status_code < 500
    for key in (form["fields"]["key"], "companies/x/products/y/z.pdf"):
        assert not await shop.resources.bucket.exists(key)


async def test_completed_upload_is_a_file_like_any_other(
    shop: Shop, run_jobs: RunJobs
) -> None:
    sent = picture("JPEG")
    form = await shop.announce(sent, filename="C:\\fotos\\loja.jpg", mime_type="image/jpeg")
    await post_form(form, sent)

    response = await shop.complete(form["file_id"])

    assert response.status_code == 200
    taken = response.json()
    assert taken["id"] == form["file_id"]
    assert taken["original_filename"] == "loja.jpg"
    assert taken["file_type"] == "image/jpeg"
    assert taken["status"] == "pending"
    shown = await opened(taken["file_url"])
    assert shown.status_code == 200
    assert PLACE not in shown.content
    assert taken["file_size"] == len(shown.content) == await shop.used_bytes()
    assert await shop.uploads() == 0
    await run_jobs()
    assert await shop.objects() == {taken["filename"]: "kept"}
    assert not await shop.resources.bucket.exists(form["fields"]["key"])
    assert (await shop.get(taken["id"]))["status"] == "ready"
    [entry] = await shop.person.audit(action="product_file.created")
    assert entry["target_id"] == taken["id"]


async def test_kind_is_told_by_the_content_and_not_by_what_was_announced(
    shop: Shop,
) -> None:
    form = await shop.announce(MANUAL, mime_type="image/png; foo=bar", filename="a.png")
    await post_form(form, MANUAL)

    taken = (await shop.complete(form["file_id"])).json()

    assert form["fields"]["Content-Type"] == "image/png"
    assert taken["file_type"] == "application/pdf"
    assert taken["filename"].endswith(".pdf")


async def test_completing_twice_is_completing_once(shop: Shop) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)

    first = await shop.complete(form["file_id"])
    again = await shop.complete(form["file_id"])

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert len(await shop.files()) == 1
    assert await count_jobs(shop.resources, name="product_files.extract") == 1


async def test_completing_many_times_at_once_makes_one_file(
    shop: Shop, run_jobs: RunJobs
) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)

    answers = await asyncio.gather(*(shop.complete(form["file_id"]) for _ in range(6)))

    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    assert await shop.used_bytes() == len(MANUAL)
    await run_jobs()
    [file] = await shop.files()
    assert await shop.objects() == {file["filename"]: "kept"}
    assert len(await shop.person.audit(action="product_file.created")) == 1


async def test_completing_with_a_key_replays(shop: Shop) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)
    key = {"Idempotency-Key": "completar-1"}

    first = await shop.complete(form["file_id"], headers=key)
    again = await shop.complete(form["file_id"], headers=key)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content


async def test_announcing_with_a_key_gives_one_form(shop: Shop) -> None:
    body = {"filename": "a.pdf", "size": 10, "mime_type": "application/pdf"}
    options: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "anunciar-1"}}

    first = await shop.person.request("POST", f"{shop.path}/presign", **options)
    again = await shop.person.request("POST", f"{shop.path}/presign", **options)

    assert first.status_code == 201
    assert again.content == first.content
    assert await shop.uploads() == 1


async def test_completing_before_the_upload_says_so(shop: Shop) -> None:
    form = await shop.announce(MANUAL)

    response = await shop.complete(form["file_id"])

    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert "not been uploaded" in response.json()["detail"]
    assert await shop.uploads() == 1
    assert await shop.used_bytes() == len(MANUAL)


async def test_room_is_reserved_when_it_is_announced(shop: Shop) -> None:
    await set_used_bytes(shop.resources, shop.store_id, 2**30 - len(MANUAL))
    form = await shop.announce(MANUAL)
    body = {"filename": "b.pdf", "size": 1, "mime_type": "application/pdf"}

    refused = await shop.person.request("POST", f"{shop.path}/presign", json=body)
    by_form = await shop.send("b.pdf", MANUAL)

    assert refused.status_code == by_form.status_code == 413
    assert refused.json()["code"] == "storage_quota_exceeded"
    await post_form(form, MANUAL)
    assert (await shop.complete(form["file_id"])).status_code == 200
    assert await shop.used_bytes() == 2**30


async def test_smaller_file_than_announced_frees_the_rest(shop: Shop) -> None:
    form = await shop.announce(MANUAL, size=5 * len(MANUAL))
    assert await shop.used_bytes() == 5 * len(MANUAL)
    await post_form(form, MANUAL)

    await shop.complete(form["file_id"])

    assert await shop.used_bytes() == len(MANUAL)


async def test_upload_that_is_never_completed_is_swept(
    shop: Shop, run_jobs: RunJobs
) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)
    await expire(shop, jobs.FORM_GRACE + timedelta(seconds=1))

    await jobs.sweep(shop.resources)
    await run_jobs()

    await shop.assert_empty()
    assert await shop.uploads() == 0
    assert await shop.objects() == {}
    assert not await shop.resources.bucket.exists(form["fields"]["key"])
    assert (await shop.complete(form["file_id"])).status_code == 404


async def test_upload_that_has_just_expired_may_still_be_completed(shop: Shop) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)
    await expire(shop, jobs.FORM_GRACE - timedelta(minutes=1))

    await jobs.sweep(shop.resources)
    await file_jobs.sweep(shop.resources)

    assert (await shop.complete(form["file_id"])).status_code == 200


async def test_removed_product_takes_its_uploads_along(
    shop: Shop, run_jobs: RunJobs
) -> None:
    form = await shop.announce(MANUAL)
    await post_form(form, MANUAL)

    await shop.person.delete(f"/v1/products/{shop.product_id}")

    assert (await shop.complete(form["file_id"])).status_code == 404
    await run_jobs()
    assert await shop.used_bytes() == 0
    assert await shop.objects() == {}
    assert not await shop.resources.bucket.exists(form["fields"]["key"])
