"""Files of a product as a form sends them: judged, published, counted, removed."""

import asyncio
from typing import Any

import pytest

from tests.conftest import RunJobs
from tests.documents.files import docx_file, pdf
from tests.documents.shelf import set_used_bytes, through, without_store
from tests.files.pictures import PLACE, picture, pixels, plain
from tests.people import Person
from tests.product_files.shelf import Shop, open_shop, opened
from vek1_api.core.resources import Resources

MANUAL = pdf(["Manual da cafeteira Aurora"])
TABLE = b"peca;preco\nFiltro;12,90\n"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("name", "content", "media_type", "ending"),
    [
        ("foto.exe", MANUAL, "application/pdf", "pdf"),
        ("tabela.csv", TABLE, "text/csv", "csv"),
        (
            "a.pdf",
            docx_file(lambda document: document.add_paragraph("Olá")),
            WORD,
            "docx",
        ),
        ("a.png", plain("JPEG"), "image/jpeg", "jpg"),
        ("a.html", plain("PNG"), "image/png", "png"),
        ("a.svg", plain("GIF"), "image/gif", "gif"),
        ("sem-nome", plain("WEBP"), "image/webp", "webp"),
    ],
)
async def test_file_is_public_as_the_kind_that_it_is(
    shop: Shop, name: str, content: bytes, media_type: str, ending: str
) -> None:
    taken = await shop.add(name, content)

    company_id = shop.person.user_id
    prefix = f"companies/{company_id}/products/{shop.product_id}/"
    assert taken["filename"].startswith(prefix)
    assert taken["filename"].endswith(f".{ending}")
    assert (taken["company_id"], taken["product_id"]) == (company_id, shop.product_id)
    assert taken["original_filename"] == name
    assert taken["file_size"] == len(content) == await shop.used_bytes()
    assert taken["file_type"] == media_type
    assert taken["bucket_name"] == shop.resources.settings.s3_bucket
    assert (taken["status"], taken["content"]) == ("pending", None)
    shown = await opened(taken["file_url"])
    assert (shown.status_code, shown.content) == (200, content)
    assert shown.headers["content-type"] == media_type
    assert await shop.objects() == {taken["filename"]: "kept"}


async def test_list_shows_files_newest_first_without_their_texts(shop: Shop) -> None:
    added = [await shop.add(f"{number}.csv", TABLE) for number in range(3)]

    first = await shop.person.get(shop.path, limit=2)
    rest = await shop.person.get(shop.path, limit=2, cursor=first["next_cursor"])

    shown = first["items"] + rest["items"]
    assert [each["id"] for each in shown] == [each["id"] for each in reversed(added)]
    assert rest["next_cursor"] is None
    without_content = dict(added[-1])
    del without_content["content"]
    assert shown[0] == without_content


async def test_one_file_has_its_etag(shop: Shop) -> None:
    taken = await shop.send("a.csv", TABLE)
    path = f"/v1/product-files/{taken.json()['id']}"

    shown = await shop.person.request("GET", path)

    assert shown.json() == taken.json()
    assert shown.headers["ETag"] == taken.headers["ETag"]
    known = {"If-None-Match": shown.headers["ETag"]}
    again = await shop.person.request("GET", path, headers=known)
    assert again.status_code == 304


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_picture_does_not_tell_where_it_was_taken(shop: Shop, kind: str) -> None:
    sent = picture(kind)

    taken = await shop.add("foto", sent)

    shown = (await opened(taken["file_url"])).content
    assert PLACE in sent
    assert PLACE not in shown
    assert pixels(shown) == pixels(sent)
    assert taken["file_size"] == len(shown) == await shop.used_bytes()


async def test_removed_file_leaves_the_bucket_and_frees_its_room(
    shop: Shop, run_jobs: RunJobs
) -> None:
    taken = await shop.add("a.pdf", MANUAL)
    path = f"/v1/product-files/{taken['id']}"

    await shop.person.delete(path)

    assert (await shop.person.request("GET", path)).status_code == 404
    assert (await shop.person.request("DELETE", path)).status_code == 404
    await run_jobs()
    await shop.assert_empty()
    assert (await opened(taken["file_url"])).status_code == 404
    made, gone = reversed(await shop.person.audit(target_type="product_file"))
    assert (made["action"], gone["action"]) == (
        "product_file.created",
        "product_file.deleted",
    )
    assert {made["target_id"], gone["target_id"]} == {taken["id"]}
    assert made["store_id"] == gone["store_id"] == shop.store_id
    assert made["meta"] == {"product_id": shop.product_id, "file_size": len(MANUAL)}


async def test_removing_an_older_version_changes_nothing(shop: Shop) -> None:
    taken = await shop.add("a.csv", TABLE)

    response = await shop.person.request(
        "DELETE", f"/v1/product-files/{taken['id']}", headers={"If-Match": '"older"'}
    )

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert len(await shop.files()) == 1


async def test_removed_product_takes_its_files_along(shop: Shop, run_jobs: RunJobs) -> None:
    taken = await shop.add("a.pdf", MANUAL)

    await shop.person.delete(f"/v1/products/{shop.product_id}")

    path = f"/v1/product-files/{taken['id']}"
    assert (await shop.person.request("GET", path)).status_code == 404
    await run_jobs()
    assert await shop.objects() == {}
    assert await shop.used_bytes() == 0
    assert (await opened(taken["file_url"])).status_code == 404


def form(boundary: str, content: bytes = TABLE) -> dict[str, Any]:
    """Return a multipart request whose bytes are ours to the last."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    media_type = f"multipart/form-data; boundary={boundary}"
    return {
        "content": head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        "headers": {"Content-Type": media_type, "Idempotency-Key": "envio-1"},
    }


async def test_same_key_with_another_boundary_is_a_replay(shop: Shop) -> None:
    first = await shop.person.request("POST", shop.path, **form("um"))
    again = await shop.person.request("POST", shop.path, **form("outro"))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert len(await shop.files()) == len(await shop.objects()) == 1
    assert await shop.used_bytes() == len(TABLE)


async def test_same_key_with_another_file_is_refused(shop: Shop) -> None:
    await shop.person.request("POST", shop.path, **form("um"))

    response = await shop.person.request("POST", shop.path, **form("um", TABLE * 2))

    assert (response.status_code, response.json()["code"]) == (
        422,
        "idempotency_key_reused",
    )
    assert len(await shop.files()) == len(await shop.objects()) == 1


async def test_same_key_many_times_at_once_is_one_file(
    shop: Shop, run_jobs: RunJobs
) -> None:
    answers = await asyncio.gather(
        *(shop.person.request("POST", shop.path, **form(f"b{n}")) for n in range(6))
    )

    assert 201 in {each.status_code for each in answers}
    assert {each.status_code for each in answers} <= {201, 409}
    assert len(await shop.files()) == 1
    assert await shop.used_bytes() == len(TABLE)
    await run_jobs()
    assert list((await shop.objects()).values()) == ["kept"]


async def test_file_without_room_changes_nothing(shop: Shop) -> None:
    full = 2**30 - len(TABLE) + 1
    await set_used_bytes(shop.resources, shop.store_id, full)

    response = await shop.send("a.csv", TABLE)

    assert response.status_code == 413
    assert response.json()["code"] == "storage_quota_exceeded"
    assert await shop.files() == []
    assert await shop.objects() == {}
    assert await shop.used_bytes() == full


async def test_object_store_that_is_down_changes_nothing(
    ana: Person, resources: Resources
) -> None:
    shop = await open_shop(ana, resources)
    cut_off = through(ana, without_store(resources))

    response = await cut_off.request("POST", shop.path, files={"file": ("a.csv", TABLE)})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    await shop.assert_empty()
