"""``lead_search``: 100,000 profiles of 50 shops; who is found, and how long it takes.

Who is found is compared with an exact search. The time over HTTP is compared with that of its
parts by hand, the question's embedding and then the statement.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Any

import asyncpg
import numpy as np
import orjson

from bench import filling, load, profiles
from bench.corpus import embedded, sentences, shop_sizes
from bench.report import Section
from bench.retrieval import golden
from bench.run import WARM_UP_SECONDS, Bench
from bench.shops import Shop, open_shops
from vek1_api.core.embedding import Embedder
from vek1_api.documents.vector_queries import vector_text
from vek1_api.leads.profile_queries import SEARCH
from vek1_api.opening import open_resources

SHOPS = 50
PROFILES, QUICK_PROFILES = 100_000, 10_000
SIZES, QUICK_SIZES = (30, 2_000, 20_000), (30, 2_000)
"""The shops nearest to these are measured."""

QUESTIONS = 60
LIMIT = 10
LEAST_RECALL = 0.99
MOST_OF_RAW = 1.3
ROUNDS, QUICK_ROUNDS = 3, 2
SECONDS = 1.0

COLUMNS = (
    "profiles",
    "permitted",
    "recall@10 (worst)",
    "HTTP, ms",
    "both by hand, ms",
    "HTTP / both",
)
NOTE = (
    f"A line is one shop, without and with a filter that a twentieth passes. Targets: "
    f"recall@10 ≥ {LEAST_RECALL} against an exact search; p50 over HTTP ≤ {MOST_OF_RAW} times "
    "the question's embedding and the statement by hand, one after the other."
)
_EXACT = """
    SELECT v.lead_id FROM vek1_api.lead_vectors AS v JOIN leads ON leads.id = v.lead_id
    WHERE v.store_id = $1 AND ($2::text IS NULL OR leads.status = $2)
    ORDER BY (v.embedding <=> (SELECT $3::text::vector)) + 0 LIMIT $4
"""
_FOUND = """
    SELECT lead_id FROM vek1_api.search_leads(
        $1, $5, $3::text::vector, $2, NULL, NULL, NULL, NULL, $4)
"""
_NO_FILTERS = {
    "status": None,
    "channel": None,
    "city": None,
    "last_contact_from": None,
    "last_contact_to": None,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What one line of the table asks, of which shop, and the questions with their vectors."""

    shop: Shop
    status: str | None
    questions: Sequence[tuple[str, str]]
    model_id: int


async def run(bench: Bench) -> list[Section]:
    """Fill the index and measure shops of three sizes, without and with a filter."""
    resources = open_resources(bench.world.settings)
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        model_id = await filling.add_model(connection, resources.embedder)
        shops = await _filled(bench, connection, resources.embedder, model_id)
        questions = await _questions(resources.embedder)
        sections = []
        for wanted in QUICK_SIZES if bench.is_quick else SIZES:
            shop, size = min(shops, key=lambda each: abs(each[1] - wanted))
            for status in (None, profiles.RARE):
                bench.say(f"searching {size:,} profiles, status {status or 'any'}")
                asked = Asked(shop, status, questions, model_id)
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
    bench.say("embedding the demo shop's sentences")
    texts = sentences()
    meanings = await embedded(embedder, texts)
    bench.say("opening shops")
    sizes = shop_sizes(SHOPS, QUICK_PROFILES if bench.is_quick else PROFILES)
    shops = await open_shops(bench.world, "profiles", SHOPS)
    stores = [(shop.store_id, size) for shop, size in zip(shops, sizes, strict=True)]
    await profiles.fill(connection, stores, texts, meanings, model_id, bench.say)
    return list(zip(shops, sizes, strict=True))


async def _questions(embedder: Embedder) -> list[tuple[str, str]]:
    texts = [each.text for each in golden()]
    some = texts[:: max(1, len(texts) // QUESTIONS)]
    return [(text, vector_text(await embedder.embed_query(text))) for text in some]


async def _line(
    bench: Bench,
    connection: asyncpg.Connection,
    embedder: Embedder,
    asked: Asked,
    size: int,
) -> Section:
    recalls = [await _recall(connection, asked, vector) for _, vector in asked.questions]
    recall = float(np.mean(recalls))
    http, by_hand = await _times(bench, connection, embedder, asked)
    ratio = http / by_hand
    permitted = "all" if asked.status is None else "one in 20"
    row = (
        f"{size:,}",
        permitted,
        f"{recall:.3f} ({min(recalls):.1f})",
        f"{http:.1f}",
        f"{by_hand:.1f}",
        f"{ratio:.2f}",
    )
    where = f"Leads by meaning among {size:,}, {permitted}"
    missed = []
    if recall < LEAST_RECALL:
        missed.append(f"{where}: recall@10 {recall:.3f}, {LEAST_RECALL} wanted.")
    if ratio > MOST_OF_RAW:
        missed.append(
            f"{where}: {ratio:.2f} times its SQL and embedding, at most {MOST_OF_RAW} wanted."
        )
    total = QUICK_PROFILES if bench.is_quick else PROFILES
    title = f"Leads by meaning: {total:,} profiles of {SHOPS} shops"
    return Section(title, COLUMNS, [row], NOTE, missed)


async def _recall(connection: asyncpg.Connection, asked: Asked, vector: str) -> float:
    narrowed = asked.shop.store_id, asked.status, vector, LIMIT
    exact = {row["lead_id"] for row in await connection.fetch(_EXACT, *narrowed)}
    found = await connection.fetch(_FOUND, *narrowed, asked.model_id)
    return len(exact & {row["lead_id"] for row in found}) / len(exact)


async def _times(
    bench: Bench, connection: asyncpg.Connection, embedder: Embedder, asked: Asked
) -> tuple[float, float]:
    """Return the p50 over HTTP and by hand, in milliseconds; both in turns."""
    pairs = cycle(asked.questions)

    async def by_hand() -> None:
        question, _ = next(pairs)
        await SEARCH.rows(
            connection,
            store_id=asked.shop.store_id,
            model_id=asked.model_id,
            embedding=vector_text(await embedder.embed_query(question)),
            row_limit=LIMIT,
            owner_company_id=asked.shop.user_id,
            **_NO_FILTERS | {"status": asked.status},
        )

    requests = _requests(bench, asked)
    # The first request of all waits for the model.
    await load.run(bench.world.app_port, requests, seconds=WARM_UP_SECONDS, connections=1)
    turns = []
    for _ in range(QUICK_ROUNDS if bench.is_quick else ROUNDS):
        over_http = await load.run(
            bench.world.app_port, requests, seconds=SECONDS, connections=1
        )
        turns.append((over_http.p50, await _p50(by_hand)))
    return median(each[0] for each in turns), median(each[1] for each in turns)


def _requests(bench: Bench, asked: Asked) -> list[str]:
    filters: dict[str, Any] = {} if asked.status is None else {"status": asked.status}
    return [
        load.request(
            "POST",
            f"/v1/stores/{asked.shop.store_id}/leads/search",
            bench.world.headers(asked.shop.user_id),
            orjson.dumps({"query": question, "limit": LIMIT} | filters),
        )
        for question, _ in asked.questions
    ]


async def _p50(work: Callable[[], Awaitable[None]]) -> float:
    taken = []
    deadline = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < deadline:
        await work()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000
