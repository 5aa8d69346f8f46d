"""The OpenAPI document: FastAPI's own, with what every operation shares said once.

Each operation gets the errors that any request can meet, the credentials that its path takes,
and the headers of ``api.md`` section 2. ``core/docs`` shows it.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from vek1_api.core.errors import (
    ActorRequiredError,
    ForbiddenError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
    MalformedRequestError,
    PayloadTooLargeError,
    UnauthenticatedError,
    UnavailableError,
    ValidationFailedError,
    Vek1Error,
)
from vek1_api.core.problems import MEDIA_TYPE, Problem, documentation

DESCRIPTION = """\
The backend behind AI agents that sell for small Brazilian merchants on WhatsApp and the web.

* **Credentials**: the front end and the agent runtime send a service token and
  `X-Actor-User-Id`; a person sends a Better Auth session. What belongs to another company
  answers `404`, like what does not exist.
* **Errors** are `application/problem+json` (RFC 9457); switch on `code`.
* **Lists** are keyset pages: follow `next_cursor` until it is null.
* **Idempotency**: every `POST` takes `Idempotency-Key`; the same key and request get the first
  answer again, byte for byte, with `Idempotency-Replayed: true`.
* **Concurrency**: single resources carry an `ETag`; `PATCH` and `DELETE` honour `If-Match`.
* Money is in cents (`*_cents`), timestamps are RFC 3339 in UTC with `Z`.
"""

TAGS = [
    {"name": "Company", "description": "The tenant: one company for each user."},
    {"name": "Stores", "description": "What agents, documents and orders hang on."},
    {"name": "Agents", "description": "The personas that sell."},
    {"name": "Knowledge base", "description": "Documents, and finding answers in them."},
    {"name": "Audit", "description": "What happened, by whom."},
    {"name": "Operations", "description": "Health, metrics, the job queue."},
]

_SECURITY = {
    "/v1/": [
        {"serviceToken": [], "actorUserId": []},
        {"serviceToken": []},
        {"sessionCookie": []},
    ],
    "/internal/": [{"serviceToken": []}],
    "/metrics": [{"opsToken": []}],
    "/ops/": [{"opsToken": []}],
}
_SCHEMES = {
    "serviceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A service token, together with `X-Actor-User-Id`; or the token of a "
        "Better Auth session, alone.",
    },
    "actorUserId": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Actor-User-Id",
        "description": "Better Auth's `user.id` of the person for whom the front end calls.",
    },
    "sessionCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "better-auth.session_token",
        "description": "Better Auth's signed session cookie.",
    },
    "opsToken": {"type": "http", "scheme": "bearer", "description": "The ops token."},
}
_ANY_REQUEST = (Vek1Error, UnavailableError, ValidationFailedError, PayloadTooLargeError)
_CREDENTIALS = (UnauthenticatedError, ActorRequiredError, ForbiddenError)
_BODY = (MalformedRequestError,)
_KEYED = (IdempotencyInProgressError, IdempotencyKeyReusedError)


def install(app: FastAPI) -> None:
    """Make the app describe itself so; the document is built once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="Stores, agents and knowledge that sell.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
    )
    components = document["components"]
    components["schemas"] |= _problem_schemas()
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    security = next((value for key, value in _SECURITY.items() if path.startswith(key)), [])
    operation["security"] = security
    errors: list[type[Vek1Error]] = list(_ANY_REQUEST)
    if security:
        errors += _CREDENTIALS
    if "requestBody" in operation:
        errors += _BODY
    parameters = operation.setdefault("parameters", [])
    if method == "post" and security:
        errors += _KEYED
        parameters.append(_header("Idempotency-Key", "The same key has one effect.", 255))
    if method in {"patch", "delete"}:
        parameters.append(_header("If-Match", "Change only this version (an `ETag`).", 512))
    if method == "get" and _is_single(operation):
        parameters.append(_header("If-None-Match", "Answer 304 for this `ETag`.", 512))
        operation["responses"]["304"] = {"description": "The caller has this version."}
    _add_errors(operation["responses"], errors)


def _add_errors(responses: dict[str, Any], errors: list[type[Vek1Error]]) -> None:
    responses.pop("422", None) if _is_default_422(responses) else None
    by_status: dict[str, list[type[Vek1Error]]] = {}
    for error in errors:
        by_status.setdefault(str(error.status), []).append(error)
    for status, classes in by_status.items():
        shared = documentation(classes)
        own = responses.get(status)
        if own is None:
            responses[status] = shared
            continue
        own["description"] += "  \n" + shared["description"]
        content = own["content"].setdefault(MEDIA_TYPE, shared["content"][MEDIA_TYPE])
        content["examples"] = (
            shared["content"][MEDIA_TYPE]["examples"] | content["examples"]
        )


def _is_single(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return bool(operation["security"]) and not str(schema.get("$ref")).endswith("Page")


def _is_default_422(responses: dict[str, Any]) -> bool:
    return "application/json" in responses.get("422", {}).get("content", {})


def _header(name: str, description: str, max_length: int) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": max_length},
    }


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}
