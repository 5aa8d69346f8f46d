"""What a person reads when a command cannot do its work: plain lines, never a traceback."""

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from vek1_api.core.embedding import EmbeddingError
from vek1_api.core.logging import clean
from vek1_api.core.storage import StorageError
from vek1_api.demo.seed import SeedError
from vek1_api.embedded.processes import EmbeddedError
from vek1_api.opening import NotConfiguredError


class CommandError(Exception):
    """A command cannot go on; the message says what to do."""


EXPECTED = (
    CommandError,
    NotConfiguredError,
    ValidationError,
    EmbeddedError,
    EmbeddingError,
    StorageError,
    SeedError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
"""What may go wrong outside the program; anything else is a bug, and shows its traceback."""


def lines_of(error: BaseException) -> list[str]:
    """Return what to print for one of ``EXPECTED``; no secret is in it."""
    if isinstance(error, ValidationError):
        return [
            line
            for each in error.errors()
            for line in _setting_lines(each["loc"], each["msg"])
        ]
    text = error.reason if isinstance(error, EmbeddingError) else str(error)
    return [clean(text or type(error).__name__)]


def _setting_lines(location: tuple[int | str, ...], message: str) -> list[str]:
    text = message.removeprefix("Value error, ")
    if location:
        return [f"VEK1_{str(location[0]).upper()}: {text}"]
    head, _, problems = text.rpartition(": ")
    return [head, *(f"  {problem}" for problem in problems.split("; "))]
