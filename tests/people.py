"""Who calls in the tests: a person with a company, through the front end's service token."""

from dataclasses import dataclass, field
from typing import Any

import httpx

SERVICE_TOKEN = "service-token-of-the-tests-0123456789abcdef"
OPS_TOKEN = "ops-token-of-the-tests-0123456789abcdef"


@dataclass
class Person:
    """A merchant; the methods assert success, ``request`` does not."""

    http: httpx.AsyncClient
    user_id: str
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {
            "Authorization": f"Bearer {SERVICE_TOKEN}",
            "X-Actor-User-Id": self.user_id,
        }

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        return await self.http.request(
            method, path, headers=self.headers | (headers or {}), **options
        )

    async def get(self, path: str, **params: Any) -> Any:
        response = await self.request("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, json: Any, status: int = 201) -> Any:
        response = await self.request("POST", path, json=json)
        assert response.status_code == status, response.text
        return response.json()

    async def patch(self, path: str, json: Any) -> Any:
        response = await self.request("PATCH", path, json=json)
        assert response.status_code == 200, response.text
        return response.json()

    async def delete(self, path: str) -> None:
        response = await self.request("DELETE", path)
        assert response.status_code == 204, response.text

    async def sign_up(self, name: str = "Torrefação Serra Azul") -> Any:
        body = {"user_id": self.user_id, "name": name}
        return await self.post("/internal/company/ensure", body)

    async def open_store(self, name: str = "Loja da Savassi", **more: Any) -> Any:
        return await self.post("/v1/stores", {"name": name, **more})

    async def add_agent(self, store_id: str, name: str = "Lia", **more: Any) -> Any:
        body = {"name": name, "type": "sales", **more}
        return await self.post(f"/v1/stores/{store_id}/agents", body)

    async def add_document(self, store_id: str, content: str, **more: Any) -> Any:
        body = {"title": "Perguntas frequentes", "content": content, **more}
        return await self.post(f"/v1/stores/{store_id}/documents", body)

    async def audit(self, **params: Any) -> list[Any]:
        page = await self.get("/v1/audit", **params)
        return list(page["items"])
