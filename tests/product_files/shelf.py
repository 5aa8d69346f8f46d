"""What the tests of product files do again and again: send a file, look past the API."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.documents.shelf import objects, used_bytes
from tests.people import Person
from tests.products.shelf import add_product
from vek1_api.core.resources import Resources


@dataclass(frozen=True)
class Shop:
    """A merchant's store with one product."""

    person: Person
    resources: Resources
    store_id: str
    product_id: str

    @property
    def path(self) -> str:
        """Where the product's files are."""
        return f"/v1/products/{self.product_id}/files"

    async def send(self, name: str, content: bytes, **options: Any) -> httpx.Response:
        """Send a file by multipart, under a media type that says nothing."""
        sent = {"file": (name, content, "application/octet-stream")}
        return await self.person.request("POST", self.path, files=sent, **options)

    async def add(self, name: str, content: bytes) -> Any:
        """Send a file that is taken."""
        response = await self.send(name, content)
        assert response.status_code == 201, response.text
        return response.json()

    async def get(self, file_id: str) -> Any:
        """Return a file with its text."""
        return await self.person.get(f"/v1/product-files/{file_id}")

    async def files(self) -> list[Any]:
        """Return the product's files."""
        return list((await self.person.get(self.path))["items"])

    async def announce(self, content: bytes, **more: Any) -> Any:
        """Get a form for a browser."""
        body = {
            "filename": "manual.pdf",
            "size": len(content),
            "mime_type": "application/pdf",
        }
        return await self.person.post(f"{self.path}/presign", body | more)

    async def complete(self, file_id: str, **options: Any) -> httpx.Response:
        """Complete what a browser uploaded."""
        path = f"/v1/product-files/{file_id}/complete"
        return await self.person.request("POST", path, **options)

    async def objects(self) -> dict[str, str]:
        """Return the state of each stored object of the store, by its key."""
        return await objects(self.resources, self.store_id)

    async def used_bytes(self) -> int:
        """Return what the store's quota counts."""
        return await used_bytes(self.person, self.store_id)

    async def uploads(self) -> int:
        """Return how many files are expected from browsers."""
        async with self.resources.database.driver() as driver:
            statement = "SELECT count(*) FROM vek1_api.file_uploads WHERE product_id = $1"
            return int(await driver.fetchval(statement, UUID(self.product_id)))

    async def assert_empty(self) -> None:
        """Assert that there is no file, no object that stays, and no room taken."""
        assert await self.files() == []
        assert set((await self.objects()).values()) <= {"doomed"}
        assert await self.used_bytes() == 0


async def open_shop(person: Person, resources: Resources) -> Shop:
    """Return a store with one product."""
    store_id = (await person.open_store())["id"]
    product_id = (await add_product(person, store_id, name="Cafeteira Aurora"))["id"]
    return Shop(person, resources, store_id, product_id)


async def post_form(form: Any, content: bytes, **changed: str) -> httpx.Response:
    """Post a form as a browser does: no credentials but those in its fields."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        return await browser.request(
            form["method"],
            form["url"],
            data=form["fields"] | changed,
            files={"file": ("blob", content)},
        )


async def opened(url: str) -> httpx.Response:
    """Open an address without any credentials."""
    async with httpx.AsyncClient(trust_env=False) as anybody:
        return await anybody.get(url)
