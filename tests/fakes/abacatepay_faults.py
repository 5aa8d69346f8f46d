"""What can happen to a call of the fake AbacatePay, and what it notes of each call."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What happens to one call of an operation instead of a good answer.

    With a ``status``, ``error`` or ``body`` the answer is that. ``is_cut`` breaks the
    connection instead of answering. Nothing is done then, unless ``happens``: the effect
    is there and only the answer is lost. The delays are around the effect.
    """

    status: int | None = None
    error: object = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    happens: bool = False
    delay_before_seconds: float = 0
    delay_after_seconds: float = 0

    @property
    def is_answer(self) -> bool:
        """Whether it takes the place of the true answer."""
        return (self.status, self.error, self.body) != (None, None, None) or self.is_cut

    def answer(self) -> tuple[int, bytes]:
        """Return the status and body instead of the true ones."""
        status = self.status or (HTTPStatus.OK if self.error is None else 400)
        said = {"data": None, "success": False, "error": self.error or "Erro interno"}
        return status, json.dumps(said).encode() if self.body is None else self.body


LOCK_NOT_ACQUIRED = Fault(status=400, error="LOCK_NOT_ACQUIRED")
LOST_ANSWER = Fault(is_cut=True, happens=True)


@dataclass(frozen=True)
class Call:
    """A call that came in; ``key`` is the bearer key."""

    operation: str
    query: dict[str, str]
    body: Any
    key: str
    headers: dict[str, str]
