"""Keeps parts alive until a signal comes; what ``running`` starts, this looks after."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from vek1_api.embedded.parts import Part, stop_together

POLL_SECONDS = 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Result = TypeVar("Result")


class StopRequestedError(Exception):
    """Ctrl-C, SIGTERM or a closed terminal: stop everything."""


class Supervisor:
    """Watches the parts that it is given; as a context it handles signals, and stops them.

    Parts stop in the opposite order, those of one group at the same time. A second signal
    changes nothing: the first is being obeyed. Only for the main thread.
    """

    def __init__(self) -> None:
        self.is_stopping = False
        self.on_restart: Callable[[], None] = lambda: None
        self._parts: list[Part] = []
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._undo.callback(
                signal.signal, number, signal.signal(number, self._on_signal)
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_stopping = True
        self._undo.close()

    def at_the_end(self, work: Callable[[], object]) -> None:
        """Do this when everything that is started from now on has stopped."""
        self._undo.callback(work)

    def enter(self, context: AbstractContextManager[Result]) -> Result:
        """Enter a context that ends when everything that is started from now on has."""
        return self._undo.enter_context(context)

    def start(self, group: Iterable[Part]) -> None:
        """Start parts and watch them from now on."""
        parts = list(group)
        self._undo.callback(stop_together, parts)
        for part in parts:
            part.start()
        self._parts += parts
        self.check()

    def check(self) -> None:
        """Raise ``StopRequestedError`` if a signal has come."""
        if self.is_stopping:
            raise StopRequestedError

    def watch(
        self, until: Callable[[], bool] = lambda: False, *, may_restart: bool = True
    ) -> None:
        """Start again what dies, until the condition holds.

        Raises ``StopRequestedError`` when a signal comes, ``EmbeddedError`` when a part
        keeps dying, or dies at all while nothing ``may_restart``.
        """
        while not until():
            self.check()
            restarted = [part.tend(may_restart=may_restart) for part in self._parts]
            if any(restarted):
                self.on_restart()
            # Not an Event: a handler that sets one may wait for the lock of its own thread.
            time.sleep(POLL_SECONDS)

    def watch_while(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine elsewhere, looking after the parts meanwhile; return its result."""
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside-the-watch")
        future = pool.submit(asyncio.run, work)
        try:
            self.watch(future.done)
        finally:
            # It fails by itself when the parts are gone; nobody waits for it.
            pool.shutdown(wait=False)
        return future.result()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.is_stopping = True
