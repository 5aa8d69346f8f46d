"""Health, metrics and the queue's dashboard."""

import base64
from typing import Any

import httpx
from fastapi import FastAPI

from tests.people import OPS_TOKEN, SERVICE_TOKEN, Person

OPS = {"Authorization": f"Bearer {OPS_TOKEN}"}


async def test_live_answers_without_credentials(http: httpx.AsyncClient) -> None:
    response = await http.get("/health/live")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


async def test_ready_names_every_part(http: httpx.AsyncClient) -> None:
    body: dict[str, Any] = (await http.get("/health/ready")).json()

    assert set(body["parts"]) == {
        "database",
        "migrations",
        "critical_indexes",
        "storage",
        "embedder",
        "queue",
    }
    for name in ("database", "migrations", "critical_indexes", "storage", "embedder"):
        assert body["parts"][name] == {"status": "ok", "detail": None}, name


async def test_metrics_count_requests_by_route_template(
    http: httpx.AsyncClient, ana: Person
) -> None:
    store = await ana.open_store()
    await ana.get(f"/v1/stores/{store['id']}")

    text = (await http.get("/metrics", headers=OPS)).text

    labels = 'method="GET",route="/v1/stores/{store_id}",status="200"'
    assert f"vek1_http_requests_total{{{labels}}}" in text
    assert store["id"] not in text
    assert "vek1_queue_jobs" in text


async def test_metrics_want_the_ops_token(http: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": f"Bearer {SERVICE_TOKEN}"}):
        response = await http.get("/metrics", headers=headers)
        assert response.status_code == 401
        assert response.json()["code"] == "unauthenticated"


async def test_dashboard_wants_the_ops_token(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vek1.test"
    ) as client:
        for headers in ({}, {"Authorization": f"Bearer {SERVICE_TOKEN}"}):
            refused = await client.get("/ops/jobs/", headers=headers)
            assert refused.status_code == 401
            assert refused.text == ""

        basic = base64.b64encode(f"ops:{OPS_TOKEN}".encode()).decode()
        for headers in (OPS, {"Authorization": f"Basic {basic}"}):
            shown = await client.get("/ops/jobs/", headers=headers)
            assert shown.status_code == 200
            assert "pgqueuer" in shown.text.lower()
            assert "http://vek1.test/ops/jobs/" in shown.text
