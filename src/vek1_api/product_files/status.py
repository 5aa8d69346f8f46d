"""How far a file is."""

from enum import StrEnum


class FileStatus(StrEnum):
    """Whether the text of a file is known."""

    PENDING = "pending"
    """A job will read it."""
    READY = "ready"
    """It was read; a picture has no text."""
    FAILED = "failed"
    """It has no text that can be read, or it is lost."""
