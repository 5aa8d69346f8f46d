"""What happens around every request: its id, its log line, its size limit, safe headers.

One pure ASGI layer: each further one costs every request (``docs/performance.md``).
"""

import math
import time
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vek1_api.core import context, metrics, problems
from vek1_api.core.errors import PayloadTooLargeError
from vek1_api.core.logging import REQUESTS

FORM_OVERHEAD_BYTES = 1024 * 1024
"""What a multipart form may have besides its file."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
"""Of every answer, unless it says otherwise."""

_QUIET = ("/health/", "/metrics")
_WEBHOOKS = "/webhooks/"


class RequestEnvelope:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, max_import_bytes: int) -> None:
        """Refuse bodies over ``max_body_bytes`` before they are read; imports may be larger.

        A webhook has no limit here: its sender drops for good what is answered 4xx, so its
        route reads what it wants of any body. Nor do senders follow a redirect for a slash,
        and some look with GET or HEAD whether anybody is there.
        """
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._max_import_bytes = max_import_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = context.sane_request_id(headers.get(b"x-request-id"))
        context.request_id.set(request_id)
        path = scope["path"]
        is_webhook = path.startswith(_WEBHOOKS)
        limit = self._limit(path)
        if is_webhook and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/")}
        exchange = _Exchange(scope, receive, send, request_id, limit)
        if scope["method"] == "HEAD":
            # Wherever there is GET there is HEAD (RFC 9110, section 9.1).
            scope = {**scope, "method": "GET"}
        declared = headers.get(b"content-length", b"0")
        if is_webhook and scope["method"] == "GET":
            await Response()(scope, receive, exchange.send)
        elif declared.isdigit() and int(declared) > limit:
            refusal = problems.problem(PayloadTooLargeError("The body is too large."))
            await refusal(scope, receive, exchange.send)
        else:
            await self._serve(scope, exchange)
        exchange.log()

    def _limit(self, path: str) -> float:
        if path.startswith(_WEBHOOKS):
            return math.inf
        is_import = path.endswith("/import")
        return self._max_import_bytes if is_import else self._max_body_bytes

    async def _serve(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if exchange.has_begun:
                raise
            # Here and not further out, so that this answer too has its headers and log line.
            answer = await problems.on_unexpected_error(Request(scope), error)
            await answer(scope, exchange.receive, exchange.send)


class _Exchange:
    """Counts what comes, adds the headers of every answer, and keeps what the log needs."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, max_bytes: float
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = request_id
        # Of a body whose length was not declared.
        self._bytes_left = max_bytes
        self._is_head = scope["method"] == "HEAD"
        self._status = 0
        self._began = time.perf_counter()

    async def receive(self) -> Message:
        message = await self._receive()
        self._bytes_left -= len(message.get("body", b""))
        if self._bytes_left < 0:
            # Starlette's own: any other error while a body is read becomes a 400.
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."
            )
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # ASGI demands names in lower case.
            given = message["headers"]
            names = {name for name, _ in given}
            ours = [header for header in _HEADERS if header[0] not in names]
            request_id = (b"x-request-id", self._request_id.encode())
            message = {**message, "headers": [*given, *ours, request_id]}
        if self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    @property
    def has_begun(self) -> bool:
        return self._status != 0

    def log(self) -> None:
        method, path = self._scope["method"], self._scope["path"]
        # Paths that are no route of ours share a label: anybody can make up any number.
        route = getattr(self._scope.get("route"), "path", None) or "none"
        seconds = time.perf_counter() - self._began
        metrics.count_request(method, route, self._status, seconds)
        if not path.startswith(_QUIET):
            REQUESTS.served(method, route, self._status, round(seconds * 1000, 1))
