"""Requests that cannot be read: exact codes in one shape, and nothing is changed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conventions.problems import JSON, has_no_stores, pointers_of, problem_of
from tests.people import Person


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/stores/", "/v1/nada", "/v2/stores", "/V1/stores"]
)
async def test_unknown_path_is_not_found(path: str, ana: Person) -> None:
    problem = problem_of(await ana.request("GET", path), 404, "not_found")

    assert problem["detail"] == "There is nothing at this path."


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/stores", {"GET", "POST"}),
        ("DELETE", "/v1/stores", {"GET", "POST"}),
        ("POST", "/v1/company", {"GET", "PATCH"}),
        ("OPTIONS", "/v1/stores", {"GET", "POST"}),
        ("TRACE", "/v1/company/logo", {"PUT", "DELETE"}),
        ("GET", "/internal/company/ensure", {"POST"}),
    ],
)
async def test_method_that_a_path_does_not_take_is_told_which_it_does(
    method: str, path: str, allowed: set[str], ana: Person
) -> None:
    response = await ana.request(method, path)

    problem_of(response, 405, "method_not_allowed")
    assert {each.strip() for each in response.headers["allow"].split(",")} >= allowed


async def test_head_is_answered_like_get_without_a_body(ana: Person) -> None:
    response = await ana.request("HEAD", "/v1/company")

    assert response.status_code == 200
    assert (
        response.headers["etag"]
        == (await ana.request("GET", "/v1/company")).headers["etag"]
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": "Loja",}',
        b"{'name': 'Loja'}",
        b'{"name": "Loja\xff"}',
        b"\xef\xbb\xbf{}x",
        b"[" * 100_000,
        b'{"name": 1' + b"0" * 5_000 + b"}",
    ],
    ids=["cut", "comma", "quotes", "latin-1", "bom", "deep", "digits"],
)
async def test_body_that_is_no_json_is_malformed(body: bytes, ana: Person) -> None:
    response = await ana.request("POST", "/v1/stores", content=body, headers=JSON)

    problem_of(response, 400, "malformed_request")
    assert await has_no_stores(ana)


async def test_body_that_is_not_there_is_missing(ana: Person) -> None:
    assert pointers_of(await ana.request("POST", "/v1/stores", headers=JSON)) == [""]


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "nonsense"])
async def test_body_that_does_not_say_it_is_json_is_not_read(
    media_type: str, ana: Person
) -> None:
    response = await ana.request(
        "POST",
        "/v1/stores",
        content=b'{"name":"Loja"}',
        headers={"Content-Type": media_type},
    )

    problem_of(response, 415, "unsupported_media_type")
    assert await has_no_stores(ana)


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "application/problem+json"]
)
async def test_json_by_any_of_its_names_is_read(media_type: str, ana: Person) -> None:
    response = await ana.request(
        "POST",
        "/v1/stores",
        content=b'{"name":"Loja"}',
        headers={"Content-Type": media_type},
    )

    assert response.status_code == 201


async def test_body_larger_than_allowed_is_refused_before_it_is_read(ana: Person) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        message = "the body was read"
        raise AssertionError(message)

    headers = JSON | {"Content-Length": str(10**9)}

    response = await ana.request("POST", "/v1/stores", content=never(), headers=headers)

    problem_of(response, 413, "payload_too_large")


@pytest.mark.parametrize("length", ["\xb2", "-1", "x", ""])
async def test_length_that_is_no_number_is_never_a_failure_of_ours(
    length: str, ana: Person
) -> None:
    headers: Any = JSON | {"Content-Length": length.encode("latin-1")}

    response = await ana.request("POST", "/v1/stores", content=b"{", headers=headers)

    problem_of(response, 400, "malformed_request")


@pytest.mark.parametrize("path", ["/v1/stores", "/v1/stores/{store_id}/documents"])
async def test_body_of_unknown_length_is_refused_when_it_gets_too_large(
    path: str, ana: Person
) -> None:
    store = await ana.open_store()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"name":"'
        while sent < 200:
            sent += 1
            yield b"x" * 1024 * 1024

    url = path.format(store_id=store["id"])
    response = await ana.request("POST", url, content=endless(), headers=JSON)

    problem_of(response, 413, "payload_too_large")
    assert sent < 20
    assert (await ana.get(f"/v1/stores/{store['id']}/usage"))["used_bytes"] == 0


async def test_form_of_unknown_length_is_refused_when_it_gets_too_large(
    ana: Person,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(200):
            yield b"x" * 1024 * 1024

    response = await ana.request(
        "PUT",
        "/v1/company/logo",
        content=endless(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    problem_of(response, 413, "payload_too_large")
    assert (await ana.get("/v1/company"))["logo_url"] is None


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"--x\r\n", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n\xff\xfe: x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"file=x", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/company/logo", "/v1/stores/{store_id}/documents"])
async def test_broken_form_is_the_callers_mistake(
    content: bytes, media_type: str, path: str, ana: Person
) -> None:
    store = await ana.open_store()
    method = "PUT" if path.endswith("logo") else "POST"
    url = path.format(store_id=store["id"])

    response = await ana.request(
        method, url, content=content, headers={"Content-Type": media_type}
    )

    assert response.status_code in {400, 415, 422}, response.text
    assert (await ana.get(f"/v1/stores/{store['id']}/documents"))["items"] == []
