"""The client of an embedding server, against one that misbehaves."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest
import pytest_asyncio

from tests.fakes.embedding_server import EmbeddingServer, Fault, meaning
from vek1_api.core.embedding import (
    EmbeddingError,
    EmbeddingMismatchError,
    EmbeddingRefusedError,
    EmbeddingSetupError,
    EmbeddingUnavailableError,
    OpenAICompatibleEmbedder,
    Retry,
)


class Sleeps(list[float]):
    """Takes note of how long to sleep, and does not."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest_asyncio.fixture
async def embedder(
    server: EmbeddingServer, sleeps: Sleeps
) -> AsyncGenerator[OpenAICompatibleEmbedder, None]:
    embedder = OpenAICompatibleEmbedder(server.url, sleep=sleeps)
    yield embedder
    await embedder.close()


async def test_the_request_is_openais(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    await embedder.embed_passages(["frete", "troca"])

    assert server.requests == [
        {"model": "BAAI/bge-m3", "input": ["frete", "troca"], "encoding_format": "float"}
    ]


async def test_shuffled_answers_are_put_in_order(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    texts = [f"texto {n}" for n in range(5)]
    vectors = await embedder.embed_passages(texts)

    assert server.is_shuffled
    for text, vector in zip(texts, vectors, strict=True):
        expected = np.array(meaning(text, 1024))
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)


async def test_a_request_has_at_most_32_texts_and_65536_characters(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    await embedder.embed_passages(["a"] * 70)
    await embedder.embed_passages(["b" * 30_000] * 3)

    sizes = sorted(len(request["input"]) for request in server.requests)
    assert sizes == [1, 2, 6, 32, 32]


async def test_a_text_is_cut_where_no_model_reads_on(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    await embedder.embed_query("c" * 100_000)

    assert server.requests[0]["input"] == ["c" * 32_768]


async def test_few_requests_of_passages_are_made_at_once_and_a_query_passes_them(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    server.gate.clear()
    passages = asyncio.create_task(embedder.embed_passages(["a"] * 32 * 10))
    await server.received(4)
    await embedder.embed_query("Qual é o prazo?")
    assert not passages.done()
    assert len(server.requests) == 5
    server.gate.set()

    assert len(await passages) == 320
    assert server.most_at_once == 5


async def test_failures_are_tried_again_ever_later(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    server.faults += [Fault(status=500), Fault(status=503), Fault(is_cut=True)]
    vector = await embedder.embed_query("frete")

    assert np.linalg.norm(vector) == pytest.approx(1)
    assert len(server.requests) == 4
    for slept, longest in zip(sleeps, [0.25, 0.5, 1.0], strict=True):
        assert longest / 2 <= slept <= longest


async def test_after_four_attempts_it_is_unavailable(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    server.faults += [Fault(status=502)] * 5
    with pytest.raises(EmbeddingUnavailableError, match=r"502: The server says why\.$"):
        await embedder.embed_query("frete")

    assert len(server.requests) == 4


async def test_retry_after_is_obeyed(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    server.faults.append(Fault(status=429, headers={"Retry-After": "7"}))
    await embedder.embed_query("frete")

    assert sleeps == [7]


async def test_a_long_retry_after_is_left_to_the_caller(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    server.faults.append(Fault(status=429, headers={"Retry-After": "60"}))
    with pytest.raises(EmbeddingUnavailableError) as caught:
        await embedder.embed_query("frete")

    assert caught.value.retry_after_seconds == 60
    assert (caught.value.status, caught.value.code) == (503, "unavailable")
    assert sleeps == []


async def test_a_retry_after_that_is_a_date_is_not_obeyed(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    date = "Wed, 21 Oct 2099 07:28:00 GMT"
    server.faults.append(Fault(status=503, headers={"Retry-After": date}))
    await embedder.embed_query("frete")

    assert len(sleeps) == 1
    assert sleeps[0] <= 0.25


async def test_a_server_that_is_gone_is_unavailable(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    await embedder.ready()
    await server.stop()
    with pytest.raises(
        EmbeddingUnavailableError, match="no answer from the embedding server"
    ):
        await embedder.embed_query("frete")

    assert len(sleeps) == 3


async def test_a_server_that_is_silent_is_unavailable(server: EmbeddingServer) -> None:
    embedder = OpenAICompatibleEmbedder(
        server.url, timeout_seconds=0.05, retry=Retry(attempts=1)
    )
    server.gate.clear()
    with pytest.raises(EmbeddingUnavailableError, match="ReadTimeout"):
        await embedder.embed_passages(["a", "b"])
    await embedder.close()


@pytest.mark.parametrize(
    ("status", "kind", "what_to_do"),
    [
        (400, EmbeddingRefusedError, "400: The server says why."),
        (413, EmbeddingRefusedError, "413: The server says why."),
        (401, EmbeddingSetupError, "check VEK1_EMBEDDING_API_KEY"),
        (403, EmbeddingSetupError, "check VEK1_EMBEDDING_API_KEY"),
        (404, EmbeddingSetupError, "and VEK1_EMBEDDING_MODEL"),
        (308, EmbeddingSetupError, "check VEK1_EMBEDDING_URL (with its /v1)"),
    ],
)
async def test_what_will_not_change_is_not_tried_again(
    server: EmbeddingServer,
    embedder: OpenAICompatibleEmbedder,
    status: int,
    kind: type[EmbeddingError],
    what_to_do: str,
) -> None:
    server.faults.append(Fault(status=status))
    with pytest.raises(kind) as caught:
        await embedder.embed_query("frete")

    assert str(caught.value).endswith(what_to_do)
    assert not caught.value.is_retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b'{"error": "Input is too long", "error_type": "Validation"}',
            "Input is too long",
        ),
        (b'{"detail": [{"input": "o texto do lead"}]}', "Bad Request"),
        (b"<html>o texto do lead</html>", "Bad Request"),
        (b'{"message": "' + b"x" * 1_000 + b'"}', "x" * 200),
    ],
)
async def test_the_servers_words_are_shown_short_and_never_the_text(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, body: bytes, reason: str
) -> None:
    server.faults.append(Fault(status=400, body=body))
    with pytest.raises(EmbeddingRefusedError) as caught:
        await embedder.embed_query("o texto do lead")

    assert str(caught.value) == f"the embedding server answered 400: {reason}"


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"[]",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": [{"index": 1, "embedding": [1.0]}]}',
        b'{"data": [{"index": 0, "embedding": [NaN]}]}',
    ],
)
async def test_another_format_is_a_setup_error(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, body: bytes
) -> None:
    server.faults.append(Fault(body=body))
    with pytest.raises(EmbeddingSetupError, match="not OpenAI's format for 1 texts"):
        await embedder.embed_query("frete")

    assert len(server.requests) == 1


async def test_the_dimension_of_the_first_answer_is_held_to(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    with pytest.raises(EmbeddingUnavailableError, match="before ready"):
        _ = embedder.dimensions
    await embedder.ready()
    server.faults.append(Fault(dimensions=768))
    with pytest.raises(EmbeddingMismatchError, match="dimension 768, not 1024"):
        await embedder.embed_query("frete")

    assert embedder.dimensions == 1024


async def test_more_than_1024_dimensions_are_refused(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    server.dimensions = 1536
    with pytest.raises(EmbeddingMismatchError, match="dimension 1536, not at most 1024"):
        await embedder.ready()


async def test_one_failed_request_fails_the_list_with_a_plain_error(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder
) -> None:
    server.faults.append(Fault(status=400))
    with pytest.raises(EmbeddingRefusedError, match="400"):
        await embedder.embed_passages(["a"] * 32 * 10)


async def test_ready_asks_once(
    server: EmbeddingServer, embedder: OpenAICompatibleEmbedder, sleeps: Sleeps
) -> None:
    server.faults.append(Fault(status=503))
    with pytest.raises(EmbeddingUnavailableError):
        await embedder.ready()

    assert sleeps == []


@pytest.mark.parametrize(
    ("key", "is_taken"), [("right", True), ("wrong", False), (None, False)]
)
async def test_the_key_is_sent_and_never_shown(key: str | None, *, is_taken: bool) -> None:
    async with EmbeddingServer(api_key="right") as server:
        embedder = OpenAICompatibleEmbedder(f"{server.url}/", api_key=key)
        if is_taken:
            await embedder.ready()
        else:
            with pytest.raises(EmbeddingSetupError) as caught:
                await embedder.ready()
            assert "wrong" not in str(caught.value)
        await embedder.close()


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/v1", "127.0.0.1/v1", "http://127.0.0.1:x"]
)
async def test_what_is_no_http_address_is_a_setup_error(url: str) -> None:
    embedder = OpenAICompatibleEmbedder(url)
    with pytest.raises(
        EmbeddingSetupError, match="VEK1_EMBEDDING_URL is not an http address"
    ):
        await embedder.ready()
    await embedder.close()
