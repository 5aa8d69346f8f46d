"""The documentation page, as a browser on a machine without internet sees it."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.browser import Browser, chromium
from tests.people import SERVICE_TOKEN, Person
from vek1_api.core.resources import Resources
from vek1_api.main import create_app

PATIENCE_SECONDS = 15
CHOOSE_FORM = """
const select = arguments[0];
Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value")
  .set.call(select, "multipart/form-data");  // React sees no other way of setting it.
select.dispatchEvent(new Event("change", {bubbles: true}));
"""


@contextmanager
def served(app: FastAPI) -> Generator[str]:
    """Serve the app in a thread of its own, as `vek1-api api` does in a process."""
    config = uvicorn.Config(app, "127.0.0.1", 0, loop="asyncio", log_config=None)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        deadline = monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "The server did not start."
            assert monotonic() < deadline, "The server took too long to start."
            sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def address(resources: Resources) -> Generator[str]:
    """The service on a real port, with the database that ``resources`` has prepared."""
    with served(create_app(resources.settings)) as url:
        yield url


@pytest.fixture
def browser(tmp_path: Path) -> Generator[Browser]:
    with chromium(tmp_path / "profile") as opened:
        yield opened


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        browser.open(f"{address}/docs")

    def authorize(self, **values: str) -> None:
        self._browser.click(".auth-wrapper > .authorize")
        for number, value in enumerate(values.values(), start=1):
            form = f".auth-container:nth-of-type({number})"
            assert self._browser.text(f"{form} h4 code") == list(values)[number - 1]
            self._browser.type(f"{form} input", value)
            self._browser.click(f"{form} button.authorize")
        self._browser.click(".modal-ux .close-modal")

    def execute(
        self, operation: str, file: Path | None = None, **texts: str
    ) -> tuple[str, Any]:
        """Open the operation, fill in, press Execute; return the status and the body."""
        block = f"[id$='-{operation}']"
        self._browser.click(f"{block} .opblock-summary-control")
        if file is not None:
            self._browser.run(CHOOSE_FORM, f"{block} .opblock-section-request-body select")
            self._browser.type(f"{block} input[type=file]", str(file))
        for name, text in texts.items():
            self._browser.type(f"{block} tr[data-param-name='{name}'] input", text)
        self._browser.click(f"{block} .execute")
        answer = f"{block} .live-responses-table .response"
        status = self._browser.text(f"{answer} .response-col_status")
        return status, json.loads(self._browser.text(f"{answer} .highlight-code code"))


@pytest.mark.slow  # A browser starts, and a page of 2 MB of script.
@pytest.mark.timeout(90)
async def test_merchant_authorizes_reads_and_uploads_from_the_page(
    ana: Person, address: str, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "faq.md"
    file.write_text("# Entrega\n\nEntregamos em Belo Horizonte em dois dias.\n")
    store = await ana.open_store("Torrefação da Savassi")
    page = Page(browser, address)

    page.authorize(serviceToken=SERVICE_TOKEN, actorUserId=ana.user_id)
    listed = page.execute("list_stores")
    got = page.execute("get_store", store_id=store["id"])
    status, document = page.execute("create_document", file, store_id=store["id"])

    assert listed == ("200", {"items": [store], "next_cursor": None})
    assert got == ("200", store)
    assert status == "201", document
    assert document["file_name"] == "faq.md"
    assert document["tags"] == ["trocas", "garantia"]
    assert document["product_id"] is None
    requests = [urlsplit(url) for url in browser.requests(f"{address}/docs")]
    hosts = {url.netloc for url in requests if url.scheme != "data"}
    assert hosts == {urlsplit(address).netloc}
    assert browser.complaints() == []


async def test_page_may_load_from_its_own_host_only(http: httpx.AsyncClient) -> None:
    response = await http.get("/docs")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in response.text


async def test_assets_are_kept_for_ever_and_sent_with_their_types(
    http: httpx.AsyncClient,
) -> None:
    page = (await http.get("/docs")).text
    paths = re.findall(r'(?:src|href)="(docs/[^"]+)"', page)

    types = {}
    for path in sorted(set(paths)):
        response = await http.get(f"/{path}")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "gzip"
        types[path.rpartition("/")[2]] = response.headers["content-type"]

    assert types == {
        "docs.css": "text/css; charset=utf-8",
        "docs.js": "text/javascript; charset=utf-8",
        "favicon.svg": "image/svg+xml",
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "swagger-ui.css": "text/css; charset=utf-8",
    }


async def test_other_names_and_versions_of_assets_are_not_there(
    http: httpx.AsyncClient,
) -> None:
    folder = re.findall(r'"docs/(\w+)/docs\.js"', (await http.get("/docs")).text)[0]

    for path in (f"{folder}/README.md", f"{folder}/..%2fdocs.py", f"{uuid4().hex}/docs.js"):
        response = await http.get(f"/docs/{path}")
        assert response.status_code == 404, path
        assert response.headers["content-type"] == "application/problem+json"


async def test_known_document_is_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/openapi.json")

    again = await http.get(
        "/openapi.json", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["content-type"] == "application/json"
    assert first.json()["info"]["title"] == "vek1-api"
    assert again.status_code == 304
    assert again.content == b""


async def test_root_leads_to_the_page(http: httpx.AsyncClient) -> None:
    response = await http.get("/")

    assert response.status_code == 307
    assert response.headers["location"] == "docs"
