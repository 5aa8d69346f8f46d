"""Finding a request's route by a table, not by trying one after the other.

Starlette asks every route in turn, and FastAPI asks each router twice: with a hundred routes
that is a fifth of a small read. The table stands before the routers and knows their routes by
method, number of steps, first and last word; what it does not know (a wrong method, a path
that may hold slashes, a path that is none of ours) it leaves to them.
"""

from collections import defaultdict
from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from vek1_api.core import direct

_CHOSEN = "vek1.app"
_ANY = "*"
Key = tuple[str, int, str, str]


class RouteTable(BaseRoute):
    """Answers for the routes in it, if one of them matches entirely."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes: dict[Key, list[tuple[APIRoute, ASGIApp]]] = defaultdict(list)
        for route in routes:
            if isinstance(route, APIRoute) and ":" not in route.path:
                app = direct.app_of(route)
                for method in route.methods or ():
                    self._routes[_key(method, route.path)].append((route, app))

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return the scope for the route that the path and the method name."""
        if scope["type"] == "http":
            method, count, first, last = _key(scope["method"], scope["path"])
            for word in (last, _ANY):
                for route, app in self._routes.get((method, count, first, word), ()):
                    match, child_scope = route.matches(scope)
                    if match is Match.FULL:
                        return match, {**child_scope, _CHOSEN: app}
        return Match.NONE, {}

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was chosen answer."""
        await scope[_CHOSEN](scope, receive, send)


def _key(method: str, path: str) -> Key:
    steps = path.split("/")
    last = _ANY if steps[-1].startswith("{") else steps[-1]
    return method, len(steps), steps[2] if len(steps) > 2 else "", last  # noqa: PLR2004 - `/v1/<first>`.
