"""One call to AbacatePay over the shared connections, bounded in time and size."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import anyio
import httpx
import orjson
from pydantic import SecretStr

from vek1_api.abacatepay.errors import AbacatePayError, refusal, unreadable

_LARGEST_ANSWER = 1024 * 1024
_KEY = re.compile(r"[\x21-\x7e]{1,512}")
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, for bytes, for the whole answer, and between tries."""

    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    whole_seconds: float = 20.0
    attempts: int = 3
    first_wait_seconds: float = 0.3
    longest_wait_seconds: float = 10.0

    def wait_seconds(self, failures: int, asked_for: int | None) -> float:
        """Return what the server asked for, else twice as long each time, with jitter."""
        if asked_for is not None:
            return asked_for
        longest = min(self.first_wait_seconds * 2.0**failures, self.longest_wait_seconds)
        return longest * random.uniform(0.7, 1.0)  # noqa: S311 - Jitter is no secret.


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, with which key; ``private`` texts never appear in an error."""

    key: SecretStr = field(repr=False)
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)


def is_worth_another_try(error: AbacatePayError) -> bool:
    """For what changes nothing there."""
    return error.is_retryable


def was_not_sent(error: AbacatePayError) -> bool:
    """For what must not happen twice."""
    return error.is_retryable and error.code == "not_sent"


class Transport:
    """Sends calls. Nothing of one call (cookies above all) is carried into another."""

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        patience: Patience,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._base_url = f"{base_url.rstrip('/')}/v2"
        self._http = http
        self._patience = patience
        self._sleep = sleep

    async def ask(
        self, call: Call, again: Callable[[AbacatePayError], bool]
    ) -> Mapping[str, Any]:
        """Return the envelope of a good answer, or raise ``AbacatePayError``."""
        for failures in range(self._patience.attempts - 1):
            try:
                return await self._ask_once(call)
            except AbacatePayError as error:
                seconds = self._patience.wait_seconds(failures, error.retry_after_seconds)
                if not again(error) or seconds > self._patience.longest_wait_seconds:
                    raise
            await self._sleep(seconds)
        return await self._ask_once(call)

    async def _ask_once(self, call: Call) -> Mapping[str, Any]:
        status, headers, body = await self._exchange(self._request(call))
        private = (call.key.get_secret_value(), *call.private)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(status, body, headers.get("retry-after", ""), private)
        if status == HTTPStatus.NO_CONTENT:
            return {}
        try:
            envelope = orjson.loads(body)
        except orjson.JSONDecodeError:
            envelope = None
        if not isinstance(envelope, dict):
            raise unreadable(status, "the answer is no JSON object")
        # ``success`` is an object in some of their examples: only a plain no is a no.
        if envelope.get("success") is False or envelope.get("error"):
            raise refusal(status, body, private=private)
        return envelope

    def _request(self, call: Call) -> httpx.Request:
        key = call.key.get_secret_value()
        if not _KEY.fullmatch(key):
            message = "the key has characters that no key has"
            raise AbacatePayError(None, "malformed_key", message)
        headers = {
            "authorization": f"Bearer {key}",
            "accept": "application/json",
            "accept-encoding": "identity",  # What is bounded is what is read.
            "user-agent": "vek1-api",
        }
        if call.body is not None:
            headers["content-type"] = "application/json"
        seconds = self._patience
        timeout = httpx.Timeout(
            seconds.read_seconds,
            connect=seconds.connect_seconds,
            pool=seconds.connect_seconds,
        )
        # Made without the shared client, whose cookies and headers would come along.
        return httpx.Request(
            call.method,
            f"{self._base_url}/{call.path}",
            params=dict(call.query),
            headers=headers,
            content=None if call.body is None else orjson.dumps(call.body),
            extensions={"timeout": timeout.as_dict()},
        )

    async def _exchange(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        """Return status, headers and body; the errors of httpx hold the key, so none is kept."""
        try:
            async with asyncio.timeout(self._patience.whole_seconds):
                return await self._bounded(request)
        except _NOT_SENT as error:
            is_setup = isinstance(
                error, httpx.UnsupportedProtocol | httpx.LocalProtocolError
            )
            failure = AbacatePayError(
                None, "not_sent", "no connection", is_retryable=not is_setup
            )
        except (httpx.RequestError, httpx.StreamError, TimeoutError) as error:
            said = f"no whole answer ({type(error).__name__})"
            failure = AbacatePayError(
                None, "no_answer", said, is_retryable=True, is_uncertain=True
            )
        raise failure

    async def _bounded(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        answer = await self._http.send(
            request, stream=True, follow_redirects=False, auth=None
        )
        try:
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > _LARGEST_ANSWER:
                    raise AbacatePayError(
                        answer.status_code,
                        "answer_too_large",
                        "the answer is larger than 1 MiB",
                        is_uncertain=True,
                    )
        finally:
            await answer.aclose()
        return answer.status_code, answer.headers, bytes(body)
