"""The company's logo: an image that anyone may see."""

import asyncio

import httpx
import pytest

from tests.files.pictures import PLACE, picture, plain, png_of
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.resources import Resources
from vek1_api.files.service import remove_doomed

PNG, GIF, JPEG, WEBP = (plain(kind) for kind in ("PNG", "GIF", "JPEG", "WEBP"))


async def _put(person: Person, content: bytes, name: str = "logo.png") -> httpx.Response:
    return await person.request("PUT", "/v1/company/logo", files={"file": (name, content)})


async def _read_by_anybody(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as anybody:
        return await anybody.get(url)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (GIF, "image/gif"),
        (JPEG, "image/jpeg"),
        (WEBP, "image/webp"),
    ],
)
async def test_logo_is_public_as_the_type_that_it_is(
    content: bytes, media_type: str, ana: Person
) -> None:
    response = await _put(ana, content, "anything.html")

    assert response.status_code == 200
    url = response.json()["logo_url"]
    assert (await ana.get("/v1/company"))["logo_url"] == url
    shown = await _read_by_anybody(url)
    assert shown.status_code == 200
    assert shown.content == content
    assert shown.headers["content-type"] == media_type


async def test_new_logo_replaces_the_old_which_goes(
    ana: Person, resources: Resources
) -> None:
    first = (await _put(ana, PNG)).json()["logo_url"]
    second = (await _put(ana, GIF)).json()["logo_url"]
    await remove_doomed(resources.database, resources.bucket)

    assert second != first
    assert (await _read_by_anybody(first)).status_code == 404
    assert (await _read_by_anybody(second)).content == GIF
    assert len(await ana.audit(action="company.logo_replaced")) == 2


async def test_removed_logo_is_gone_and_removing_none_is_fine(
    ana: Person, resources: Resources
) -> None:
    url = (await _put(ana, PNG)).json()["logo_url"]

    await ana.delete("/v1/company/logo")
    await ana.delete("/v1/company/logo")
    await remove_doomed(resources.database, resources.bucket)

    assert (await ana.get("/v1/company"))["logo_url"] is None
    assert (await _read_by_anybody(url)).status_code == 404
    assert len(await ana.audit(action="company.logo_removed")) == 1


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media_type"),
        (b"%PDF-1.7\n%%EOF", 415, "unsupported_media_type"),
        (b"MZ\x90\x00\x03" + bytes(60), 415, "unsupported_media_type"),
        (b"just text", 415, "unsupported_media_type"),
        (PNG[:40], 415, "unsupported_media_type"),
        (png_of(50_000, 50_000), 422, "validation_failed"),
        (PNG + bytes(10 * 1024 * 1024), 413, "payload_too_large"),
        (PNG + bytes(12 * 1024 * 1024), 413, "payload_too_large"),
    ],
    ids=[
        "empty",
        "svg",
        "pdf",
        "program",
        "text",
        "cut",
        "bomb",
        "too large",
        "far too large",
    ],
)
async def test_what_is_no_image_changes_nothing_whatever_its_name(
    content: bytes, status: int, code: str, ana: Person, db: Driver
) -> None:
    kept = (await _put(ana, GIF)).json()["logo_url"]

    response = await _put(ana, content, "logo.png")

    assert response.status_code == status
    assert response.json()["code"] == code
    assert (await ana.get("/v1/company"))["logo_url"] == kept
    assert (await _read_by_anybody(kept)).content == GIF
    states = await db.fetch(
        "SELECT state FROM vek1_api.stored_objects WHERE company_id = $1", ana.user_id
    )
    assert [row["state"] for row in states] == ["kept"]


async def test_form_without_the_file_points_at_it(ana: Person) -> None:
    response = await ana.request("PUT", "/v1/company/logo", files={"logo": ("a.png", PNG)})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/file"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_logo_does_not_tell_where_it_was_taken(kind: str, ana: Person) -> None:
    url = (await _put(ana, picture(kind))).json()["logo_url"]

    shown = await _read_by_anybody(url)
    assert shown.status_code == 200
    assert PLACE not in shown.content


async def test_of_many_at_once_one_stays_and_the_others_go(
    ana: Person, resources: Resources, db: Driver
) -> None:
    answers = await asyncio.gather(*(_put(ana, GIF + bytes(number)) for number in range(5)))
    await remove_doomed(resources.database, resources.bucket)

    urls = {answer.json()["logo_url"] for answer in answers}
    kept = (await ana.get("/v1/company"))["logo_url"]
    assert len(urls) == 5
    assert [url for url in urls if (await _read_by_anybody(url)).is_success] == [kept]
    rows = await db.fetch(
        "SELECT key FROM vek1_api.stored_objects WHERE company_id = $1", ana.user_id
    )
    assert len(rows) == 1


async def test_logo_that_the_front_end_kept_elsewhere_can_be_replaced_and_removed(
    ana: Person, db: Driver
) -> None:
    elsewhere = "https://cdn.example/logo.png?v=1"
    set_logo = "UPDATE company_profiles SET logo_url = $2 WHERE id = $1"

    await db.execute(set_logo, ana.user_id, elsewhere)
    assert (await _put(ana, PNG)).json()["logo_url"] != elsewhere
    await db.execute(set_logo, ana.user_id, elsewhere)
    await ana.delete("/v1/company/logo")

    assert (await ana.get("/v1/company"))["logo_url"] is None


async def test_who_has_no_company_stores_nothing(ana: Person, resources: Resources) -> None:
    stranger = Person(ana.http, "nobody-with-a-company")

    response = await _put(stranger, PNG)

    assert response.status_code == 404
    prefix = "companies/nobody-with-a-company/"
    assert [key async for key in resources.bucket.keys(prefix)] == []
