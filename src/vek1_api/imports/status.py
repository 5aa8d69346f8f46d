"""How far an import is, and what became of its rows."""

from enum import StrEnum


class ImportStatus(StrEnum):
    """How far an import is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RowStatus(StrEnum):
    """What became of a row."""

    PENDING = "pending"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ERROR = "error"


VERDICTS = (RowStatus.CREATED, RowStatus.UPDATED, RowStatus.UNCHANGED, RowStatus.ERROR)
"""What a summary counts."""
