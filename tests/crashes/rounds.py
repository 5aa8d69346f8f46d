"""One round: every point of a process is reached, the process is killed, all must be well."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from tests.crashes.points import Flow, Point
from tests.crashes.product import Part, Product
from tests.crashes.scene import Scene
from tests.crashes.waiting import Sweep, until
from tests.people import Person

REACHED_WITHIN_SECONDS = 9
"""Less than the product waits for AbacatePay, and Postgres for a transaction."""

WELL_WITHIN_SECONDS = 60


@dataclass
class Run:
    """One point in one round: its play, and what came of it."""

    point: Point
    scene: Scene
    play: AsyncGenerator[None] = field(init=False)
    error: BaseException | None = None
    seconds: float = 0.0
    """From the kill until everything was as it must be."""

    def __post_init__(self) -> None:
        self.play = self.point.play(self.scene)

    async def reach(self) -> None:
        """Bring the process to the point."""
        await self._go_on(REACHED_WITHIN_SECONDS)

    async def recover(self, killed_at: float) -> None:
        """Go on after the kill, until all is well again."""
        await self._go_on(WELL_WITHIN_SECONDS)
        self.seconds = time.monotonic() - killed_at

    async def end(self) -> None:
        """Look once more when nothing moves any longer."""
        await self._go_on(WELL_WITHIN_SECONDS)

    async def _go_on(self, within_seconds: float) -> None:
        if self.error is not None:
            return
        try:
            async with asyncio.timeout(within_seconds):
                await anext(self.play, None)
        except Exception as error:  # noqa: BLE001 - its test raises it.
            self.error = error


async def run_round(
    product: Product, person: Person, part: Part, points: Sequence[Point]
) -> list[Run]:
    """Bring a process to all its points, kill it there once, and start it again."""
    runs = [
        Run(point, await Scene.set_up(product, person, point.play.__name__))
        for point in points
        if point.dies is part
    ]
    product.sweep = Sweep(sum(run.point.flow is Flow.SWEEPING for run in runs) or 1)
    await asyncio.gather(*(run.reach() for run in runs if not run.point.comes_last))
    for run in runs:
        if run.point.comes_last:
            await run.reach()
    killed_at = time.monotonic()
    product.kill(part)
    product.start(part)
    await asyncio.gather(*(run.recover(killed_at) for run in runs))
    await until(product.is_quiet)
    await asyncio.gather(*(run.end() for run in runs))
    return runs
