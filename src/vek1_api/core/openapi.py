"""The OpenAPI document: FastAPI's own, with what every operation shares said once.

Each operation gets a summary from its docstring, the errors that any request can meet, the
credentials that its path takes, the headers of ``api.md`` section 2, and examples of what is
sent and answered. ``core/docs`` shows it.
"""

import re
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
    UnsupportedMediaTypeError,
    ValidationFailedError,
    Vek1Error,
)
from vek1_api.core.openapi_bodies import (
    define_own_bodies,
    forget_defaults_of_patches,
    operations,
    with_parts,
)
from vek1_api.core.openapi_examples import Examples
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
    {"name": "Catalogue", "description": "Products, their files, and CSV in and out."},
    {"name": "Stock and ERPs", "description": "The ledger of stock; ERPs in and out."},
    {"name": "Leads", "description": "Who may buy, and what is remembered of them."},
    {"name": "Privacy", "description": "A copy of a person's data; their erasure (LGPD)."},
    {"name": "Conversations", "description": "What was said, by whom and when."},
    {"name": "Orders", "description": "What was bought, and how far it is."},
    {"name": "Payments", "description": "How money reaches an order, and goes back."},
    {"name": "Audit", "description": "What happened, by whom."},
    {"name": "Operations", "description": "Health, metrics, the job queue."},
]

_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "/v1/": [
        {"serviceToken": [], "actorUserId": []},
        {"sessionToken": []},
        {"sessionCookie": []},
    ],
    "/internal/": [{"serviceToken": []}, {"serviceToken": [], "actorUserId": []}],
    "/webhooks/abacatepay/": [{"webhookSecret": []}, {"webhookSecretInAddress": []}],
    "/erp/": [{"erpSignature": []}, {"erpSecret": []}],
    "/metrics": [{"opsToken": []}],
    "/ops/": [{"opsToken": []}],
}
_SCHEMES = {
    "serviceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A service token. Under `/v1` it goes with `actorUserId`.",
    },
    "actorUserId": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Actor-User-Id",
        "description": "Better Auth's `user.id` of the person for whom the front end calls.",
    },
    "sessionToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a Better Auth session, alone.",
    },
    "sessionCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "better-auth.session_token",
        "description": "Better Auth's signed session cookie, or its `__Secure-` twin; a "
        "browser sends it by itself.",
    },
    "webhookSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Webhook-Secret",
        "description": "The webhook secret of a store, as AbacatePay sends it.",
    },
    "webhookSecretInAddress": {
        "type": "apiKey",
        "in": "query",
        "name": "webhookSecret",
        "description": "The same secret in the address; where both are sent, both count.",
    },
    "erpSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "A Standard Webhooks signature with the store's inbound secret, beside "
        "`webhook-id` and `webhook-timestamp`.",
    },
    "erpSecret": {
        "type": "http",
        "scheme": "bearer",
        "description": "The store's inbound secret itself, for an ERP that cannot sign.",
    },
    "opsToken": {"type": "http", "scheme": "bearer", "description": "The ops token."},
}
_ANY_REQUEST = (Vek1Error, UnavailableError, ValidationFailedError, PayloadTooLargeError)
_CREDENTIALS = (UnauthenticatedError, ActorRequiredError, ForbiddenError)
_PROOF = (UnauthenticatedError,)
_BODY = (MalformedRequestError, UnsupportedMediaTypeError)
_WEBHOOKS = "/webhooks/"
"""Paths of senders who know nothing of our headers and codes."""
_KEYED = (IdempotencyInProgressError, IdempotencyKeyReusedError)

_JSON = "application/json"
_WITHOUT_ETAG = ("Page", "Link", "Result")
_BREAK = "  \n"
_UNDESCRIBED = "Successful Response"
_SENTENCE = re.compile(r"(?<=\.)\s+")


def install(app: FastAPI) -> None:
    """Make the app describe itself so; the document is built once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    own = {tag["name"]: tag for tag in app.openapi_tags or ()}  # At a domain's own length.
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="Stores, agents and knowledge that sell.",
        description=DESCRIPTION,
        routes=app.routes,
        webhooks=app.webhooks.routes,
        tags=[tag | own.get(tag["name"], {}) for tag in TAGS],
    )
    components = document["components"]
    schemas = components["schemas"]
    schemas |= with_parts(Problem)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    define_own_bodies(document)
    forget_defaults_of_patches(document)
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = _SCHEMES
    examples = Examples(schemas)
    for path, method, operation in operations(document):
        _complete(path, method, operation)
        _describe_successes(operation["responses"], schemas)
        _add_examples(operation, examples)
    for methods in document["webhooks"].values():
        for operation in methods.values():
            _split_docstring(operation)
            # Whoever takes it answers as they please.
            operation["responses"] = {"2XX": {"description": "Taken."}}
            _add_examples(operation, examples)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    security = next((value for key, value in _SECURITY.items() if path.startswith(key)), [])
    operation["security"] = security
    _split_docstring(operation)
    responses = operation["responses"]
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            noun = parameter["name"].removesuffix("_id").replace("_", " ")
            parameter.setdefault("description", f"The id of the {noun}.")
    errors: list[type[Vek1Error]] = list(_ANY_REQUEST)
    is_webhook = path.startswith(_WEBHOOKS)
    if security and not is_webhook:
        errors += _PROOF if path.startswith("/erp/") else _CREDENTIALS
    if "requestBody" in operation:
        errors += _BODY
    if method == "post" and security and not is_webhook:
        errors += _KEYED
        parameters.append(_header("Idempotency-Key", "The same key has one effect.", 255))
    if "412" in responses:
        parameters.append(_header("If-Match", "Change only this version (an `ETag`).", 512))
    if method == "get" and _is_single(operation):
        parameters.append(_header("If-None-Match", "Answer 304 for this `ETag`.", 512))
        responses["304"] = {"description": "The caller has this version."}
    _add_errors(responses, errors)
    operation["responses"] = dict(sorted(responses.items()))


def _split_docstring(operation: dict[str, Any]) -> None:
    """Make the first sentence the summary, and leave the rest as the description."""
    first, *rest = _SENTENCE.split(operation.pop("description", ""), maxsplit=1)
    operation["summary"] = " ".join(first.removesuffix(".").split())
    if rest:
        operation["description"] = rest[0]


def _describe_successes(responses: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say what comes back, in the words of its schema."""
    for response in responses.values():
        if response["description"] != _UNDESCRIBED:
            continue
        schema = response.get("content", {}).get(_JSON, {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        response["description"] = schemas.get(name, {}).get("description", "Done.")


def _add_errors(responses: dict[str, Any], errors: list[type[Vek1Error]]) -> None:
    responses.pop("422", None) if _is_default_422(responses) else None
    by_status: dict[str, list[type[Vek1Error]]] = {}
    for error in errors:
        by_status.setdefault(str(error.status), []).append(error)
    for status, classes in by_status.items():
        shared = documentation(classes)
        own = responses.setdefault(status, shared)
        if own is not shared:
            lines = [
                *own["description"].split(_BREAK),
                *shared["description"].split(_BREAK),
            ]
            own["description"] = _BREAK.join(dict.fromkeys(lines))
            _merge_examples(own["content"], shared["content"])


def _merge_examples(own: dict[str, Any], shared: dict[str, Any]) -> None:
    content = own.setdefault(MEDIA_TYPE, shared[MEDIA_TYPE])
    content["examples"] = shared[MEDIA_TYPE]["examples"] | content["examples"]


def _add_examples(operation: dict[str, Any], examples: Examples) -> None:
    for body in operation.get("requestBody", {}).get("content", {}).values():
        body.setdefault("example", examples.request(body["schema"]))
    for response in operation["responses"].values():
        for media_type, body in response.get("content", {}).items():
            if media_type == _JSON and "examples" not in body:
                body.setdefault("example", examples.answer(body["schema"]))
            elif media_type == MEDIA_TYPE:
                _name_values(body["examples"])


def _name_values(problems: dict[str, Any]) -> None:
    for problem in problems.values():
        if problem["value"]["code"] == ValidationFailedError.code:
            wrong = {
                "pointer": "/name",
                "code": "string_too_short",
                "message": "String should have at least 1 character",
            }
            problem["value"]["errors"] = [wrong]


def _is_single(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    name = str(content.get(_JSON, {}).get("schema", {}).get("$ref"))
    return (
        _JSON in content
        and bool(operation["security"])
        and not name.endswith(_WITHOUT_ETAG)
    )


def _is_default_422(responses: dict[str, Any]) -> bool:
    return _JSON in responses.get("422", {}).get("content", {})


def _header(name: str, description: str, max_length: int) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": max_length},
    }
