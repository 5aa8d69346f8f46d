"""What can be wrong with a database, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What is wrong; the first three can be healed."""

    MISSING = "missing"
    INVALID = "invalid"
    DIFFERENT = "different"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be.

    ``kind`` is ``index``, ``trigger`` or ``function`` (which ``heal`` puts right), else
    ``server``, ``extension``, ``setting``, ``migration``, ``table``, ``stock``, ``order``
    or ``storage``. ``detail`` is for people: what was found, and what to do about it. It
    holds ids and numbers, no personal data.
    """

    kind: str
    name: str
    problem: Problem
    detail: str = ""

    @property
    def can_be_healed(self) -> bool:
        """Whether ``heal`` knows what to do."""
        return self.kind in {"index", "trigger", "function"}

    @property
    def sentence(self) -> str:
        """The finding in one line, for logs and terminals."""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.kind} {self.name} is {self.problem}{detail}"
