"""The table finds the route that asking one after the other would find."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match

from vek1_api import domains
from vek1_api.core.route_table import RouteTable

ROUTES = [
    route
    for router in domains.routers()
    for route in router.routes
    if isinstance(route, APIRoute)
]


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": []}


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if ":" not in route.path],
    ids=lambda route: f"{route.name}-{route.path}",
)
def test_every_route_is_found(route: APIRoute) -> None:
    path = route.path_format
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", str(uuid4()))
    method = min(route.methods or ())

    match, child_scope = RouteTable(ROUTES).matches(scope_of(method, path))

    assert match is Match.FULL
    assert child_scope["endpoint"] is route.endpoint
    assert set(child_scope["path_params"]) == set(route.param_convertors)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/stores"),
        ("GET", "/v1/stores/"),
        ("GET", "/v1/stores/x/y/z"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/v1/stores/x/products/by-integration-id/a/b"),
    ],
)
def test_what_it_does_not_know_is_left_to_the_routers(method: str, path: str) -> None:
    assert RouteTable(ROUTES).matches(scope_of(method, path)) == (Match.NONE, {})
