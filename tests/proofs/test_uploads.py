"""A proof is kept private, byte for byte, as a version of what its order waits for."""

import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.documents.shelf import set_used_bytes
from tests.files.pictures import plain
from tests.people import Person
from tests.product_files.shelf import opened
from tests.proofs.counter import Counter, new_receipt
from tests.proofs.rendered import photo
from vek1_api.core import clock
from datetime import datetime


async def test_first_proof_takes_the_order_to_proof_received(counter: Counter) -> None:
    order_id, content = await counter.order(), new_receipt()

    response = await counter.send(order_id, content, "Comprovante da Joana.pdf")

    assert response.status_code == 201, response.text
    order = response.json()
    assert order == await counter.order_of(order_id)
    assert order["status"] == "proof_received"
    assert (order["proof"]["versions"], order["proof"]["review"]) == (1, "pending")
    assert order["proof"]["mime_type"] == "application/pdf"
    assert await counter.steps(order_id) == ["created", "proof_received"]
    [version] = (await counter.proofs(order_id))["versions"]
    assert version["filename"] == "Comprovante da Joana.pdf"
    assert (version["version"], version["source"]) == (1, "upload")
    assert version["size_bytes"] == len(content) == await counter.used_bytes()
    assert (version["review"], version["reading"]) == ("pending", "pending")
    [key] = await counter.objects()
    assert key.startswith(f"companies/{counter.person.user_id}/orders/{order_id}/proofs/")
    [row] = await counter.rows(
        "SELECT proof_file_url, proof_mime_type, proof_received_at, proof_external_id, p.id"
        " FROM orders JOIN vek1_api.order_proofs AS p ON p.order_id = orders.id"
        " WHERE orders.store_id = $1",
        counter.store_id,
    )
    assert (row[0], row[1], row[3]) == (key, "application/pdf", str(row[4]))
    assert row[2] is not None
    [entry] = await counter.person.audit(action="order.proof_received")
    assert entry["target_id"] == order_id
    assert "Joana" not in str(entry["meta"])


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
    ],
)
async def test_picture_is_told_by_its_content_and_kept_byte_for_byte(
    counter: Counter, kind: str, mime_type: str
) -> None:
    order_id, content = await counter.order(), photo("Pix", kind)

    response = await counter.send(order_id, content, "sem-nome.exe")

    assert response.json()["proof"]["mime_type"] == mime_type
    [version] = (await counter.proofs(order_id))["versions"]
    assert (await opened(version["url"])).content == content


async def test_link_opens_for_ten_minutes_and_the_object_itself_does_not(
    counter: Counter,
) -> None:
    order_id, content = await counter.order(), new_receipt()
    await counter.prove(order_id, content)

    [version] = (await counter.proofs(order_id))["versions"]

    assert (await opened(version["url"])).content == content
    address = urlsplit(version["url"])
    assert parse_qs(address.query)["X-Amz-Expires"] == ["600"]
    left = datetime.fromisoformat(version["expires_at"]) - clock.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    plain_address = f"{address.scheme}://{address.netloc}{address.path}"
    assert (await opened(plain_address)).status_code in {401, 403}


async def test_further_proof_is_a_further_version(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)

    order = await counter.prove(order_id, photo("outra"))

    assert (order["status"], order["proof"]["versions"]) == ("proof_received", 2)
    assert order["proof"]["mime_type"] == "image/jpeg"
    proofs = (await counter.proofs(order_id))["versions"]
    assert [each["version"] for each in proofs] == [2, 1]
    assert await counter.steps(order_id) == ["created", "proof_received", "proof_received"]
    assert set((await counter.objects()).values()) == {"kept"}


async def test_same_file_again_changes_nothing(counter: Counter) -> None:
    order_id, content = await counter.order(), new_receipt()
    before = await counter.prove(order_id, content)
    objects = await counter.objects()

    again = await counter.send(order_id, content, "outro-nome.pdf")

    assert (again.status_code, again.json()) == (200, before)
    assert await counter.objects() == objects
    assert len(await counter.person.audit(action="order.proof_received")) == 1


async def test_same_file_after_the_order_went_on_changes_nothing(counter: Counter) -> None:
    order_id, content = await counter.order(), new_receipt()
    await counter.prove(order_id, content)
    accepted = (await counter.review(order_id, "accept")).json()

    again = await counter.send(order_id, content)

    assert (again.status_code, again.json()) == (200, accepted)


async def test_repeated_request_gets_the_first_answer(counter: Counter) -> None:
    order_id, content = await counter.order(), new_receipt()
    key = {"Idempotency-Key": uuid4().hex}
    first = await counter.send(order_id, content, headers=key)
    await counter.review(order_id, "reject")

    again = await counter.send(order_id, content, headers=key)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await counter.objects()) == 1


@pytest.mark.parametrize(
    "status", ["draft", "confirmed", "shipping", "fulfilled", "cancelled"]
)
async def test_order_that_waits_for_no_proof_takes_none(
    counter: Counter, status: str
) -> None:
    order_id = await counter.order(status)
    before = await counter.order_of(order_id)

    refused = await counter.send(order_id, new_receipt())

    assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
    assert await counter.order_of(order_id) == before
    assert (await counter.objects(), await counter.used_bytes()) == ({}, 0)
    assert await counter.proofs(order_id) == {"versions": [], "desk": None}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"nome;valor\nJoana;10,00\n", 415, "unsupported_media_type"),
        (b"PK\x03\x04 something", 415, "unsupported_media_type"),
        (b"\x00" * 64, 415, "unsupported_media_type"),
        (plain("PNG") + b"\x00" * (10 * 1024 * 1024), 413, "payload_too_large"),
    ],
    ids=["empty", "a table", "an archive", "rubbish", "too large"],
)
async def test_what_is_no_proof_is_refused(
    counter: Counter, content: bytes, status: int, code: str
) -> None:
    order_id = await counter.order()

    refused = await counter.send(order_id, content)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await counter.order_of(order_id))["status"] == "awaiting_proof"
    assert await counter.objects() == {}


async def test_a_refused_file_is_told_what_a_proof_may_be(counter: Counter) -> None:
    refused = await counter.send(await counter.order(), b"MZ" + b"\x00" * 64)

    assert refused.json()["detail"] == (
        "This looks like a Windows program. Send one of gif, jpg, pdf, png, webp."
    )


async def test_full_store_takes_no_proof(counter: Counter) -> None:
    order_id = await counter.order()
    await set_used_bytes(counter.resources, counter.store_id, 2**40)

    refused = await counter.send(order_id, new_receipt())

    assert (refused.status_code, refused.json()["code"]) == (413, "storage_quota_exceeded")
    assert (await counter.order_of(order_id))["status"] == "awaiting_proof"
    assert await counter.objects() == {}


async def test_anothers_order_takes_no_proof_and_shows_none(
    counter: Counter, bruno: Person
) -> None:
    order_id = await counter.order()
    before = await counter.prove(order_id)
    path = counter.path(order_id)

    answers = [
        await counter.send(order_id, new_receipt(), person=bruno),
        await bruno.request("GET", path),
        await bruno.request("POST", f"{path}/accept"),
        await bruno.request("POST", f"{path}/reject"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await counter.order_of(order_id) == before
    assert len(await counter.objects()) == 1
    denied = await counter.person.audit(action="access.denied")
    assert [entry["target_id"] for entry in denied] == [order_id] * 4


async def test_order_that_is_deleted_takes_its_proofs_along(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)
    [key] = await counter.objects()

    for table in ("order_events WHERE order_", "order_items WHERE order_", "orders WHERE "):
        await counter.execute(f"DELETE FROM {table}id = $1", order_id)

    assert await counter.objects() == {key: "doomed"}
    assert await counter.used_bytes() == 0
    assert (
        await counter.rows(
            "SELECT 1 FROM vek1_api.order_proofs WHERE store_id = $1", counter.store_id
        )
        == []
    )
