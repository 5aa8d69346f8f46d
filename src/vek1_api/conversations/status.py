"""Who says something."""

from enum import StrEnum


class Role(StrEnum):
    """Who said it; `debug` is for developers and hidden from everybody else."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    DEBUG = "debug"
