"""Files as they are sent: judged, stored, counted, refused."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import RunJobs
from tests.documents.files import (
    GIF,
    JPEG,
    PNG,
    WEBP,
    WINDOWS_PROGRAM,
    pdf,
)
from tests.documents.shelf import (
    DEMO_FILES,
    add_file,
    chunks,
    demo_file,
    documents,
    objects,
    send_file,
    set_used_bytes,
    through,
    used_bytes,
    without_store,
)
from tests.people import Person
from vek1_api.core.resources import Resources

GIGABYTE = 2**30
NOTE = b"Abrimos de segunda a sexta, das 9h \xc3\xa0s 18h."


@pytest.mark.parametrize(("name", "mime_type"), DEMO_FILES.items())
async def test_real_file_is_taken_and_indexed(
    ana: Person, run_jobs: RunJobs, name: str, mime_type: str
) -> None:
    store = await ana.open_store()
    content = demo_file(name)

    taken = await add_file(ana, store["id"], name, content)

    assert taken["title"] == taken["file_name"] == name
    assert taken["mime_type"] == mime_type
    assert taken["file_size"] == len(content)
    assert taken["content"] == ""
    assert taken["index_status"] == "pending"
    await run_jobs()
    document = await ana.get(f"/v1/documents/{taken['id']}")
    assert (document["index_status"], document["index_error"]) == ("ready", None)
    assert len(document["content"]) > 500
    assert document["chunk_count"] == len(await chunks(ana, taken["id"])) > 0
    assert await used_bytes(ana, store["id"]) == len(content)


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("foto.jpg", pdf(["Manual da loja"]), "application/pdf"),
        ("tabela.pdf", NOTE, "text/plain"),
        ("planilha.exe", b"sku;preco\nCAF;10", "text/plain"),
        ("lista.csv", b"sku;preco\nCAF;10", "text/csv"),
        ("sem-nome", PNG, "image/png"),
        ("notas.txt", JPEG, "image/jpeg"),
        ("notas.md", GIF, "image/gif"),
        ("notas.docx", WEBP, "image/webp"),
    ],
)
async def test_kind_is_told_by_the_content_and_not_by_the_name(
    ana: Person, name: str, content: bytes, mime_type: str
) -> None:
    store = await ana.open_store()

    taken = await add_file(ana, store["id"], name, content)

    assert taken["mime_type"] == mime_type
    assert taken["file_name"] == name


@pytest.mark.parametrize(
    "content", [PNG, JPEG, GIF, WEBP], ids=["png", "jpg", "gif", "webp"]
)
async def test_picture_is_stored_and_says_that_it_has_no_text(
    ana: Person, run_jobs: RunJobs, resources: Resources, content: bytes
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "cardapio", content)

    await run_jobs()

    document = await ana.get(f"/v1/documents/{taken['id']}")
    assert document["index_status"] == "failed"
    assert document["index_error"]["code"] == "no_text"
    assert document["index_error"]["message"]
    assert await chunks(ana, taken["id"]) == []
    [(key, state)] = (await objects(resources, store["id"])).items()
    assert state == "kept"
    assert await resources.bucket.read(key, 1000) == content


async def test_fields_of_a_form_are_those_of_a_text(ana: Person) -> None:
    store = await ana.open_store()

    taken = await add_file(
        ana,
        store["id"],
        "nota.txt",
        NOTE,
        title="Horários",
        category="atendimento",
        tags='["horário", "loja"]',
        metadata='{"fonte": {"pagina": 3}}',
    )

    assert taken["title"] == "Horários"
    assert taken["category"] == "atendimento"
    assert taken["tags"] == ["horário", "loja"]
    assert taken["metadata"] == {"fonte": {"pagina": 3}}
    entry = (await ana.audit(action="document.created"))[0]
    assert entry["target_id"] == taken["id"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ana\\preço.txt", "preço.txt"),
        ("a" * 400 + ".txt", "a" * 255),
    ],
)
async def test_name_is_its_last_part_and_bounded(ana: Person, name: str, kept: str) -> None:
    store = await ana.open_store()

    taken = await add_file(ana, store["id"], name, NOTE, title="Nota")

    assert taken["file_name"] == kept


async def test_long_name_without_a_title_still_makes_a_title(ana: Person) -> None:
    store = await ana.open_store()

    taken = await add_file(ana, store["id"], "a" * 250 + ".txt", NOTE)

    assert 1 <= len(taken["title"]) <= 200


JSON_HEADER = {"Content-Type": "application/json"}
SOME_FILE = {"file": ("a.txt", NOTE)}
CUT_FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
Refused = tuple[str, dict[str, Any]]
REFUSED: dict[tuple[int, str], list[Refused]] = {
    (415, "unsupported_media_type"): [
        ("a program", {"files": {"file": ("a.pdf", WINDOWS_PROGRAM)}}),
        ("HTML", {"files": {"file": ("a.txt", b"<!doctype html><p>")}}),
        ("XML", {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}}),
        ("no media type", {"content": b"{}"}),
    ],
    (422, "empty_file"): [("an empty file", {"files": {"file": ("a.txt", b"")}})],
    (422, "validation_failed"): [
        ("no file", {"files": {"arquivo": ("a.txt", NOTE)}}),
        ("a text as file", {"files": {"b": ("a.txt", NOTE)}, "data": {"file": "a.txt"}}),
        ("an unknown field", {"files": SOME_FILE, "data": {"cor": "azul"}}),
        ("tags that are no JSON", {"files": SOME_FILE, "data": {"tags": "horário, loja"}}),
        ("tags that are no list", {"files": SOME_FILE, "data": {"tags": '"loja"'}}),
        ("metadata that are no JSON", {"files": SOME_FILE, "data": {"metadata": "{"}}),
        (
            "a NUL in metadata",
            {"files": SOME_FILE, "data": {"metadata": r'{"a": "\u0000"}'}},
        ),
        ("NaN in metadata", {"files": SOME_FILE, "data": {"metadata": '{"a": NaN}'}}),
        (
            "a form that is cut",
            {
                "content": CUT_FORM,
                "headers": {"Content-Type": "multipart/form-data; boundary=x"},
            },
        ),
        ("no content", {"json": {"title": "Oi"}}),
        ("a blank content", {"json": {"title": "Oi", "content": " \n\t "}}),
        ("a NUL", {"json": {"title": "Oi", "content": "a\x00b"}}),
        ("a blank title", {"json": {"title": "  ", "content": "Oi"}}),
        ("an unknown name", {"json": {"title": "Oi", "content": "Oi", "embedding": []}}),
        ("no object", {"json": ["Oi"]}),
    ],
    (400, "malformed_request"): [
        ("two files", {"files": [("file", ("a.txt", NOTE)), ("file", ("b.txt", NOTE))]}),
        (
            "no boundary",
            {"content": b"-", "headers": {"Content-Type": "multipart/form-data"}},
        ),
        ("JSON that is cut", {"content": b"{", "headers": JSON_HEADER}),
        (
            "half a surrogate",
            {
                "content": rb'{"title": "Oi", "content": "a\ud800"}',
                "headers": JSON_HEADER,
            },
        ),
    ],
}


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [(case[1], *answer) for answer, cases in REFUSED.items() for case in cases],
    ids=[case[0] for cases in REFUSED.values() for case in cases],
)
async def test_refused_upload_changes_nothing(
    ana: Person, resources: Resources, options: dict[str, Any], status: int, code: str
) -> None:
    store = await ana.open_store()

    response = await ana.request("POST", f"/v1/stores/{store['id']}/documents", **options)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await documents(ana, store["id"]) == []
    assert await used_bytes(ana, store["id"]) == 0
    assert await objects(resources, store["id"]) == {}


async def test_file_over_the_limit_is_refused(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    limit = resources.settings.max_file_bytes

    response = await send_file(ana, store["id"], "a.txt", b"a" * (limit + 1))

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert await used_bytes(ana, store["id"]) == 0
    assert await objects(resources, store["id"]) == {}


async def test_body_far_over_the_limit_is_refused(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    limit = resources.settings.max_file_bytes

    response = await send_file(ana, store["id"], "a.txt", b"a" * (limit + 2 * 1024**2))

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert await objects(resources, store["id"]) == {}


async def test_file_of_a_megabyte_and_more_is_taken(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    content = pdf(["Manual"]) + b"\n%" + b"x" * (2 * 1024**2)

    taken = await add_file(ana, store["id"], "manual.pdf", content)

    assert taken["file_size"] == len(content)
    [key] = await objects(resources, store["id"])
    found = await resources.bucket.stat(key)
    assert found is not None
    assert found.size == len(content)


async def test_original_is_private_and_its_link_opens_it(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "preço & prazo.txt", NOTE)
    [key] = await objects(resources, store["id"])

    link = await ana.get(f"/v1/documents/{taken['id']}/file")

    async with httpx.AsyncClient(trust_env=False) as browser:
        anonymous = await browser.get(resources.bucket.public_url(key))
        opened = await browser.get(link["url"])
    assert anonymous.status_code == 403
    assert opened.status_code == 200
    assert opened.content == NOTE
    disposition = opened.headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert "filename*=UTF-8''pre%C3%A7o%20%26%20prazo.txt" in disposition
    assert key.startswith(f"companies/{ana.user_id}/private/documents/")


async def test_text_has_no_original(ana: Person) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Um texto.")

    response = await ana.request("GET", f"/v1/documents/{document['id']}/file")

    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def form(boundary: str, content: bytes = NOTE) -> dict[str, Any]:
    """Return a multipart request whose bytes are ours to the last."""
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    ).encode()
    return {
        "content": body + content + f"\r\n--{boundary}--\r\n".encode(),
        "headers": {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": "envio-1",
        },
    }


async def test_same_key_with_another_boundary_is_a_replay(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"

    first = await ana.request("POST", path, **form("um"))
    again = await ana.request("POST", path, **form("outro"))

    assert first.status_code == again.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(await documents(ana, store["id"])) == 1
    assert await used_bytes(ana, store["id"]) == len(NOTE)
    assert len(await objects(resources, store["id"])) == 1


async def test_same_key_with_another_file_is_refused(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"
    await ana.request("POST", path, **form("um"))

    response = await ana.request("POST", path, **form("um", NOTE + b"!"))

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert len(await objects(resources, store["id"])) == 1


async def test_same_key_many_times_at_once_is_one_document(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}/documents"

    answers = await asyncio.gather(
        *(ana.request("POST", path, **form(f"b{number}")) for number in range(8))
    )

    statuses = {answer.status_code for answer in answers}
    assert 201 in statuses
    assert statuses <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(await documents(ana, store["id"])) == 1
    assert await used_bytes(ana, store["id"]) == len(NOTE)
    await run_jobs()
    assert list((await objects(resources, store["id"])).values()) == ["kept"]


async def test_object_store_that_is_down_changes_nothing(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    cut_off = through(ana, without_store(resources))

    response = await send_file(cut_off, store["id"], "a.txt", NOTE)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert await documents(ana, store["id"]) == []
    assert await used_bytes(ana, store["id"]) == 0
    assert set((await objects(resources, store["id"])).values()) <= {"doomed"}


async def test_text_is_taken_while_the_object_store_is_down(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()

    taken = await through(ana, without_store(resources)).add_document(store["id"], "Texto.")

    assert taken["index_status"] == "pending"


async def test_file_of_a_foreign_product_gives_its_room_back(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    fields = {"product_id": str(uuid4())}

    response = await send_file(ana, store["id"], "a.txt", NOTE, fields=fields)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/product_id"
    await run_jobs()
    assert await used_bytes(ana, store["id"]) == 0
    assert await objects(resources, store["id"]) == {}


async def test_store_of_another_company_takes_nothing(
    ana: Person, bruno: Person, resources: Resources
) -> None:
    store = await ana.open_store()

    response = await send_file(bruno, store["id"], "a.txt", NOTE)

    assert response.status_code == 404
    assert await objects(resources, store["id"]) == {}
    assert await used_bytes(ana, store["id"]) == 0


async def test_deleted_document_frees_its_room_and_its_object(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "a.txt", NOTE)
    [key] = await objects(resources, store["id"])

    await ana.delete(f"/v1/documents/{taken['id']}")

    assert await used_bytes(ana, store["id"]) == 0
    await run_jobs()
    assert await objects(resources, store["id"]) == {}
    assert not await resources.bucket.exists(key)


async def test_deleted_text_frees_its_room(ana: Person) -> None:
    store = await ana.open_store()
    text = "Açaí na tigela"
    document = await ana.add_document(store["id"], text)
    assert await used_bytes(ana, store["id"]) == len(text.encode())

    await ana.delete(f"/v1/documents/{document['id']}")

    assert await used_bytes(ana, store["id"]) == 0


async def test_changed_text_counts_as_long_as_it_is_now(ana: Person) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "Açaí na tigela")

    await ana.patch(f"/v1/documents/{document['id']}", {"content": "Açaí"})

    assert await used_bytes(ana, store["id"]) == len("Açaí".encode())


async def test_file_that_fits_exactly_is_taken(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - len(NOTE))

    await add_file(ana, store["id"], "a.txt", NOTE)

    assert await used_bytes(ana, store["id"]) == GIGABYTE


async def test_one_byte_too_many_changes_nothing(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - len(NOTE) + 1)

    by_form = await send_file(ana, store["id"], "a.txt", NOTE)
    by_json = await ana.request(
        "POST",
        f"/v1/stores/{store['id']}/documents",
        json={"title": "Nota", "content": NOTE.decode()},
    )

    for response in (by_form, by_json):
        assert response.status_code == 413
        assert response.json()["code"] == "storage_quota_exceeded"
    assert await documents(ana, store["id"]) == []
    assert await used_bytes(ana, store["id"]) == GIGABYTE - len(NOTE) + 1
    assert await objects(resources, store["id"]) == {}


async def test_longer_text_without_room_changes_nothing(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "abc")
    await set_used_bytes(resources, store["id"], GIGABYTE)
    path = f"/v1/documents/{document['id']}"

    response = await ana.request("PATCH", path, json={"content": "abcd"})

    assert response.json()["code"] == "storage_quota_exceeded"
    assert (await ana.get(path))["content"] == "abc"
    assert await used_bytes(ana, store["id"]) == GIGABYTE


async def test_text_may_become_shorter_in_a_store_over_its_quota(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    document = await ana.add_document(store["id"], "abcdef")
    await set_used_bytes(resources, store["id"], GIGABYTE + 100)

    changed = await ana.patch(f"/v1/documents/{document['id']}", {"content": "abc"})

    assert changed["content"] == "abc"
    assert await used_bytes(ana, store["id"]) == GIGABYTE + 97


async def test_parallel_uploads_never_take_more_room_than_there_is(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store()
    await set_used_bytes(resources, store["id"], GIGABYTE - 3 * len(NOTE) - 1)

    answers = await asyncio.gather(
        *(send_file(ana, store["id"], f"{number}.txt", NOTE) for number in range(20))
    )

    codes = [json.loads(answer.content).get("code") for answer in answers]
    assert codes.count(None) == 3
    assert codes.count("storage_quota_exceeded") == 17
    assert len(await documents(ana, store["id"])) == 3
    assert await used_bytes(ana, store["id"]) == GIGABYTE - 1


async def test_store_shows_the_room_that_is_used(ana: Person, resources: Resources) -> None:
    store = await ana.open_store()

    await add_file(ana, store["id"], "a.txt", NOTE)

    shown = await ana.get(f"/v1/stores/{store['id']}")
    assert shown["used_size_bytes"] == len(NOTE)
    async with resources.database.driver() as driver:
        column = await driver.fetchval(
            "SELECT used_size_bytes FROM stores WHERE id = $1", store["id"]
        )
    assert column == len(NOTE)


async def test_store_shows_as_much_as_its_column_holds(
    ana: Person, resources: Resources
) -> None:
    store = await ana.open_store(allocated_size_gb=10)
    await set_used_bytes(resources, store["id"], 5 * GIGABYTE)

    await add_file(ana, store["id"], "a.txt", NOTE)

    assert await used_bytes(ana, store["id"]) == 5 * GIGABYTE + len(NOTE)
    shown = await ana.get(f"/v1/stores/{store['id']}")
    assert shown["used_size_bytes"] == 2**31 - 1


async def test_document_of_the_front_ends_own_takes_no_room_back(
    ana: Person, resources: Resources
) -> None:
    """It was never counted, so removing it must not make room that is not there."""
    store = await ana.open_store()
    await ana.add_document(store["id"], "0123456789")
    async with resources.database.driver() as driver:
        stranger = await driver.fetchval(
            "INSERT INTO documents (store_id, title, content) "
            "VALUES ($1, 'Nota', '0123456789') RETURNING id",
            store["id"],
        )

    await ana.delete(f"/v1/documents/{stranger}")

    assert await used_bytes(ana, store["id"]) == 10


async def test_file_that_the_front_end_deletes_leaves_nothing_behind(
    ana: Person, resources: Resources, run_jobs: RunJobs
) -> None:
    store = await ana.open_store()
    taken = await add_file(ana, store["id"], "a.txt", NOTE)
    await run_jobs()
    async with resources.database.driver() as driver:
        await driver.execute("DELETE FROM documents WHERE id = $1", taken["id"])

    assert await used_bytes(ana, store["id"]) == 0
    assert "kept" not in (await objects(resources, store["id"])).values()
