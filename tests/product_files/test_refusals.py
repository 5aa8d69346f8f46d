"""What is refused changes nothing: no row, no object, no room taken."""

from typing import Any
from uuid import uuid4

import pytest

from tests.documents.files import WINDOWS_PROGRAM, pdf
from tests.files.pictures import gif_of, jpeg_of, plain, png_of, webp_of
from tests.people import Person
from tests.product_files.shelf import Shop, open_shop, post_form
from vek1_api.core.resources import Resources

MEGABYTE = 1024 * 1024
WRONG_KIND = (415, "unsupported_media_type")
NOT_VALID = (422, "validation_failed")
CASES: dict[str, tuple[tuple[int, str], bytes]] = {
    "a program": (WRONG_KIND, WINDOWS_PROGRAM),
    "a page": (WRONG_KIND, b"<!doctype html><script>alert(1)</script>"),
    "a drawing with a script": (WRONG_KIND, b"<svg><script>alert(1)</script></svg>"),
    "a text": (WRONG_KIND, b"Apenas um texto."),
    "a sheet": (WRONG_KIND, b"PK\x03\x04" + bytes(60)),
    "half a picture": (WRONG_KIND, plain("PNG")[:40]),
    "nothing": ((422, "empty_file"), b""),
    "11 MB": ((413, "payload_too_large"), pdf(["Oi"]) + bytes(11 * MEGABYTE)),
    "a huge PNG": (NOT_VALID, png_of(50_000, 50_000)),
    "a huge JPEG": (NOT_VALID, jpeg_of(50_000, 50_000)),
    "a huge GIF": (NOT_VALID, gif_of(50_000, 50_000)),
    "a huge WebP": (NOT_VALID, webp_of(50_000, 50_000)),
}


@pytest.mark.parametrize("name", ["manual.pdf", "foto.png"])
@pytest.mark.parametrize(("refusal", "content"), CASES.values(), ids=CASES.keys())
async def test_form_with_it_is_refused(
    shop: Shop, refusal: tuple[int, str], content: bytes, name: str
) -> None:
    response = await shop.send(name, content)

    assert (response.status_code, response.json()["code"]) == refusal
    if refusal == NOT_VALID:
        [problem] = response.json()["errors"]
        assert (problem["pointer"], problem["code"]) == ("/file", "image_too_large")
    await shop.assert_empty()
    assert await shop.objects() == {}


@pytest.mark.parametrize(
    ("refusal", "content"),
    [case for case in CASES.values() if 0 < len(case[1]) <= 10 * MEGABYTE],
    ids=[name for name, case in CASES.items() if 0 < len(case[1]) <= 10 * MEGABYTE],
)
async def test_upload_of_it_is_not_completed_and_may_be_tried_again(
    shop: Shop, refusal: tuple[int, str], content: bytes
) -> None:
    good = plain("PNG")
    size = max(len(content), len(good))
    form = await shop.announce(content, size=size, mime_type="image/png")
    before = await shop.objects()
    assert (await post_form(form, content)).is_success

    response = await shop.complete(form["file_id"])

    assert (response.status_code, response.json()["code"]) == refusal
    assert await shop.files() == []
    assert await shop.objects() == before
    assert await shop.used_bytes() == size
    assert (await post_form(form, good)).is_success
    assert (await shop.complete(form["file_id"])).status_code == 200
    assert await shop.used_bytes() == len(good)


@pytest.mark.parametrize(
    ("refusal", "changed"),
    [
        ((413, "payload_too_large"), {"size": 10 * MEGABYTE + 1}),
        ((413, "payload_too_large"), {"size": 10**30}),
        (WRONG_KIND, {"mime_type": "text/html"}),
        (WRONG_KIND, {"mime_type": "image/svg+xml"}),
        (WRONG_KIND, {"mime_type": ""}),
        (NOT_VALID, {"size": 0}),
        (NOT_VALID, {"size": "12"}),
        (NOT_VALID, {"size": None}),
        (NOT_VALID, {"filename": ""}),
        (NOT_VALID, {"filename": "a\x00b"}),
        (NOT_VALID, {"filename": "a" * 256}),
        (NOT_VALID, {"key": "companies/x/products/y/z.png"}),
    ],
)
async def test_upload_that_could_not_be_completed_is_not_begun(
    shop: Shop, refusal: tuple[int, str], changed: dict[str, Any]
) -> None:
    body = {"filename": "a.png", "size": 100, "mime_type": "image/png"} | changed

    response = await shop.person.request("POST", f"{shop.path}/presign", json=body)

    assert (response.status_code, response.json()["code"]) == refusal
    assert await shop.objects() == {}
    assert await shop.uploads() == 0


async def test_form_without_a_file_points_at_it(shop: Shop) -> None:
    response = await shop.person.request("POST", shop.path, files={"foto": ("a", b"a")})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/file"


async def test_what_is_another_companys_does_not_exist(
    ana: Person, bruno: Person, resources: Resources
) -> None:
    shop = await open_shop(ana, resources)
    taken = await shop.add("a.png", plain("PNG"))
    form = await shop.announce(plain("PNG"), mime_type="image/png")
    assert (await post_form(form, plain("PNG"))).is_success
    before = await shop.objects()
    body = {"filename": "a.png", "size": 100, "mime_type": "image/png"}
    sent: dict[str, Any] = {"files": {"file": ("a.png", plain("PNG"))}}

    for mine, unknown, options in (
        (f"GET {shop.path}", f"GET /v1/products/{uuid4()}/files", {}),
        (f"POST {shop.path}", f"POST /v1/products/{uuid4()}/files", sent),
        (
            f"POST {shop.path}/presign",
            f"POST /v1/products/{uuid4()}/files/presign",
            {"json": body},
        ),
        *(
            (f"{method}/{one}{end}", f"{method}/{uuid4()}{end}", {})
            for one in (taken["id"], form["file_id"])
            for method, end in (
                ("GET /v1/product-files", ""),
                ("DELETE /v1/product-files", ""),
                ("POST /v1/product-files", "/complete"),
            )
        ),
    ):
        answers = [
            await bruno.request(*path.split(" "), **options) for path in (mine, unknown)
        ]
        assert [each.status_code for each in answers] == [404, 404]
        foreign, none = (each.json() for each in answers)
        assert foreign | {"request_id": None} == none | {"request_id": None}

    assert await shop.objects() == before
    assert len(await shop.files()) == await shop.uploads() == 1


async def test_files_of_a_deleted_store_do_not_exist(shop: Shop) -> None:
    taken = await shop.add("a.png", plain("PNG"))
    await shop.person.delete(f"/v1/stores/{shop.store_id}")

    for path in (shop.path, f"/v1/product-files/{taken['id']}"):
        assert (await shop.person.request("GET", path)).status_code == 404
