"""When a part is broken or not there: an honest status, and nothing changed."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.conventions.breaking import Open, as_caller, is_unavailable
from tests.files.pictures import plain
from tests.people import Person
from vek1_api.core.db import Database
from vek1_api.core.embedding.vectors import Vector
from vek1_api.core.logging import REQUESTS
from vek1_api.core.storage import Bucket

SECRET = "postgresql://dona:hunter2@10.0.0.7/loja"
NOWHERE = "postgresql://vek1:vek1@127.0.0.1:9/vek1"


class BrokenEmbedder:
    """Fails in a way that nobody foresaw."""

    model = "broken/1"
    dimensions = 8

    async def ready(self) -> None:
        raise RuntimeError(SECRET)

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        raise RuntimeError(SECRET + str(len(texts)))

    async def embed_query(self, text: str) -> Vector:
        raise RuntimeError(SECRET + text)

    async def close(self) -> None:
        pass


async def test_unforeseen_failure_tells_nothing_and_has_its_headers(
    open_app: Open, ana: Person, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(REQUESTS, "write", lines.append)
    store = await ana.open_store()
    async with open_app(embedder=BrokenEmbedder()) as client:
        response = await as_caller(client, ana).request(
            "POST",
            f"/v1/stores/{store['id']}/search",
            json={"query": "café"},
            headers={"X-Request-Id": "the-one-that-failed"},
        )

    assert response.status_code == 500
    assert response.json() == {
        "type": "urn:vek1:problem:internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side; the log has the details.",
        "code": "internal_error",
        "request_id": "the-one-that-failed",
    }
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "the-one-that-failed"
    assert response.headers["x-content-type-options"] == "nosniff"
    failures = [entry for entry in logged if entry["event"] == "unexpected_error"]
    assert [str(entry["exc_info"]) for entry in failures] == [f"{SECRET}café"]
    served = orjson.loads(lines[-1])
    assert (served["event"], served["status"]) == ("request", 500)
    assert served["request_id"] == "the-one-that-failed"


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/v1/stores", {}),
        ("GET", "/v1/company", {}),
        ("POST", "/v1/stores", {"json": {"name": "Loja"}}),
        (
            "POST",
            "/v1/stores",
            {"json": {"name": "Loja"}, "headers": {"Idempotency-Key": "k"}},
        ),
        (
            "PATCH",
            "/v1/stores/6f9619ff-8b86-4d01-b42d-00c04fc964ff",
            {"json": {"name": "Loja"}},
        ),
        ("GET", "/v1/stores/6f9619ff-8b86-4d01-b42d-00c04fc964ff", {}),
        (
            "GET",
            "/v1/stores/6f9619ff-8b86-4d01-b42d-00c04fc964ff/documents",
            {"params": {"agent_id": "6f9619ff-8b86-4d01-b42d-00c04fc964ff"}},
        ),
    ],
)
async def test_database_that_is_not_there_is_unavailable(
    method: str, path: str, sent: dict[str, Any], open_app: Open, ana: Person
) -> None:
    nowhere = Database(NOWHERE)
    async with open_app(database=nowhere) as client:
        response = await as_caller(client, ana).request(method, path, **sent)

    assert is_unavailable(response)
    assert "127.0.0.1" not in response.text


async def test_session_is_not_refused_when_the_database_is_not_there(
    open_app: Open,
) -> None:
    async with open_app(database=Database(NOWHERE)) as client:
        response = await client.get("/v1/stores", headers={"Authorization": "Bearer some"})

    assert is_unavailable(response)


async def test_object_store_that_is_not_there_is_unavailable_and_nothing_changes(
    open_app: Open, ana: Person
) -> None:
    store = await ana.open_store()
    bucket = Bucket(
        endpoint="http://127.0.0.1:9", access_key="a", secret_key="b" * 8, bucket="vek1"
    )
    async with open_app(bucket=bucket) as client:
        uploaded = await as_caller(client, ana).request(
            "POST",
            f"/v1/stores/{store['id']}/documents",
            files={"file": ("a.txt", b"Texto")},
        )
        logo = await as_caller(client, ana).request(
            "PUT", "/v1/company/logo", files={"file": ("a.gif", plain("GIF"))}
        )

    assert is_unavailable(uploaded)
    assert is_unavailable(logo)
    assert (await ana.get(f"/v1/stores/{store['id']}/documents"))["items"] == []
    assert (await ana.get(f"/v1/stores/{store['id']}/usage"))["used_bytes"] == 0
    assert (await ana.get("/v1/company"))["logo_url"] is None
    bucket.close()


async def test_request_that_finds_no_connection_is_unavailable(
    open_app: Open, database_url: str, ana: Person
) -> None:
    database = Database(database_url, pool_size=2)
    database._engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # noqa: SLF001 - 10 s.
    async with open_app(database=database) as client, database.read(), database.driver():
        read = await as_caller(client, ana).request("GET", "/v1/stores")
        written = await as_caller(client, ana).request(
            "POST", "/v1/stores", json={"name": "L"}
        )

    assert is_unavailable(read)
    assert is_unavailable(written)
    assert (await ana.get("/v1/stores"))["items"] == []
    await database.close()
