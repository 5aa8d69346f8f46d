"""Where errors become answers: one shape, ``application/problem+json`` (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import asyncpg
import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException as StarletteHTTPException

from vek1_api.core import context
from vek1_api.core.embedding import EmbeddingError
from vek1_api.core.errors import (
    FieldError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    UnavailableError,
    UnknownPathError,
    UnsupportedMediaTypeError,
    ValidationFailedError,
    Vek1Error,
)
from vek1_api.core.storage import StorageError

MEDIA_TYPE = "application/problem+json"
MAX_SHOWN_ERRORS = 100

log = structlog.get_logger()


class ProblemField(BaseModel):
    """One thing that is wrong with the input."""

    pointer: str = Field(description="JSON pointer to the value.", examples=["/name"])
    code: str = Field(examples=["string_too_short"])
    message: str = Field(examples=["String should have at least 1 character"])


class Problem(BaseModel):
    """What every error looks like."""

    type: str = Field(examples=["urn:vek1:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No store of yours has this id."])
    code: str = Field(description="Stable; switch on this.", examples=["not_found"])
    request_id: str | None
    errors: list[ProblemField] | None = Field(
        None, description="With `validation_failed`: every value that is wrong."
    )


def problem(error: Vek1Error) -> Response:
    """Return the answer for an error of ours."""
    body: dict[str, Any] = {
        "type": f"urn:vek1:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": context.request_id.get(),
    }
    if error.errors:
        body["errors"] = error.errors[:MAX_SHOWN_ERRORS]
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="vek1"'
    return Response(orjson.dumps(body), error.status, headers, MEDIA_TYPE)


async def on_vek1_error(_request: Request, error: Exception) -> Response:
    """Answer an error of ours."""
    assert isinstance(error, Vek1Error)
    return problem(error)


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Answer what FastAPI could not read (400, or 404 for an id that is none) or accept (422)."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(_is_unknown(request, item) for item in found):
        return problem(NotFoundError("resource"))
    if any(item["type"] == "json_invalid" for item in found):
        return problem(MalformedRequestError("The body is not valid JSON."))
    if any(item["loc"] == ("body",) for item in found) and not _has_json(request):
        return problem(UnsupportedMediaTypeError("Send `Content-Type: application/json`."))
    fields = [field_error(item, item["loc"]) for item in found]
    count = f"{len(fields)} values are" if len(fields) > 1 else "One value is"
    return problem(
        ValidationFailedError(f"{count} not valid; see `errors`.", errors=fields)
    )


async def on_framework_error(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: no such path, no such method, a broken form."""
    assert isinstance(error, StarletteHTTPException)
    refused = _framework_problem(error.status_code, str(error.detail))
    response = problem(refused)
    response.headers.update(error.headers or {})
    if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_allowed(request))
    return response


async def on_database_error(_request: Request, error: Exception) -> Response:
    """Answer 503 when the database is down, busy or too slow; nothing was changed."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    if _is_passing(cause):
        log.warning("database_unavailable", error=type(cause).__name__)
        message = "The database is busy or down; nothing was changed. Try again."
        return problem(UnavailableError(message, retry_after_seconds=2))
    return await on_unexpected_error(_request, error)


async def on_storage_error(_request: Request, error: Exception) -> Response:
    """Answer 503 when the object store is down; nothing was changed."""
    log.warning("storage_unavailable", reason=str(error))
    message = "The object store is down; nothing was changed. Try again."
    return problem(UnavailableError(message, retry_after_seconds=5))


async def on_embedding_error(_request: Request, error: Exception) -> Response:
    """Answer 503 when a text cannot be embedded now; the log says why, never which text."""
    assert isinstance(error, EmbeddingError)
    log.warning("embedding_unavailable", error=type(error).__name__, reason=error.reason)
    return problem(error)


async def on_unexpected_error(_request: Request, error: Exception) -> Response:
    """Answer 500 without a word on internals; the log has them."""
    log.error("unexpected_error", exc_info=error)
    return problem(Vek1Error("Something went wrong on our side; the log has the details."))


def install(app: FastAPI) -> None:
    """Make every error of the app leave in the one shape."""
    app.add_exception_handler(Vek1Error, on_vek1_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(StarletteHTTPException, on_framework_error)
    for kind in (
        DBAPIError,
        PoolTimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
        TimeoutError,
    ):
        app.add_exception_handler(kind, on_database_error)
    app.add_exception_handler(StorageError, on_storage_error)
    app.add_exception_handler(EmbeddingError, on_embedding_error)
    app.add_exception_handler(Exception, on_unexpected_error)


def responses(*errors: type[Vek1Error]) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of these errors for a route; same statuses share one entry."""
    by_status: dict[int | str, list[type[Vek1Error]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: documentation(classes) for status, classes in by_status.items()}


def documentation(classes: Sequence[type[Vek1Error]]) -> dict[str, Any]:
    """Return the OpenAPI response of errors that share a status."""
    lines = [f"`{error.code}`: {(error.__doc__ or '').strip()}" for error in classes]
    examples = {
        error.code: {
            "value": {
                "type": f"urn:vek1:problem:{error.code}",
                "title": error.title,
                "status": error.status,
                "detail": (error.__doc__ or "").strip(),
                "code": error.code,
                "request_id": "5f0c0e6e2b7b4a0f9d1f3f0a2f6d8c11",
            }
        }
        for error in classes
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": "  \n".join(lines), "content": {MEDIA_TYPE: content}}


def field_error(item: Mapping[str, Any], location: Sequence[object]) -> FieldError:
    """Return one of Pydantic's errors as ours; ``location`` starts with the part it is in."""
    where, *path = location
    parts = path if where == "body" else [where, *path]
    pointer = "".join(f"/{escaped(part)}" for part in parts)
    return FieldError(pointer, item["type"], item["msg"].removeprefix("Value error, "))


def _is_unknown(request: Request, item: Mapping[str, Any]) -> bool:
    """Return whether a part of the path is no id at all, which exists as little as others.

    A ``PUT`` may make what its path names, so it is told what a name must be.
    """
    is_name = request.method == "PUT" and item["type"] != "uuid_parsing"
    return item["loc"][0] == "path" and not is_name


def _has_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def escaped(part: object) -> str:
    """Return a part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _framework_problem(status: int, detail: str) -> Vek1Error:
    match status:
        case HTTPStatus.NOT_FOUND:
            return UnknownPathError()
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowedError(
                "This path does not take this method; see `Allow`."
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return PayloadTooLargeError(detail)
        case _:
            return MalformedRequestError(detail)


def _allowed(request: Request) -> list[str]:
    """Return the methods of a path; the framework knows those of its first route only."""
    found: set[str] = set()
    for template, operations in request.app.openapi()["paths"].items():
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, request.url.path):
            found |= {method.upper() for method in operations}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def _is_passing(error: BaseException | None) -> bool:
    passing = (
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        asyncpg.OperatorInterventionError,
        asyncpg.LockNotAvailableError,
        asyncpg.DeadlockDetectedError,
        asyncpg.InsufficientResourcesError,
        PoolTimeoutError,
        OSError,
        TimeoutError,
    )
    return isinstance(error, passing)
