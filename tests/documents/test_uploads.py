"""Files as they are sent: judged, stored, counted, refused."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import RunJobs
from tests.documents.files import (
    GIF,
    JPEG,
    PNG,
    WEBP,
    pdf,
)
from tests.documents.shelf import (
    DEMO_FILES,
    add_file,
    chunks,
    demo_file,
    documents,
    objects,
    used_bytes,
)
from tests.people import Person
from vek1_api.core.resources import Resources

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
