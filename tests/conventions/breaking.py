"""What the tests of failures have in common."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import httpx

from tests.people import Person

Open = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
"""Opens an app of its own, of which some parts are others."""


def as_caller(client: httpx.AsyncClient, person: Person) -> Person:
    return Person(client, person.user_id)


def is_unavailable(response: httpx.Response) -> bool:
    assert response.status_code == 503, response.text
    assert response.json()["code"] == "unavailable"
    assert int(response.headers["retry-after"]) >= 1
    return True


async def left_open(watch: asyncpg.Connection, name: str) -> list[str]:
    """Return what the app's connections are still doing."""
    rows = await watch.fetch(
        "SELECT state, query FROM pg_stat_activity"
        " WHERE application_name = $1 AND state <> 'idle'"
        " UNION ALL SELECT 'holds ' || mode, locktype FROM pg_locks"
        " JOIN pg_stat_activity USING (pid) WHERE application_name = $1",
        name,
    )
    return [f"{row['state']}: {row['query']}" for row in rows]
