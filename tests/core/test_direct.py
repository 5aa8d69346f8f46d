"""What goes straight to its endpoint is answered as the framework would answer it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.people import Person
from vek1_api import domains
from vek1_api.core import direct
from vek1_api.core.resources import Resources
from vek1_api.core.route_table import RouteTable
from vek1_api.main import create_app

JSON = "application/json"
NOBODY = "4b2f7c1e-0000-4000-8000-00000000abcd"


@pytest.fixture
async def framework(resources: Resources) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an application without the table: the framework answers everything."""
    app = create_app(resources.settings, resources)
    app.state.resources = resources
    routes = app.router.routes
    routes[:] = [each for each in routes if not isinstance(each, RouteTable)]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x.test") as client:
        yield client
    await app.state.dashboard.close()


def test_all_but_these_go_straight() -> None:
    routes = [route for router in domains.routers() for route in router.routes]

    left = {
        route.name
        for route in routes
        if isinstance(route, APIRoute) and direct.app_of(route) == route.handle
    }

    assert left == {
        "add_order_proof",
        "cancel_order",
        "create_document",
        "create_product_file",
        "export_lead",
        "export_leads",
        "export_products",
        "get_document_file",
        "get_liveness",
        "get_product_by_integration_id",
        "get_readiness",
        "import_leads",
        "import_products",
        "list_stock_levels",
        "put_company_logo",
        "put_product_by_integration_id",
        "receive_abacatepay_webhook",
        "receive_stock",
        "refund_order",
        "reject_order_proof",
        "rotate_webhook_secret",
        "run_retention",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/v1/stores",
        "/v1/stores/{store}",
        "/v1/stores/{store}?x=1",
        "/v1/stores/{store}/agents",
        "/v1/stores/{store}/agents?limit=1",
        "/v1/stores/{store}/agents?limit=0",
        "/v1/stores/{upper}",
        "/v1/stores/{plain}",
        "/v1/stores/{{{store}}}",
        "/v1/stores/urn:uuid:{store}",
        "/v1/stores/{plain}-",
        "/v1/stores/%20{store}",
        "/v1/stores/{store}%0A",
        "/v1/stores/1",
        f"/v1/stores/{NOBODY}",
        f"/v1/stores/{NOBODY}/agents",
        "/v1/company",
        "/v1/audit?limit=1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reads_are_answered_alike(
    method: str, path: str, ana: Person, framework: httpx.AsyncClient
) -> None:
    store = (await ana.post("/v1/stores", {"name": "Loja"}))["id"]
    spelled = {"store": store, "upper": store.upper(), "plain": store.replace("-", "")}
    url = path.format(**spelled)

    await assert_alike(method, url, b"", {}, ana, framework)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"name":"Loja"}', None),
        (b'{"name":"Loja"}', "text/plain"),
        (b'{"name":5}', "application/json; charset=utf-8"),
        (b'{"name":5}', "application/merge-patch+json"),
        (b'{"name":5}', "APPLICATION/JSON"),
        (b"", JSON),
        (b" ", JSON),
        (b"{", JSON),
        (b'{"name":"\xff"}', JSON),
        (b"\xff\xfe", JSON),
        (b'{"name":NaN}', JSON),
        (b'{"name":5}', JSON),
        (b'{"name":"Loja","name":5}', JSON),
        (b'{"name":"Loja","x":1}', JSON),
        (b'{"name":"\\ud800"}', JSON),
        (b'"Loja"', JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b"[" * 100_000, JSON),
        (b'{"name":"Loja","settings":' + b'{"a":' * 90 + b"1" + b"}" * 91, JSON),
    ],
)
async def test_bodies_are_refused_alike(
    content: bytes, kind: str | None, ana: Person, framework: httpx.AsyncClient
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}

    await assert_alike("POST", "/v1/stores", content, headers, ana, framework)

    assert (await ana.get("/v1/stores"))["items"] == []


async def test_who_asks_is_judged_before_what_is_asked(
    http: httpx.AsyncClient, framework: httpx.AsyncClient
) -> None:
    for client in (http, framework):
        stranger = Person(client, "nobody")
        stranger.headers = {}
        answers = [
            await stranger.request("POST", "/v1/stores", json={"name": 5}),
            await stranger.request("PATCH", "/v1/stores/1", json={"name": "Loja"}),
            await stranger.request("GET", "/v1/stores/1"),
        ]
        assert [each.status_code for each in answers] == [401, 401, 401]


async def test_a_body_that_comes_in_pieces_is_read_to_its_end(ana: Person) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for each in (b'{"na', b'me":"Lo', b'ja"}'):
            yield each

    response = await ana.request(
        "POST", "/v1/stores", content=pieces(), headers={"Content-Type": JSON}
    )

    assert (response.status_code, response.json()["name"]) == (201, "Loja")


async def assert_alike(
    method: str,
    url: str,
    content: bytes,
    headers: dict[str, str],
    person: Person,
    framework: httpx.AsyncClient,
) -> None:
    """Assert that both answer with the same status, headers and bytes."""
    both = [
        await client.request(
            method,
            url,
            content=content,
            headers=person.headers | headers | {"X-Request-Id": "the-same"},
        )
        for client in (person.http, framework)
    ]
    ours, theirs = ((each.status_code, each.content, each.headers) for each in both)
    assert ours == theirs
