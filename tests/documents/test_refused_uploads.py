"""Uploads that are refused leave nothing: no row, no object, no room taken."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import RunJobs
from tests.documents.files import (
    WINDOWS_PROGRAM,
)
from tests.documents.shelf import (
    documents,
    objects,
    send_file,
    through,
    used_bytes,
    without_store,
)
from tests.people import Person
from vek1_api.core.resources import Resources

NOTE = b"Abrimos de segunda a sexta, das 9h \xc3\xa0s 18h."


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
