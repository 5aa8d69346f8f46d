"""What every answer has: a request id, safe headers, times in UTC."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.people import SERVICE_TOKEN, Person
from vek1_api.core.db import Driver


@pytest.mark.parametrize("sent", ["abc", "A-1.2_3:4", "x" * 128])
async def test_sane_request_id_is_kept_everywhere(sent: str, ana: Person) -> None:
    headers = {"X-Request-Id": sent}

    made = await ana.request("POST", "/v1/stores", json={"name": "Loja"}, headers=headers)
    refused = await ana.request("GET", "/v1/nada", headers=headers)

    assert made.headers["x-request-id"] == refused.headers["x-request-id"] == sent
    assert refused.json()["request_id"] == sent
    assert (await ana.audit(action="store.created"))[0]["request_id"] == sent


@pytest.mark.parametrize("sent", [None, "", " ", "a b", "x" * 129, "é", "<script>", "a,b"])
async def test_request_id_that_is_not_sane_is_replaced(
    sent: str | None, ana: Person
) -> None:
    headers: Any = {} if sent is None else {"X-Request-Id": sent.encode()}

    first = await ana.request("GET", "/v1/nada", headers=headers)
    second = await ana.request("GET", "/v1/nada", headers=headers)

    ids = {first.headers["x-request-id"], second.headers["x-request-id"]}
    assert len(ids) == 2
    assert all(len(each) == 32 and each.isalnum() for each in ids)
    assert first.json()["request_id"] == first.headers["x-request-id"]


async def test_request_id_goes_along_with_the_jobs_it_causes(
    ana: Person, db: Driver
) -> None:
    store = await ana.open_store()
    request_id = f"r-{uuid4().hex}"

    await ana.request(
        "POST",
        f"/v1/stores/{store['id']}/documents",
        json={"title": "T", "content": "C"},
        headers={"X-Request-Id": request_id},
    )

    rows = await db.fetch(
        "SELECT entrypoint FROM vek1_api.pgqueuer WHERE headers->>'request_id' = $1",
        request_id,
    )
    assert [row["entrypoint"] for row in rows] == ["documents.index"]


async def test_every_answer_has_headers_that_keep_browsers_safe(
    http: httpx.AsyncClient, ana: Person
) -> None:
    for response in (
        await ana.request("GET", "/v1/stores"),
        await http.get("/v1/stores"),
        await http.get("/v1/nada"),
        await http.get("/health/live"),
    ):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-request-id"]


async def test_timestamps_are_utc_with_z(ana: Person) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    document = await ana.add_document(store["id"], "Texto")
    company = await ana.get("/v1/company")
    entries = await ana.audit()

    for row in (store, agent, document, company):
        for name in ("created_at", "updated_at"):
            assert row[name].endswith("Z"), (row, name)
            assert row[name][10] == "T"
    assert all(entry["at"].endswith("Z") for entry in entries)


async def test_secret_in_a_refused_request_is_not_repeated(http: httpx.AsyncClient) -> None:
    response = await http.get(
        "/v1/stores", headers={"Authorization": f"Bearer {SERVICE_TOKEN}-wrong"}
    )

    assert SERVICE_TOKEN not in response.text
