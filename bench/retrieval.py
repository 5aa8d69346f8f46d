"""How well search answers: the demo shop's golden questions, asked over HTTP.

A question is answered by the first passage that is from the right file and contains the
golden passage, white space aside.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import orjson

from vek1_api.demo.seed import DOCUMENTS

DEPTH = 10
"""Passages looked at; an answer further down counts as none."""

MODES = ("semantic", "keyword", "hybrid")
_DEMO = files("vek1_api") / "demo"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the passage of a file that answers it."""

    id: str
    text: str
    file: str
    passage: str
    kind: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of the questions answered by the first passage and by one of the first five.

    ``mrr`` is the mean of 1/place, which is 0 beyond ``DEPTH``.
    """

    questions: int
    recall_at_1: float
    recall_at_5: float
    mrr: float


@dataclass(frozen=True, slots=True)
class Places:
    """By question id: the place of the answer from 1, none beyond ``DEPTH``."""

    by_question: dict[str, int | None]

    def scores(self, questions: Iterable[Question] | None = None) -> Scores:
        """Return the scores of some questions; of all that were asked if none are named."""
        ids = self.by_question if questions is None else [each.id for each in questions]
        places = [self.by_question[each] for each in ids]
        found = [place for place in places if place is not None]
        return Scores(
            questions=len(places),
            recall_at_1=sum(place == 1 for place in found) / len(places),
            recall_at_5=sum(place <= 5 for place in found) / len(places),  # noqa: PLR2004 - at 5.
            mrr=sum(1 / place for place in found) / len(places),
        )


def golden() -> list[Question]:
    """Return the golden questions."""
    lines = (_DEMO / "golden.jsonl").read_bytes().splitlines()
    rows = [orjson.loads(line) for line in lines]
    return [
        Question(row["id"], row["question"], row["file"], row["passage"], row["kind"])
        for row in rows
    ]


def by_kind(questions: Iterable[Question]) -> dict[str, list[Question]]:
    """Return the questions of each kind."""
    kinds = defaultdict(list)
    for question in questions:
        kinds[question.kind].append(question)
    return dict(kinds)


async def upload(http: httpx.AsyncClient, store_id: str) -> dict[str, str]:
    """Send the demo shop's files to a store; return the file of each document id.

    ``http`` carries the credentials. Nothing answers before a worker has indexed them.
    """
    sent = {}
    for name, (title, category) in DOCUMENTS.items():
        response = await http.post(
            f"/v1/stores/{store_id}/documents",
            files={"file": (name, (_DEMO / "files" / name).read_bytes())},
            data={"title": title, "category": category},
        )
        response.raise_for_status()
        sent[response.json()["id"]] = name
    return sent


async def evaluate(
    http: httpx.AsyncClient,
    store_id: str,
    file_of: dict[str, str],
    *,
    mode: str = "hybrid",
    questions: Sequence[Question] | None = None,
) -> Places:
    """Ask every question of a store whose documents are indexed.

    ``file_of`` is what ``upload`` returned. Raises ``httpx.HTTPStatusError`` for a refusal.
    """
    places = {}
    for question in golden() if questions is None else questions:
        response = await http.post(
            f"/v1/stores/{store_id}/search",
            json={"query": question.text, "mode": mode, "limit": DEPTH},
        )
        response.raise_for_status()
        places[question.id] = _place(question, response.json()["items"], file_of)
    return Places(places)


def _place(
    question: Question, hits: Sequence[dict[str, Any]], file_of: dict[str, str]
) -> int | None:
    wanted = _plain(question.passage)
    for place, hit in enumerate(hits, 1):
        is_right_file = file_of[hit["document_id"]] == question.file
        if is_right_file and wanted in _plain(hit["chunk"]["text"]):
            return place
    return None


def _plain(text: str) -> str:
    return " ".join(text.split())
