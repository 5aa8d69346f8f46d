"""``docs/crash-matrix.md``: the points, and how long each took to be well again."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tests.crashes.points import POINTS, Flow, Point

PAGE = Path(__file__).parents[2] / "docs" / "crash-matrix.md"
HEAD = (
    "| Killed | Where it stands | What customer and merchant see | Waits for | Well after |"
)

INTRODUCTION = """\
# Crash matrix

At each of these points a real process of vek1-api is killed (SIGKILL) and started again.
Afterwards `vek1-api doctor` finds nothing wrong, and what the table says is so: stock, numbers
and totals agree (I1, I2, I5), nobody has paid twice (I3), leads' counters are right (I4), each
step has its event and its audit entry (I6), no transaction stays open (I8), each stored object
has its row (I9).

`make crashes` plays all of it and writes this page; `make test` plays it too. Nothing in the
product knows of the test. A process stands where it is to be killed because its connection to
Postgres keeps back one message, because AbacatePay keeps back one answer, or because somebody
holds the row that it wants. "Everything written, before the commit" and "committed, before the
answer" are the two sides of the one moment that decides.

"Repeat" is the same request again with the same `Idempotency-Key`, as a client sends it that
was cut off. "Well after" counts from the kill, on two busy cores; most of it is the start of
the new process. A job that a killed worker had begun is another's after 12 seconds. What a
point "waits for" comes before that: tests move the times in the database instead of waiting.
They also let periodic jobs come every second, so the sweeper and the expiry of drafts may take
a minute more, and the removal of objects five.
"""


def text_of(seconds: Callable[[Point], float]) -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for flow in Flow:
        rows = [
            f"{row(point)} {seconds(point):.1f} s |"
            for point in POINTS
            if point.flow is flow
        ]
        parts.append(
            "\n".join([f"## {flow}", "", HEAD, "|---|---|---|---|--:|", *rows, ""])
        )
    return "\n".join(parts)


def row(point: Point) -> str:
    """Return a point's row up to what was measured."""
    cells = (point.dies, point.name, point.outcome, point.waits_for)
    return f"| {' | '.join(cells)} |"


def without_seconds(lines: Iterable[str]) -> list[str]:
    """Return a page's lines without what is measured anew each time."""
    return [
        line.rpartition("|")[0].rpartition("|")[0] + "|" if line.endswith(" s |") else line
        for line in lines
    ]
