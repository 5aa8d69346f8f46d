"""Waiting for what other processes do."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.02


async def until(
    condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS
) -> None:
    """Return once the condition holds; it must in time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - other processes set no event.
            await asyncio.sleep(_PAUSE_SECONDS)


class Sweep:
    """The one sweep in which several charges are asked for.

    The next sweep comes when this one has ended, and this one stands.
    """

    def __init__(self, charges: int) -> None:
        self._barrier = asyncio.Barrier(charges)
        self._order_ids: list[str] = []

    async def join(self, order_id: str) -> list[str]:
        """Wait for the others; one of them gets all orders, to make them due at once."""
        self._order_ids.append(order_id)
        is_chosen = await self._barrier.wait() == 0
        return self._order_ids if is_chosen else []
