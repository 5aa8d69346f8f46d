"""Answering plain reads without the framework's solver.

FastAPI works out for every request anew what its endpoint takes, which costs as much as a
small query does (``docs/performance.md``). What our reads take is known beforehand: ids from
the path, filters from the query, and one dependency. A read without a query goes straight to
its endpoint. Whatever is not entirely as expected goes through the framework, so that every
refusal of a request is the framework's own.
"""

import re
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any, get_type_hints
from uuid import UUID

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""An id as we write it; the framework knows more spellings."""

_OF_DEPENDENCY = {"name", "call", "request_param_name", "use_cache", "path"}
_OF_ENDPOINT = {
    "path_params",
    "query_params",
    "dependencies",
    "call",
    "use_cache",
    "path",
    "scope",
}


def app_of(route: APIRoute) -> ASGIApp:
    """Return what answers for a route: its endpoint itself, where that will do."""
    if not _is_plain(route):
        return route.handle
    endpoint: Any = route.endpoint
    filters = [(each.name, _kind(each)) for each in route.dependant.query_params]
    (dependency,) = route.dependant.dependencies
    resolve: Any = dependency.call
    resolved = str(dependency.name)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ids = scope["path_params"]
        if scope["query_string"] or not all(map(_ID.fullmatch, ids.values())):
            await route.handle(scope, receive, send)
            return
        values: dict[str, Any] = {resolved: await resolve(Request(scope, receive, send))}
        for name, text in ids.items():
            values[name] = UUID(text)
        for name, model in filters:
            values[name] = model()
        response = await endpoint(**values)
        await response(scope, receive, send)

    return app


def _is_plain(route: APIRoute) -> bool:
    """Return whether a route is a read that takes what this module speaks of and no more."""
    if route.methods != {"GET"} or get_type_hints(route.endpoint)["return"] is not Response:
        return False
    takes = route.dependant
    return (
        _said(takes) <= _OF_ENDPOINT
        and [_said(each) for each in takes.dependencies] == [_OF_DEPENDENCY]
        and iscoroutinefunction(takes.dependencies[0].call)
        and all(_kind(each) is UUID for each in takes.path_params)
        and all(_is_optional(_kind(each)) for each in takes.query_params)
    )


def _said(dependant: Dependant) -> set[str]:
    """Return what the framework knows of a function's parameters, by its own names."""
    return {each.name for each in fields(dependant) if getattr(dependant, each.name)}


def _kind(field: Any) -> Any:
    return field.field_info.annotation


def _is_optional(kind: Any) -> bool:
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return is_model and not any(each.is_required() for each in kind.model_fields.values())
