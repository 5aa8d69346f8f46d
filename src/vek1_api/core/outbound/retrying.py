"""When a message is tried again: the schedule of Standard Webhooks, for a day."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 295, 1_500, 5_400, 10_800, 18_000, 14_400, 21_600, 14_400)
)
"""Before each retry: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 hours after the first try."""

JITTER = 0.1
"""Added, at most this share of the wait: not everybody knocks at a door that just opened."""


def next_attempt(
    failed: int,
    wanted_at: datetime,
    now: datetime,
    retry_after: timedelta | None = None,
    waits: Sequence[timedelta] = WAITS,
) -> datetime | None:
    """Return when to try again after so many failures, or none once the waits are used up.

    What the receiver asks for is honoured as far as the whole time goes.
    """
    end = wanted_at + sum(waits, timedelta())
    if now >= end:
        return None
    wait = waits[min(failed, len(waits)) - 1]
    wait = max(wait, retry_after or timedelta())
    return min(now + wait * random.uniform(1, 1 + JITTER), end)  # noqa: S311 - no secret.
