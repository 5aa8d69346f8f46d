"""What a row of the benchmark is given, and how it compares service and floor."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench import load
from bench.load import Load
from bench.report import Section
from bench.shops import Shop, stocked_shops
from bench.world import World

COLUMNS = (
    "row",
    "service, requests/s",
    "floor, requests/s",
    "service, p50 / p99 ms",
    "floor, p50 / p99 ms",
    "ratio",
    "target",
)
NOTE = f"{load.CONNECTIONS} connections, each with one request at a time."
WARM_UP_SECONDS = 0.7


@dataclass(slots=True)
class Bench:
    """One run."""

    world: World
    is_quick: bool
    say: Callable[[str], None]
    """Shows what is being done."""

    _shops: list[Shop] | None = None

    @property
    def rounds(self) -> int:
        """How often service and floor take turns."""
        return 3 if self.is_quick else 7

    @property
    def seconds(self) -> float:
        """How long each turn takes."""
        return 1.0 if self.is_quick else 2.0

    async def shops(self) -> list[Shop]:
        """Return shops with agents and documents, made when first asked for."""
        if self._shops is None:
            self.say("making shops")
            self._shops = await stocked_shops(self.world)
        return self._shops

    async def compare(
        self, name: str, requests: Iterable[str], *, target: float
    ) -> Section:
        """Send the requests to service and floor in turns; ``target`` is the least ratio.

        They are read anew for each turn.
        """
        ports = (self.world.app_port, self.world.floor_port)
        for port in ports:
            await load.run(port, requests, seconds=WARM_UP_SECONDS)
        turns = []
        for number in range(1, self.rounds + 1):
            self.say(f"{name}: round {number} of {self.rounds}")
            turns.append(
                [await load.run(port, requests, seconds=self.seconds) for port in ports]
            )
        return _section(
            name, [app for app, _ in turns], [floor for _, floor in turns], target
        )


Row = Callable[[Bench], Awaitable[list[Section]]]


def _section(
    name: str, app: Sequence[Load], floor: Sequence[Load], target: float
) -> Section:
    ratios = [
        mine.requests_per_second / its.requests_per_second
        for mine, its in zip(app, floor, strict=True)
    ]
    ratio = median(ratios)
    row = (
        name,
        _rate(app),
        _rate(floor),
        _latency(app),
        _latency(floor),
        f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        f"≥ {target:.2f}",
    )
    missed = [f"{name}: {ratio:.2f} of the floor, {target:.2f} wanted."]
    return Section(
        "Against the floor", COLUMNS, [row], NOTE, missed if ratio < target else []
    )


def _rate(loads: Sequence[Load]) -> str:
    rates = [each.requests_per_second for each in loads]
    return f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"


def _latency(loads: Sequence[Load]) -> str:
    p50, p99 = median(each.p50 for each in loads), median(each.p99 for each in loads)
    return f"{p50:.1f} / {p99:.1f}"
