"""The demo shop: a company, a store, an agent and its files, made through the HTTP API."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict

Progress = Callable[[int, int], None]
"""Takes how many documents answer, and of how many."""

USER_ID = "demo-serra-azul"
COMPANY = {"user_id": USER_ID, "name": "Torrefação Serra Azul"}
STORE = {
    "name": "Cafeteria & Torrefação Serra Azul",
    "slug": "serra-azul",
    "description": "Cafés especiais, máquinas Aurora e moedores Ipê. Loja de demonstração.",
}
AGENT_NAME = "Lia"
AGENT = {
    "name": AGENT_NAME,
    "type": "sales",
    "active": True,
    "description": "Atende quem compra café e máquinas na Serra Azul.",
    "system_prompt": "Você é a Lia, da Serra Azul. Atende com simpatia e só afirma o que "
    "está nos documentos da loja.",
}
DOCUMENTS = {
    "manual-aurora-20-bar.pdf": ("Manual da cafeteira Aurora 20 Bar", "manuais"),
    "tabela-de-precos.csv": ("Tabela de preços", "precos"),
    "politica-de-trocas-e-devolucoes.docx": (
        "Política de trocas e devoluções",
        "politicas",
    ),
    "perguntas-frequentes.md": ("Perguntas frequentes", "atendimento"),
    "guia-de-moagem.md": ("Guia de moagem", "manuais"),
    "sobre-a-loja.txt": ("Sobre a loja", "atendimento"),
}
CATALOGUE = "catalogo.csv"
QUESTION = "Comprei pela internet e me arrependi. Até quando posso devolver?"

FILE = "demo.json"
PENDING = "pending"
INDEX_SECONDS = 300
POLL_SECONDS = 0.25
REQUEST_SECONDS = 30


class SeedError(Exception):
    """The demo shop could not be made; the message says at which step."""


class Demo(BaseModel):
    """The ids of the demo shop; ``run`` keeps them in its data folder."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    store_id: str
    agent_id: str

    @classmethod
    def kept_in(cls, folder: Path) -> "Demo | None":
        """Return the shop that was made for this folder, if one was."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except FileNotFoundError:
            return None

    def keep_in(self, folder: Path) -> None:
        """Remember the shop, so that it is made only once."""
        (folder / FILE).write_text(self.model_dump_json(indent=2))

    def curl(self, api: str, service_token: str) -> str:
        """Return a command that asks the shop's agent and shows the cited answer."""
        body = {"query": QUESTION, "agent_id": self.agent_id, "limit": 1}
        return (
            f"curl -sS {api}/v1/stores/{self.store_id}/search \\\n"
            f"  -H 'Authorization: Bearer {service_token}' \\\n"
            f"  -H 'X-Actor-User-Id: {self.user_id}' \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d '{json.dumps(body, ensure_ascii=False)}'"
        )


async def seed(base_url: str, service_token: str, progress: Progress) -> Demo:
    """Make the demo shop, or what is missing of it, and return when its documents answer.

    May be called again, and twice at once: what is there is found, and what is made carries
    an ``Idempotency-Key``. Raises ``SeedError``.
    """
    headers = {"Authorization": f"Bearer {service_token}", "X-Actor-User-Id": USER_ID}
    async with httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False
    ) as client:
        try:
            return await _Seeding(client, progress).run()
        except httpx.HTTPError as error:
            message = f"the API at {base_url} does not answer ({type(error).__name__})"
            raise SeedError(message) from error


@dataclass(frozen=True, slots=True)
class _Seeding:
    client: httpx.AsyncClient
    progress: Progress

    async def run(self) -> Demo:
        await self.send("POST", "/internal/company/ensure", json=COMPANY)
        store_id = await self.find("/v1/stores", slug=STORE["slug"])
        if store_id is None:
            store_id = await self.create("/v1/stores", "/v1/stores", "store", json=STORE)
        agents = f"/v1/stores/{store_id}/agents"
        agent_id = await self.find(agents, name=AGENT_NAME)
        if agent_id is None:
            agent_id = await self.create(agents, "/v1/agents", store_id, json=AGENT)
        self.progress(0, len(DOCUMENTS))
        document_ids = [await self.document(store_id, name) for name in DOCUMENTS]
        await self.catalogue(store_id)
        await self.send(
            "PUT",
            f"/v1/agents/{agent_id}/knowledge-base",
            json={"document_ids": document_ids, "whole_catalogue": True},
        )
        await self.wait_for(document_ids)
        return Demo(user_id=USER_ID, store_id=store_id, agent_id=agent_id)

    async def catalogue(self, store_id: str) -> None:
        """Import the products of a store that has none."""
        products = f"/v1/stores/{store_id}/products"
        if (await self.send("GET", products, params={"limit": 1}))["items"]:
            return
        content = files("vek1_api.demo").joinpath(CATALOGUE).read_bytes()
        await self.send(
            "POST",
            f"{products}/import",
            files={"file": (CATALOGUE, content, "text/csv")},
        )

    async def document(self, store_id: str, name: str) -> str:
        title, category = DOCUMENTS[name]
        documents = f"/v1/stores/{store_id}/documents"
        known = await self.find(documents, file_name=name)
        if known is not None:
            return known
        content = files("vek1_api.demo").joinpath("files", name).read_bytes()
        version = hashlib.sha256(content).hexdigest()[:16]
        return await self.create(
            documents,
            "/v1/documents",
            f"{store_id}:{version}",
            files={"file": (name, content)},
            data={"title": title, "category": category},
        )

    async def wait_for(self, document_ids: Sequence[str]) -> None:
        deadline = time.monotonic() + INDEX_SECONDS
        while True:
            found = [
                await self.send("GET", f"/v1/documents/{each}") for each in document_ids
            ]
            failed = [each for each in found if each["index_status"] == "failed"]
            if failed:
                reason = failed[0]["index_error"]
                message = f"{failed[0]['file_name']} was not indexed: {reason}"
                raise SeedError(message)
            ready = sum(each["index_status"] != PENDING for each in found)
            self.progress(ready, len(found))
            if ready == len(found):
                return
            if time.monotonic() > deadline:
                message = f"{len(found) - ready} documents wait for a worker"
                raise SeedError(message)
            await asyncio.sleep(POLL_SECONDS)

    async def find(self, path: str, **wanted: str) -> str | None:
        """Return the id of the first in a list that has these values."""
        page = await self.send("GET", path, params={"limit": 200})
        return next(
            (str(each["id"]) for each in page["items"] if wanted.items() <= each.items()),
            None,
        )

    async def create(self, path: str, kind: str, key: str, **body: Any) -> str:
        """Make what was not found; an answer from before may be of one that is deleted."""
        answer = await self.answer("POST", path, key=f"demo:{key}", **body)
        if "Idempotency-Replayed" in answer.headers:
            known = await self.client.get(f"{kind}/{answer.json()['id']}")
            if known.status_code == httpx.codes.NOT_FOUND:
                answer = await self.answer("POST", path, key=f"demo:{uuid4()}", **body)
        return str(answer.json()["id"])

    async def send(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.answer(method, path, **options)
        return answer.json() if answer.content else None

    async def answer(
        self, method: str, path: str, *, key: str | None = None, **options: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.client.request(method, path, headers=headers, **options)
        if not answer.is_success:
            message = f"{method} {path} answered {answer.status_code}: {answer.text}"
            raise SeedError(message)
        return answer
