"""What happens around every request: its id, its log line, its size limit, safe headers.

One pure ASGI layer: each further one costs every request (``docs/performance.md``).
"""

import time
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vek1_api.core import context, metrics, problems
from vek1_api.core.errors import PayloadTooLargeError

FORM_OVERHEAD_BYTES = 1024 * 1024
"""What a multipart form may have besides its file."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_QUIET = ("/health/", "/metrics")

log = structlog.get_logger()


class RequestEnvelope:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        """Refuse bodies over ``max_body_bytes`` before they are read."""
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = context.sane_request_id(headers.get("x-request-id"))
        context.request_id.set(request_id)
        envelope = _Answering(scope, send, request_id)
        if scope["method"] == "HEAD":
            # Wherever there is GET there is HEAD (RFC 9110, section 9.1).
            scope = {**scope, "method": "GET"}
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._max_body_bytes:
            refusal = problems.problem(PayloadTooLargeError("The body is too large."))
            await refusal(scope, receive, envelope.send)
        else:
            limited = _Limited(receive, self._max_body_bytes)
            await self._serve(scope, limited.receive, envelope)
        envelope.log()

    async def _serve(self, scope: Scope, receive: Receive, envelope: "_Answering") -> None:
        try:
            await self._app(scope, receive, envelope.send)
        except Exception as error:
            if envelope.has_begun:
                raise
            # Here and not further out, so that this answer too has its headers and log line.
            answer = await problems.on_unexpected_error(Request(scope), error)
            await answer(scope, receive, envelope.send)


class _Answering:
    """Adds the headers of every answer, and remembers what the log line needs."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id
        self._is_head = scope["method"] == "HEAD"
        self._status = 0
        self._began = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
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
        metrics.REQUESTS.labels(method, route, self._status).inc()
        metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)
        if not path.startswith(_QUIET):
            log.info(
                "request",
                method=method,
                route=route,
                status=self._status,
                milliseconds=round(seconds * 1000, 1),
            )


class _Limited:
    """Counts a body whose length was not declared."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._left = max_bytes

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            # Starlette's own: any other error while a body is read becomes a 400.
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."
            )
        return message
