"""From what a service returns to what leaves: bytes, status, validators."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from vek1_api.core.idempotency import Recorded
from vek1_api.core.preconditions import is_known
from vek1_api.core.representation import Json, etag

JSON = "application/json"
_JSON_HEADER = (b"content-type", JSON.encode())


class JsonResponse(Response):
    """JSON that is bytes already; its headers are written once, which Starlette does twice."""

    def __init__(self, data: bytes, tag: str | None = None) -> None:
        self.status_code = HTTPStatus.OK
        self.background = None
        self.body = data
        self.raw_headers = [(b"content-length", b"%d" % len(data)), _JSON_HEADER]
        if tag is not None:
            self.raw_headers.append((b"etag", tag.encode()))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a write: its status and its representation, if it has one."""

    status: int
    body: Json | None = None
    has_etag: bool = True

    def recorded(self) -> Recorded:
        """Return it as the bytes and headers that will leave."""
        if self.body is None:
            return Recorded(self.status, {}, b"")
        data = self.body.encode()
        headers = {"ETag": etag(data)} if self.has_etag else {}
        return Recorded(self.status, headers, data)


def respond(answer: Recorded, *, replayed: bool = False) -> Response:
    """Return the response of a write."""
    headers = answer.headers | ({"Idempotency-Replayed": "true"} if replayed else {})
    media_type = JSON if answer.body else None
    return Response(answer.body, answer.status, headers, media_type)


def one(request: Request, body: Json) -> Response:
    """Return a single resource with its ``ETag``, or 304 if the caller has it already."""
    data = body.encode()
    tag = etag(data)
    known = request.headers.get("if-none-match")
    if known is not None and is_known(known, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return JsonResponse(data, tag)


def page(data: bytes) -> Response:
    """Return a list."""
    return JsonResponse(data)
