"""One POST to somebody else's server: bounded in time, in what is read, in where it goes."""

import asyncio
import ssl
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Self

import httpx

from vek1_api.core import clock
from vek1_api.core.outbound.targets import (
    Resolve,
    TargetRefusedError,
    checked_addresses,
    checked_url,
    port_of,
    resolve,
)

PATIENCE = timedelta(seconds=10)
"""From the name's lookup to the last byte that is read."""

MAX_ANSWER_BYTES = 4_096
MAX_RETRY_AFTER = timedelta(hours=24)
MAX_ADDRESSES = 4
USER_AGENT = "vek1-webhooks/1"

ERRORS = {
    "status": "The answer was not 2xx.",
    "redirect": "The answer led elsewhere, and is not followed.",
    "timeout": "There was no whole answer in time.",
    "unreachable": "The name has no address, or nothing listens there.",
    "tls": "The certificate is not valid for the name.",
    "broken_answer": "The connection broke, or what came was not HTTP.",
    "target_refused": "The address is one that nothing is sent to.",
}

_COMMON = {
    "content-type": "application/json",
    "user-agent": USER_AGENT,
    "accept-encoding": "identity",
}
_OK, _REDIRECT, _GONE = 200, 300, 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: a status, or the error that there was none."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    """One of ``ERRORS``, or what a caller says where it could not even try."""

    answer: str | None = None
    """The beginning of what the server said; none where all went well."""

    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == _GONE


class Poster:
    """Sends to one address, and keeps connections to it between messages.

    ``async with Poster(url) as poster``. Not through a proxy of the environment: that would
    choose the address itself.
    """

    def __init__(
        self,
        url: str,
        *,
        private_allowed: bool,
        patience: timedelta = PATIENCE,
        resolver: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._private_allowed = private_allowed
        self._patience = patience
        # Connecting, and TLS, which give up in good order: what is cancelled half-way
        # through a handshake keeps its socket for a while.
        self._knock_seconds = patience.total_seconds() * 0.45
        self._resolve = resolver
        self._transport = httpx.AsyncHTTPTransport(
            verify=verify or _tls(), trust_env=False, retries=0
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    async def post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        """Send JSON once and say what came of it; raises nothing."""
        at, began = clock.now(), time.perf_counter()
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                outcome = await self._attempt(at, body, headers)
        except TargetRefusedError as error:
            outcome = Outcome(at, 0, error="target_refused", answer=str(error))
        except (TimeoutError, httpx.TimeoutException):
            outcome = Outcome(at, 0, error="timeout")
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            outcome = Outcome(at, 0, error=_name(error))
        elapsed = time.perf_counter() - began
        return replace(outcome, duration_ms=round(elapsed * 1000))

    async def _attempt(self, at: datetime, body: bytes, headers: dict[str, str]) -> Outcome:
        url = checked_url(self._url, private_allowed=self._private_allowed)
        host = url.raw_host.decode()
        addresses = await checked_addresses(
            host, port_of(url), self._resolve, private_allowed=self._private_allowed
        )
        # The name stays in the Host header, which comes from this URL, and in TLS.
        request = httpx.Request(
            "POST",
            url,
            headers=_COMMON | headers,
            content=body,
            extensions={"sni_hostname": host, "timeout": {"connect": self._knock_seconds}},
        )
        failure = httpx.ConnectError("The name has no address.")
        for address in addresses[:MAX_ADDRESSES]:
            request.url = url.copy_with(host=address)
            try:
                return await self._send(request, at)
            except httpx.ConnectError as error:
                failure = error
        raise failure

    async def _send(self, request: httpx.Request, at: datetime) -> Outcome:
        response = await self._transport.handle_async_request(request)
        try:
            said = await _beginning(response)
        finally:
            await response.aclose()
        status = response.status_code
        if _OK <= status < _REDIRECT:
            return Outcome(at, 0, status)
        return Outcome(
            at,
            0,
            status,
            error="redirect" if response.has_redirect_location else "status",
            answer=said.decode(errors="replace").replace("\x00", "\ufffd"),
            retry_after=retry_after(response.headers.get("retry-after"), at),
        )


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Return how long a server wants to be left alone: seconds or a date, at most a day."""
    if header is None:
        return None
    try:
        wait = (
            timedelta(seconds=int(header))
            if header.strip().isdecimal()
            else parsedate_to_datetime(header) - now
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), MAX_RETRY_AFTER)


async def _beginning(response: httpx.Response) -> bytes:
    """Return as much of an answer as is kept, as it came: nothing is unpacked."""
    said = b""
    async for part in response.aiter_raw():
        said += part
        if len(said) >= MAX_ANSWER_BYTES:
            break
    return said[:MAX_ANSWER_BYTES]


def _name(error: Exception) -> str:
    match error:
        case httpx.ConnectError() if isinstance(_root(error), ssl.SSLError):
            return "tls"
        case httpx.ConnectError() | OSError():
            return "unreachable"
        case _:
            return "broken_answer"


def _root(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return error


@lru_cache
def _tls() -> ssl.SSLContext:
    """Return the trusted authorities, read once: that takes tens of milliseconds."""
    return httpx.create_ssl_context(trust_env=False)
