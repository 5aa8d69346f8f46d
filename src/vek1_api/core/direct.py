"""Answering plain requests without the framework's solver.

FastAPI works out for every request anew what its endpoint takes, which costs as much as a
small query does (``docs/performance.md``). What most of ours take is known beforehand: ids from
the path, filters from the query, one model as body, a dependency or two. A request without a
query goes straight to its endpoint. Whatever is not entirely as expected goes through the
framework from its start, so that every refusal of a request is the framework's own.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any, cast, get_type_hints
from uuid import UUID

from fastapi.dependencies.models import Dependant
from fastapi.params import Body
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""An id as we write it; the framework knows more spellings."""

_OF_DEPENDENCY = {"name", "call", "request_param_name", "use_cache", "path"}
_OF_ENDPOINT = {
    "path_params",
    "query_params",
    "body_params",
    "dependencies",
    "call",
    "use_cache",
    "path",
    "scope",
}


def app_of(route: APIRoute) -> ASGIApp:
    """Return what answers for a route: its endpoint itself, where that will do."""
    return _Direct(route).serve if _is_plain(route) else route.handle


class _UnexpectedError(Exception):
    """The framework is to judge this request."""


class _Direct:
    """A plain route's endpoint, and what it takes."""

    def __init__(self, route: APIRoute) -> None:
        takes = route.dependant
        self._framework = route.handle
        self._endpoint: Any = route.endpoint
        self._dependencies = [
            (str(each.name), cast("Any", each.call)) for each in takes.dependencies
        ]
        self._filters = _models(takes.query_params)
        self._bodies = _models(takes.body_params)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = await _whole(receive) if self._bodies else []
        request = Request(scope, _again(arrived, receive), send)
        try:
            values = await self._values(request, arrived)
        except _UnexpectedError:
            await self._framework(scope, _again(arrived, receive), send)
            return
        response = await self._endpoint(**values)
        await response(scope, receive, send)

    async def _values(self, request: Request, arrived: Sequence[Message]) -> dict[str, Any]:
        """Return what the endpoint takes; as in the framework, who asks comes before what."""
        ids = request.scope["path_params"]
        if request.scope["query_string"] or not all(map(_ID.fullmatch, ids.values())):
            raise _UnexpectedError
        sent = _json(request, arrived) if arrived else None
        values: dict[str, Any] = {}
        for name, call in self._dependencies:
            values[name] = await call(request)
        for name, text in ids.items():
            values[name] = UUID(text)
        for name, filters in self._filters:
            values[name] = filters()
        for name, model in self._bodies:
            try:
                values[name] = model.model_validate(sent)
            except ValueError as error:
                raise _UnexpectedError from error
        return values


async def _whole(receive: Receive) -> list[Message]:
    """Return what a body arrives in, to its end or to that of the connection."""
    arrived = [await receive()]
    while arrived[-1].get("more_body"):
        arrived.append(await receive())
    return arrived


def _again(arrived: Sequence[Message], receive: Receive) -> Receive:
    """Return what tells once more what has arrived already."""
    if not arrived:
        return receive
    waiting = iter(arrived)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return again


def _json(request: Request, arrived: Sequence[Message]) -> Any:
    is_cut_off = arrived[-1]["type"] != "http.request"
    if is_cut_off or request.headers.get("content-type") != "application/json":
        raise _UnexpectedError
    try:
        return json.loads(b"".join([each.get("body", b"") for each in arrived]))
    except (ValueError, RecursionError) as error:
        raise _UnexpectedError from error


def _is_plain(route: APIRoute) -> bool:
    """Return whether a route takes what this module speaks of, and no more."""
    takes = route.dependant
    return (
        get_type_hints(route.endpoint)["return"] is Response
        and _said(takes) <= _OF_ENDPOINT
        and takes.dependencies != []
        and all(_said(each) == _OF_DEPENDENCY for each in takes.dependencies)
        and all(iscoroutinefunction(each.call) for each in takes.dependencies)
        # What one dependency has read of a body, the framework could not read again.
        and (len(takes.dependencies) == 1 or not takes.body_params)
        and all(_kind(each) is UUID for each in takes.path_params)
        and all(_is_model(each) and not _demands(each) for each in takes.query_params)
        and len(takes.body_params) <= 1
        and all(_is_model(each) and _is_json(each) for each in takes.body_params)
    )


def _said(dependant: Dependant) -> set[str]:
    """Return what the framework knows of a function's parameters, by its own names."""
    return {each.name for each in fields(dependant) if getattr(dependant, each.name)}


def _models(params: Iterable[Any]) -> list[tuple[str, type[BaseModel]]]:
    return [(each.name, _kind(each)) for each in params]


def _kind(param: Any) -> Any:
    return param.field_info.annotation


def _is_model(param: Any) -> bool:
    return isinstance(_kind(param), type) and issubclass(_kind(param), BaseModel)


def _demands(param: Any) -> bool:
    return any(each.is_required() for each in _kind(param).model_fields.values())


def _is_json(param: Any) -> bool:
    info = param.field_info
    return (
        type(info) is Body and not info.embed and not info.metadata and info.is_required()
    )
