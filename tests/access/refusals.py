"""Asking for something small, and reading the refusal."""

import httpx


async def list_stores(http: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await http.get("/v1/stores", headers=headers)


def is_refused(response: httpx.Response, code: str = "unauthenticated") -> bool:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    return response.status_code == 401 and response.json()["code"] == code
