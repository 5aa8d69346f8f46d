"""The thread of a local model: who waits for whom. The model here stops when told to."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import ArrayLike

from vek1_api.core.embedding import (
    EmbeddingMismatchError,
    EmbeddingSetupError,
    EmbeddingUnavailableError,
)
from vek1_api.core.embedding.texts import BatchLimit
from vek1_api.core.embedding.threaded import Encode, Purpose, ThreadedEmbedder

PATIENCE_SECONDS = 5


class Model:
    """Rows of two numbers; counts its calls, and waits at ``gate`` in each of them."""

    def __init__(self) -> None:
        self.loads = 0
        self.calls: list[tuple[Purpose, list[str]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_inside = threading.Event()
        self.failures: list[Exception] = []
        self.load_failures: list[Exception] = []
        self.rows: ArrayLike | None = None

    def load(self) -> Encode:
        self.loads += 1
        if self.load_failures:
            raise self.load_failures.pop()
        return self.encode

    def encode(self, texts: list[str], purpose: Purpose) -> ArrayLike:
        if texts == ["loja"]:  # The one that is tried after loading.
            return [[1, 0]]
        self.calls.append((purpose, texts))
        self.is_inside.set()
        assert self.gate.wait(PATIENCE_SECONDS), "nobody opened the gate"
        if self.failures:
            raise self.failures.pop()
        return self.rows or [[1, len(text)] for text in texts]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest_asyncio.fixture
async def embedder(model: Model) -> AsyncGenerator[ThreadedEmbedder, None]:
    limit = BatchLimit(texts=4, characters=100)
    embedder = ThreadedEmbedder("test/model", load=model.load, limit=limit)
    yield embedder
    model.gate.set()
    await embedder.close()


async def entered(model: Model) -> None:
    assert await asyncio.to_thread(model.is_inside.wait, PATIENCE_SECONDS)


async def turns(count: int = 5) -> None:
    """Let every task that can go on, go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_event_loop_goes_on_while_the_model_works(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.gate.clear()
    passages = asyncio.create_task(embedder.embed_passages(["a"]))
    await entered(model)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not passages.done()
    model.gate.set()  # Only a loop that ticks gets here.

    assert len(await passages) == 1


async def test_a_query_overtakes_a_long_list_of_passages(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.gate.clear()
    passages = asyncio.create_task(embedder.embed_passages(["p"] * 12))
    await entered(model)
    query = asyncio.create_task(embedder.embed_query("q"))
    await turns()
    model.gate.set()
    await asyncio.gather(passages, query)

    kinds = [purpose for purpose, _ in model.calls]
    passage, question = Purpose.PASSAGE, Purpose.QUERY
    assert kinds == [passage, question, passage, passage]


async def test_queries_that_wait_together_share_batches(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.gate.clear()
    first = asyncio.create_task(embedder.embed_query("first"))
    await entered(model)
    rest = [asyncio.create_task(embedder.embed_query(text)) for text in "abcdef"]
    await turns()
    model.gate.set()
    await asyncio.gather(first, *rest)

    batches = [texts for _, texts in model.calls]
    assert batches == [["first"], ["a", "b", "c", "d"], ["e", "f"]]
    assert [task.result()[1] for task in rest] == [pytest.approx(0.5**0.5)] * 6


async def test_two_long_lists_take_turns(model: Model, embedder: ThreadedEmbedder) -> None:
    model.gate.clear()
    first = asyncio.create_task(embedder.embed_passages(["first"] * 8))
    await entered(model)
    second = asyncio.create_task(embedder.embed_passages(["second"] * 8))
    await turns()
    model.gate.set()
    await asyncio.gather(first, second)

    batches = [texts[0] for _, texts in model.calls]
    assert batches == ["first", "second", "first", "second"]


async def test_a_batch_is_bounded_in_characters_too(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    await embedder.embed_passages(["a" * 60, "b" * 40, "c", "d" * 200, "e"])

    lengths = [[len(text) for text in texts] for _, texts in model.calls]
    assert lengths == [[60, 40], [1], [200], [1]]


async def test_a_cancelled_caller_is_not_worked_for(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.gate.clear()
    running = asyncio.create_task(embedder.embed_query("running"))
    await entered(model)
    waiting = asyncio.create_task(embedder.embed_query("waiting"))
    await turns()
    waiting.cancel()
    await turns()
    model.gate.set()
    await running
    await embedder.embed_query("next")

    assert waiting.cancelled()
    assert [texts for _, texts in model.calls] == [["running"], ["next"]]


async def test_the_model_is_loaded_once_and_tells_its_dimension(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    with pytest.raises(EmbeddingUnavailableError, match=r"not known before ready\(\)"):
        _ = embedder.dimensions
    assert model.loads == 0
    await asyncio.gather(embedder.ready(), embedder.ready(), embedder.embed_query("q"))

    assert model.loads == 1
    assert embedder.dimensions == 2


async def test_a_load_that_failed_is_tried_again(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.load_failures.append(EmbeddingSetupError("no such folder"))
    with pytest.raises(EmbeddingSetupError, match="no such folder"):
        await embedder.ready()
    await embedder.ready()

    assert model.loads == 2


async def test_a_failure_reaches_its_caller_and_the_next_call_works(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.failures.append(RuntimeError("out of memory"))
    with pytest.raises(EmbeddingUnavailableError, match="out of memory") as caught:
        await embedder.embed_passages(["a"])

    assert caught.value.is_retryable
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert len(await embedder.embed_passages(["a"])) == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[1.0, 0.0, 0.0]], "dimension 3, not 2"),
        ([[float("nan"), 1.0]], "not finite, or zero"),
        ([[float("inf"), 1.0]], "not finite, or zero"),
        ([[1e300, 1.0]], "not finite, or zero"),
        ([[0.0, 0.0]], "not finite, or zero"),
        ([[1.0, 0.0]] * 2, r"shape \(2, 2\) for 1 texts"),
        ([["one", "two"]], "equally long lists of numbers"),
        ([[1.0], [1.0, 2.0]], "equally long lists of numbers"),
    ],
)
async def test_what_is_no_vector_is_refused(
    model: Model, embedder: ThreadedEmbedder, rows: ArrayLike, reason: str
) -> None:
    model.rows = rows
    with pytest.raises(EmbeddingMismatchError, match=reason):
        await embedder.embed_query("a")

    assert embedder.dimensions == 2


async def test_a_model_of_more_than_1024_dimensions_is_refused() -> None:
    embedder = ThreadedEmbedder(
        "test/wide",
        load=lambda: lambda texts, _: np.ones((len(texts), 1025)),
        limit=BatchLimit(texts=1, characters=1),
    )
    with pytest.raises(EmbeddingMismatchError, match="dimension 1025, not at most 1024"):
        await embedder.ready()
    await embedder.close()


async def test_closing_refuses_what_waits_and_ends_the_thread(
    model: Model, embedder: ThreadedEmbedder
) -> None:
    model.gate.clear()
    running = asyncio.create_task(embedder.embed_query("running"))
    await entered(model)
    waiting = asyncio.create_task(embedder.embed_query("waiting"))
    await turns()
    closing = asyncio.create_task(embedder.close())
    with pytest.raises(EmbeddingUnavailableError, match="test/model is closed"):
        await waiting
    model.gate.set()
    await closing

    assert (await running).shape == (1024,)
    assert [texts for _, texts in model.calls] == [["running"]]
    assert "embed test/model" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(EmbeddingUnavailableError, match="closed"):
        await embedder.ready()


async def test_closing_an_embedder_that_was_never_used_does_nothing(model: Model) -> None:
    embedder = ThreadedEmbedder(
        "test/unused", load=model.load, limit=BatchLimit(texts=1, characters=1)
    )
    await embedder.close()

    assert model.loads == 0
