"""The page that shows the OpenAPI document, with no internet: Swagger UI from our own package.

The assets' address holds the digest of all of them, so that a browser may keep them for ever
and still never shows an old page with a new document.
"""

import gzip
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from threading import Lock

import orjson
from fastapi import FastAPI, Request, Response
from starlette.responses import RedirectResponse

from vek1_api.core.errors import NotFoundError
from vek1_api.core.preconditions import matches
from vek1_api.core.representation import etag

MEDIA_TYPES = {
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "favicon.svg": "image/svg+xml",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}
"""What a browser may fetch; the rest of the folder is for people."""

# React sets styles through the DOM, which a policy allows; nothing inline is needed.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOR_EVER = "public, max-age=31536000, immutable"
_FOLDER = files("vek1_api.core") / "docs_assets"


def install(app: FastAPI) -> None:
    """Add ``/docs``, its assets and ``/openapi.json`` to the app."""
    building = Lock()

    @cache
    def document() -> tuple[bytes, bytes, str]:
        data = orjson.dumps(app.openapi())
        return data, gzip.compress(data, mtime=0), etag(data)

    # These are plain functions: they run in a thread, away from the event loop.
    def get_document(request: Request) -> Response:
        with building:
            data, zipped, tag = document()
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        known = request.headers.get("if-none-match")
        if known is not None and matches(known, tag):
            return Response(status_code=304, headers=headers)
        return _compressed(request, data, zipped, "application/json", headers)

    app.add_route("/openapi.json", get_document, include_in_schema=False)
    app.add_route("/docs", _get_page, include_in_schema=False)
    app.add_route("/docs/{digest}/{name}", _get_asset, include_in_schema=False)
    app.add_route("/", _get_root, include_in_schema=False)


def _get_root(_request: Request) -> Response:
    return RedirectResponse("docs", 307)


def _get_page(_request: Request) -> Response:
    page = _read("index.html").replace(b"{{digest}}", _digest().encode())
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response(page, headers=headers, media_type="text/html")


def _get_asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in MEDIA_TYPES or request.path_params["digest"] != _digest():
        raise NotFoundError(kind="path")
    headers = {"Cache-Control": FOR_EVER}
    return _compressed(request, _read(name), _zipped(name), MEDIA_TYPES[name], headers)


def _compressed(
    request: Request, data: bytes, zipped: bytes, media_type: str, headers: dict[str, str]
) -> Response:
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(zipped, headers=headers, media_type=media_type)
    return Response(data, headers=headers, media_type=media_type)


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def _zipped(name: str) -> bytes:
    return gzip.compress(_read(name), mtime=0)


@cache
def _digest() -> str:
    content = blake2b(digest_size=8)
    for name in MEDIA_TYPES:
        content.update(_read(name))
    return content.hexdigest()
