"""A model in this process, on one thread of its own, where queries go first."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

import anyio.to_thread
from numpy.typing import ArrayLike

from vek1_api.core.embedding.errors import EmbeddingError, EmbeddingUnavailableError
from vek1_api.core.embedding.texts import BatchLimit, batches, clean
from vek1_api.core.embedding.vectors import Vector, VectorSpace


class Purpose(Enum):
    """What a text is embedded for, most urgent first."""

    QUERY = auto()
    PASSAGE = auto()


Encode: TypeAlias = Callable[[list[str], Purpose], ArrayLike]
"""A loaded model: texts to rows. It blocks, and is never called twice at once."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    texts: list[str]
    purpose: Purpose
    vectors: Future[list[Vector]] = field(default_factory=Future)


class ThreadedEmbedder:
    """An ``Embedder`` over a blocking model, which is loaded at its first use.

    Everything runs on one thread. What waits is taken in batches within ``limit``, queries
    before passages: queries that arrive together share a batch, and none waits for more
    than the batch that is running. A long list of passages queues one batch at a time, so
    two documents take turns.
    """

    def __init__(
        self,
        model: str,
        *,
        load: Callable[[], Encode],
        limit: BatchLimit,
        dimensions: int | None = None,
    ) -> None:
        self._space = VectorSpace(model, dimensions)
        self._load = load
        self._limit = limit
        self._waiting: dict[Purpose, deque[_Job]] = {
            purpose: deque() for purpose in Purpose
        }
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def model(self) -> str:
        """The stable name that is recorded with each vector."""
        return self._space.model

    @property
    def dimensions(self) -> int:
        """The model's own dimension."""
        return self._space.dimensions

    async def ready(self) -> None:
        """Load the model."""
        await self._run([], Purpose.QUERY)

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text, in order."""
        vectors: list[Vector] = []
        for batch in batches([clean(text) for text in texts], self._limit):
            vectors += await self._run(batch, Purpose.PASSAGE)
        return vectors

    async def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        [vector] = await self._run([clean(text)], Purpose.QUERY)
        return vector

    async def close(self) -> None:
        """Finish the running batch, refuse what waits, and end the thread."""
        with self._changed:
            self._is_closed = True
            abandoned = [job for lane in self._waiting.values() for job in lane]
            for lane in self._waiting.values():
                lane.clear()
            self._changed.notify_all()
        _fail(abandoned, self._closed())
        if self._thread is not None:
            await anyio.to_thread.run_sync(self._thread.join)

    async def _run(self, texts: list[str], purpose: Purpose) -> list[Vector]:
        job = _Job(texts, purpose)
        with self._changed:
            if self._is_closed:
                raise self._closed()
            if self._thread is None:
                # A daemon: a forgotten close() must not keep the process alive.
                self._thread = threading.Thread(
                    target=self._work, name=f"embed {self.model}", daemon=True
                )
                self._thread.start()
            self._waiting[purpose].append(job)
            self._changed.notify_all()
        # Cancelling the caller cancels a job that still waits.
        return await asyncio.wrap_future(job.vectors)

    def _closed(self) -> EmbeddingUnavailableError:
        return EmbeddingUnavailableError(f"the embedder of {self.model} is closed")

    def _work(self) -> None:
        encode: Encode | None = None
        while taken := self._take():
            jobs = [job for job in taken if job.vectors.set_running_or_notify_cancel()]
            try:
                if encode is None:
                    encode = self._load_and_try()
                self._finish(encode, jobs)
            except EmbeddingError as error:
                _fail(jobs, error, are_running=True)
            except Exception as error:  # noqa: BLE001 - Its callers get it; the thread lives on.
                failure = EmbeddingUnavailableError(f"{self.model} failed: {error!r}")
                failure.__cause__ = error
                _fail(jobs, failure, are_running=True)

    def _take(self) -> list[_Job]:
        """Wait for work and return a batch of it; nothing means closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or any(self._waiting.values()))
            if self._is_closed:
                return []
            lane = next(lane for lane in self._waiting.values() if lane)
            jobs = [lane.popleft()]
            while lane and self._has_room(jobs, lane[0]):
                jobs.append(lane.popleft())
            return jobs

    def _has_room(self, jobs: list[_Job], job: _Job) -> bool:
        texts = [text for each in (*jobs, job) for text in each.texts]
        return (
            len(texts) <= self._limit.texts
            and sum(map(len, texts)) <= self._limit.characters
        )

    def _load_and_try(self) -> Encode:
        """Load, and embed one word: from then on the dimension is known."""
        encode = self._load()
        self._space.admit(encode(["loja"], Purpose.PASSAGE), texts=1)
        return encode

    def _finish(self, encode: Encode, jobs: list[_Job]) -> None:
        texts = [text for job in jobs for text in job.texts]
        vectors: list[Vector] = []
        if texts:
            vectors = self._space.admit(encode(texts, jobs[0].purpose), texts=len(texts))
        for job in jobs:
            job.vectors.set_result(vectors[: len(job.texts)])
            del vectors[: len(job.texts)]


def _fail(jobs: list[_Job], error: EmbeddingError, *, are_running: bool = False) -> None:
    for job in jobs:
        if are_running or job.vectors.set_running_or_notify_cancel():
            job.vectors.set_exception(error)
