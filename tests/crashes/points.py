"""The points at which a process dies, as the tests and the page know them."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.crashes.product import Part
from tests.crashes.scene import Scene

Play = Callable[[Scene], AsyncGenerator[None]]
"""Brings a process to its point and yields: the process is killed there.

It goes on until all is well again, and may yield once more, to look when nothing moves.
"""


class Flow(StrEnum):
    """What the product was doing; the page tells them in this order."""

    MAKING = "An order is made"
    EDITING = "A draft is edited"
    EXPIRING = "Drafts expire"
    CHARGING = "A charge is asked for"
    BY_HAND = "PIX to the store's own key, or cash"
    REGISTERING = "AbacatePay is told our address"
    HEARING = "A webhook comes in"
    UNDERSTANDING = "A webhook is understood"
    SWEEPING = "The sweeper asks for a charge"
    PROVING = "A proof is uploaded"
    SENDING = "A proof comes in a message"
    READING = "A proof is read"
    JUDGING = "A person judges a proof"
    CONFIRMING = "A person confirms"
    DELIVERING = "An order is delivered"
    CANCELLING = "An order is cancelled"
    UNDOING = "A paid order is cancelled"
    REFUNDING = "A payment is given back"


@dataclass(frozen=True)
class Point:
    """One point: a row of the page and a test."""

    flow: Flow
    name: str
    """Where the process stands when it is killed."""
    dies: Part
    outcome: str
    """What customer and merchant see afterwards."""
    play: Play
    waits_for: str
    """What must pass first; tests move the times in the database instead."""
    comes_last: bool
    """Whether it is brought about when all others stand: it cannot stand for long."""


POINTS: list[Point] = []


def point(
    flow: Flow,
    name: str,
    outcome: str,
    *,
    dies: Part = Part.API,
    waits_for: str = "",
    comes_last: bool = False,
) -> Callable[[Play], Play]:
    """Enter a play as a point."""

    def enter(play: Play) -> Play:
        POINTS.append(Point(flow, name, dies, outcome, play, waits_for, comes_last))
        return play

    return enter
