"""``search``: 100,000 passages of 200 shops; what is found, and how long it takes.

What is found is compared with an exact search by meaning alone. The time of a hybrid search
over HTTP is compared with that of its raw parts, the question's embedding and then the
statement, one after the other as a request needs them: each leaves the other cold caches.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import NamedTuple
from uuid import UUID

import asyncpg
import numpy as np
import orjson

from bench import filling, load
from bench.corpus import embedded, sentences, shop_sizes
from bench.report import Section
from bench.retrieval import golden
from bench.run import WARM_UP_SECONDS, Bench
from bench.shops import Shop, open_shops
from vek1_api.core.embedding import Embedder
from vek1_api.documents.search_queries import SEARCH
from vek1_api.documents.vector_queries import vector_text
from vek1_api.opening import open_resources

PASSAGES, SHOPS = 100_000, 200
QUICK_PASSAGES, QUICK_SHOPS = 20_000, 40
SIZES = (30, 1_000, 5_000, 20_000)
QUICK_SIZES = (30, 4_000)
"""The shops nearest to these are measured."""

QUESTIONS = 60
LIMIT = 10
LEAST_RECALL = 0.99
MOST_OF_RAW = 1.3
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS = 1.0

COLUMNS = (
    "passages",
    "permitted",
    "recall@10 (worst)",
    "HTTP, ms",
    "SQL, ms",
    "embedding, ms",
    "both in turn, ms",
    "HTTP / both",
)
_EXACT = """
    SELECT document_id, index AS passage FROM vek1_api.chunk_vectors
    WHERE store_id = $1 AND ($2::uuid IS NULL OR document_id IN (
        SELECT document_id FROM agent_knowledge_base WHERE agent_id = $2))
    ORDER BY (embedding <=> (SELECT $3::text::vector)) + 0 LIMIT $4
"""
_FOUND = """
    SELECT document_id, passage FROM vek1_api.search_passages(
        $1, $5, $3::text::vector, NULL, $2, NULL, NULL, NULL, $4, NULL)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one line of the table asks, of which shop, and the questions with their vectors."""

    shop: Shop
    agent_id: UUID | None
    questions: Sequence[str]
    vectors: Sequence[str]
    model_id: int


class Times(NamedTuple):
    """Medians in milliseconds: over HTTP; by hand, each part alone and both in turn."""

    http: float
    sql: float
    embedding: float
    both: float


async def run(bench: Bench) -> list[Section]:
    """Fill the index and measure shops of four sizes, without and with an agent's filter."""
    resources = open_resources(bench.world.settings)
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        model_id = await filling.add_model(connection, resources.embedder)
        shops = await _filled(bench, connection, resources.embedder, model_id)
        sections = []
        for wanted in QUICK_SIZES if bench.is_quick else SIZES:
            shop, size = min(shops, key=lambda each: abs(each[1] - wanted))
            agent_id = await filling.add_agent(connection, shop.store_id)
            for narrowed in (None, agent_id):
                asked = await _asked(shop, narrowed, resources.embedder, model_id)
                permitted = "all" if narrowed is None else f"{filling.KNOWN_SHARE:.0%}"
                bench.say(f"searching {size:,} passages, {permitted} permitted")
                sections.append(
                    await _line(bench, connection, resources.embedder, asked, size)
                )
    finally:
        await connection.close()
        await resources.close()
    return sections


async def _filled(
    bench: Bench, connection: asyncpg.Connection, embedder: Embedder, model_id: int
) -> list[tuple[Shop, int]]:
    count = QUICK_SHOPS if bench.is_quick else SHOPS
    bench.say("embedding the demo shop's sentences")
    texts = sentences()
    meanings = await embedded(embedder, texts)
    bench.say("opening shops")
    sizes = shop_sizes(count, QUICK_PASSAGES if bench.is_quick else PASSAGES)
    shops = await open_shops(bench.world, "search", count)
    stores = [(shop.store_id, size) for shop, size in zip(shops, sizes, strict=True)]
    await filling.fill(connection, stores, texts, meanings, model_id, bench.say)
    return list(zip(shops, sizes, strict=True))


async def _asked(
    shop: Shop, agent_id: UUID | None, embedder: Embedder, model_id: int
) -> Asked:
    questions = [each.text for each in golden()]
    some = questions[:: max(1, len(questions) // QUESTIONS)]
    vectors = [vector_text(await embedder.embed_query(each)) for each in some]
    return Asked(shop, agent_id, some, vectors, model_id)


async def _line(
    bench: Bench,
    connection: asyncpg.Connection,
    embedder: Embedder,
    asked: Asked,
    size: int,
) -> Section:
    recalls = [await _recall(connection, asked, vector) for vector in asked.vectors]
    times = await _times(bench, connection, embedder, asked)
    recall, ratio = float(np.mean(recalls)), times.http / times.both
    permitted = (
        "all" if asked.agent_id is None else f"{filling.KNOWN_SHARE:.0%} by an agent"
    )
    row = (
        f"{size:,}",
        permitted,
        f"{recall:.3f} ({min(recalls):.1f})",
        f"{times.http:.1f}",
        f"{times.sql:.1f}",
        f"{times.embedding:.1f}",
        f"{times.both:.1f}",
        f"{ratio:.2f}",
    )
    where = f"Search in {size:,} passages, {permitted}"
    missed = []
    if recall < LEAST_RECALL:
        missed.append(f"{where}: recall@10 {recall:.3f}, {LEAST_RECALL} wanted.")
    if ratio > MOST_OF_RAW:
        missed.append(
            f"{where}: {ratio:.2f} times its SQL and embedding, at most {MOST_OF_RAW} wanted."
        )
    return Section(_title(bench), COLUMNS, [row], NOTE, missed)


NOTE = (
    "A line is one shop, without and with an agent that knows a part of its documents. "
    f"Targets: recall@10 ≥ {LEAST_RECALL}, by meaning alone and against an exact search; "
    f"p50 of a hybrid search over HTTP ≤ {MOST_OF_RAW} times its embedding and its statement "
    "by hand, one after the other. The passages are mixed from the demo shop's sentences, "
    "the questions are golden: shops of one trade, so that a question is near to passages "
    "of all of them."
)


def _title(bench: Bench) -> str:
    passages, shops = (QUICK_PASSAGES, QUICK_SHOPS) if bench.is_quick else (PASSAGES, SHOPS)
    return f"Search over {passages:,} passages of {shops} shops"


async def _recall(connection: asyncpg.Connection, asked: Asked, vector: str) -> float:
    narrowed = asked.shop.store_id, asked.agent_id, vector, LIMIT
    exact = {tuple(row) for row in await connection.fetch(_EXACT, *narrowed)}
    found = {
        tuple(row) for row in await connection.fetch(_FOUND, *narrowed, asked.model_id)
    }
    return len(exact & found) / len(exact)


async def _times(
    bench: Bench, connection: asyncpg.Connection, embedder: Embedder, asked: Asked
) -> Times:
    """Measure in turns; medians of the rounds."""
    pairs = cycle(list(zip(asked.questions, asked.vectors, strict=True)))

    async def statement(question: str, vector: str) -> None:
        await SEARCH.rows(
            connection,
            store_id=asked.shop.store_id,
            model_id=asked.model_id,
            embedding=vector,
            query=question,
            agent_id=asked.agent_id,
            category=None,
            tags=None,
            product_id=None,
            row_limit=LIMIT,
            threshold=None,
            owner_company_id=asked.shop.user_id,
        )

    async def sql() -> None:
        await statement(*next(pairs))

    async def embed() -> None:
        await embedder.embed_query(next(pairs)[0])

    async def both() -> None:
        question, _ = next(pairs)
        await statement(question, vector_text(await embedder.embed_query(question)))

    requests = _requests(bench, asked)
    # The first request of all waits for the model.
    await load.run(bench.world.app_port, requests, seconds=WARM_UP_SECONDS, connections=1)
    measured: list[Times] = []
    for _ in range(QUICK_ROUNDS if bench.is_quick else ROUNDS):
        over_http = await load.run(
            bench.world.app_port, requests, seconds=SECONDS, connections=1
        )
        alone = [await _p50(work) for work in (sql, embed, both)]
        measured.append(Times(over_http.p50, *alone))
    return Times(*(median(each) for each in zip(*measured, strict=True)))


def _requests(bench: Bench, asked: Asked) -> list[str]:
    agent = {} if asked.agent_id is None else {"agent_id": str(asked.agent_id)}
    return [
        load.request(
            "POST",
            f"/v1/stores/{asked.shop.store_id}/search",
            bench.world.headers(asked.shop.user_id),
            orjson.dumps({"query": question, "limit": LIMIT} | agent),
        )
        for question in asked.questions
    ]


async def _p50(work: Callable[[], Awaitable[None]]) -> float:
    taken = []
    deadline = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < deadline:
        await work()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000
