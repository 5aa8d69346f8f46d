"""What the tests of documents do again and again: send a file, look past the API."""

from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID

import httpx

from tests.people import Person
from vek1_api.core.embedding import Embedder
from vek1_api.core.resources import Resources
from vek1_api.core.storage import Bucket
from vek1_api.main import create_app

DEMO = files("vek1_api.demo").joinpath("files")
DEMO_FILES = {
    "manual-aurora-20-bar.pdf": "application/pdf",
    "tabela-de-precos.csv": "text/csv",
    "politica-de-trocas-e-devolucoes.docx": "application/vnd.openxmlformats-officedocument"
    ".wordprocessingml.document",
    "perguntas-frequentes.md": "text/markdown",
    "guia-de-moagem.md": "text/markdown",
    "sobre-a-loja.txt": "text/plain",
}
CLOSED_PORT = "http://127.0.0.1:9"
"""Where nobody listens: the port of ``discard``."""


def demo_file(name: str) -> bytes:
    """Return the bytes of one of the demo shop's files."""
    return DEMO.joinpath(name).read_bytes()


async def send_file(
    person: Person,
    store_id: str,
    name: str,
    content: bytes,
    *,
    fields: dict[str, str] | None = None,
    **options: Any,
) -> httpx.Response:
    """Send a file by multipart, under a media type that says nothing."""
    return await person.request(
        "POST",
        f"/v1/stores/{store_id}/documents",
        files={"file": (name, content, "application/octet-stream")},
        data=fields,
        **options,
    )


async def add_file(
    person: Person, store_id: str, name: str, content: bytes, **fields: str
) -> Any:
    """Send a file that is taken."""
    response = await send_file(person, store_id, name, content, fields=fields)
    assert response.status_code == 201, response.text
    return response.json()


async def used_bytes(person: Person, store_id: str) -> int:
    """Return what a store's quota counts."""
    return int((await person.get(f"/v1/stores/{store_id}/usage"))["used_bytes"])


async def set_used_bytes(resources: Resources, store_id: str, used: int) -> None:
    """Pretend that a store has used so much."""
    statement = (
        "INSERT INTO vek1_api.store_storage (store_id, used_bytes) VALUES ($1, $2) "
        "ON CONFLICT (store_id) DO UPDATE SET used_bytes = $2"
    )
    async with resources.database.driver() as driver:
        await driver.execute(statement, UUID(store_id), used)


async def objects(resources: Resources, store_id: str) -> dict[str, str]:
    """Return the state of each stored object of a store, by its key."""
    statement = "SELECT key, state FROM vek1_api.stored_objects WHERE store_id = $1"
    async with resources.database.driver() as driver:
        rows = await driver.fetch(statement, UUID(store_id))
    return {row["key"]: row["state"] for row in rows}


async def documents(person: Person, store_id: str) -> list[Any]:
    """Return a store's documents."""
    return list((await person.get(f"/v1/stores/{store_id}/documents"))["items"])


async def chunks(person: Person, document_id: str) -> list[Any]:
    """Return all passages of a document."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await person.get(f"/v1/documents/{document_id}/chunks", limit=200, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def search(person: Person, store_id: str, query: str, **more: Any) -> list[Any]:
    """Return the passages that answer a question."""
    body = {"query": query, **more}
    answer = await person.post(f"/v1/stores/{store_id}/search", body, status=200)
    return list(answer["items"])


def client_of(resources: Resources) -> httpx.AsyncClient:
    """Return a client of an application that has these resources."""
    app = create_app(resources.settings, resources)
    app.state.resources = resources
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://vek1.test")


def through(person: Person, resources: Resources) -> Person:
    """Return the same person calling an application that has other resources."""
    return Person(client_of(resources), person.user_id)


def with_embedder(resources: Resources, embedder: Embedder) -> Resources:
    """Return the same resources with another model."""
    return replace(resources, embedder=embedder)


def without_store(resources: Resources) -> Resources:
    """Return the same resources while the object store is down."""
    settings = resources.settings
    assert settings.s3_secret_key is not None
    bucket = Bucket(
        endpoint=CLOSED_PORT,
        access_key="nobody",
        secret_key=settings.s3_secret_key.get_secret_value(),
        bucket=settings.s3_bucket,
    )
    return replace(resources, bucket=bucket)
