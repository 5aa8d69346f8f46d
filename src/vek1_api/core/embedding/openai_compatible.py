"""A model behind ``POST …/embeddings``: TEI, vLLM, Infinity, Ollama, OpenAI itself."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import anyio
import httpx
import orjson

from vek1_api.core.embedding.errors import (
    EmbeddingError,
    EmbeddingRefusedError,
    EmbeddingSetupError,
    EmbeddingUnavailableError,
)
from vek1_api.core.embedding.protocol import DEFAULT_MODEL
from vek1_api.core.embedding.texts import BatchLimit, batches, clean
from vek1_api.core.embedding.vectors import Vector, VectorSpace

_LIMIT = BatchLimit(texts=32, characters=65_536)
"""TEI takes 32 texts and 2 MB in one request, unless it is told otherwise."""

_PASSAGE_REQUESTS = 4
_QUERY_REQUESTS = 16
_CONNECT_SECONDS = 5.0
_SHOWN_CHARACTERS = 200

_TRANSIENT = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_CHECK_URL = "check VEK1_EMBEDDING_URL (with its /v1)"
_TO_DO = {
    HTTPStatus.UNAUTHORIZED: "check VEK1_EMBEDDING_API_KEY",
    HTTPStatus.FORBIDDEN: "check VEK1_EMBEDDING_API_KEY",
    HTTPStatus.NOT_FOUND: f"{_CHECK_URL} and VEK1_EMBEDDING_MODEL",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """How often one request is sent, and how long to wait in between."""

    attempts: int = 4
    first_seconds: float = 0.25
    longest_seconds: float = 10.0

    def wait_seconds(self, failures: int, error: EmbeddingUnavailableError) -> float:
        """Return what the server asked for, else twice as long each time, with jitter."""
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        longest = min(self.first_seconds * 2.0 ** (failures - 1), self.longest_seconds)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - Jitter is no secret.


class OpenAICompatibleEmbedder:
    """The model of a server. Passages never use up the requests that queries may make.

    ``url`` is the base address with its ``/v1``. Transport errors, 408, 425, 429 and 5xx
    are tried again; when a server asks for more patience than ``retry`` has, the error
    carries its ``retry_after_seconds``. No proxy is taken from the environment.
    """

    def __init__(
        self,
        url: str,
        model: str = DEFAULT_MODEL,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        retry: Retry = Retry(),
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._space = VectorSpace(model)
        self._url = f"{url.rstrip('/')}/embeddings"
        self._retry = retry
        self._sleep = sleep
        self._passages = anyio.CapacityLimiter(_PASSAGE_REQUESTS)
        self._queries = anyio.CapacityLimiter(_QUERY_REQUESTS)
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    @property
    def model(self) -> str:
        """The name that the server knows the model by, recorded with each vector."""
        return self._space.model

    @property
    def dimensions(self) -> int:
        """The model's own dimension, learnt from the first answer."""
        return self._space.dimensions

    async def ready(self) -> None:
        """Ask the server for one vector, once."""
        await self._ask(["loja"])

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text, in order; a few requests are made at once."""
        work = list(batches([clean(text) for text in texts], _LIMIT))
        try:
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(self._ask_patiently(batch, self._passages))
                    for batch in work
                ]
        except BaseExceptionGroup as failures:
            # The first failure has cancelled the other requests, and says enough.
            raise failures.exceptions[0] from failures
        return [vector for task in asked for vector in task.result()]

    async def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        [vector] = await self._ask_patiently([clean(text)], self._queries)
        return vector

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask_patiently(
        self, texts: list[str], limiter: anyio.CapacityLimiter
    ) -> list[Vector]:
        async with limiter:  # Held while waiting too: a busy server gets fewer requests.
            for failures in range(1, self._retry.attempts):
                try:
                    return await self._ask(texts)
                except EmbeddingUnavailableError as error:
                    seconds = self._retry.wait_seconds(failures, error)
                    if seconds > self._retry.longest_seconds:
                        raise
                await self._sleep(seconds)
            return await self._ask(texts)

    async def _ask(self, texts: list[str]) -> list[Vector]:
        question = {"model": self.model, "input": texts, "encoding_format": "float"}
        try:
            answer = await self._client.post(self._url, json=question)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            reason = f"VEK1_EMBEDDING_URL is not an http address: {error}"
            raise EmbeddingSetupError(reason) from error
        except (httpx.RequestError, httpx.StreamError) as error:
            reason = f"no answer from the embedding server: {error!r}"
            raise EmbeddingUnavailableError(reason) from error
        if not answer.is_success:
            raise _failure(answer)
        return self._space.admit(_rows(answer, len(texts)), texts=len(texts))


def _failure(answer: httpx.Response) -> EmbeddingError:
    status = answer.status_code
    reason = f"the embedding server answered {status}: {_message(answer)}"
    if status in _TRANSIENT or answer.is_server_error:
        # The header's other form, a date, is left to our own patience.
        after = answer.headers.get("retry-after", "")
        seconds = int(after) if after.isdecimal() else None
        return EmbeddingUnavailableError(reason, retry_after_seconds=seconds)
    if status in _TO_DO:
        return EmbeddingSetupError(f"{reason}; {_TO_DO[HTTPStatus(status)]}")
    if answer.is_client_error:
        return EmbeddingRefusedError(reason)
    return EmbeddingSetupError(f"{reason}; {_CHECK_URL}")


def _message(answer: httpx.Response) -> str:
    """Return what the server says, cut short; never lists, in which some echo the texts."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return answer.reason_phrase
    while isinstance(body, dict):
        body = body.get("error") or body.get("message")
    return body[:_SHOWN_CHARACTERS] if isinstance(body, str) else answer.reason_phrase


def _rows(answer: httpx.Response, texts: int) -> list[Any]:
    """Return the answered vectors in the order of the texts."""
    try:
        data = orjson.loads(answer.content)["data"]
        rows = {entry["index"]: entry["embedding"] for entry in data}
        return [rows[index] for index in range(texts)]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        reason = (
            f"the embedding server's answer is not OpenAI's format for {texts} texts; "
            f"{_CHECK_URL}"
        )
        raise EmbeddingSetupError(reason) from error
