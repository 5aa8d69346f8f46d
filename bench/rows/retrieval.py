"""``retrieval``: how well the demo shop's golden questions are answered, by kind."""

import asyncpg
import httpx
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.types import QueueExecutionMode

from bench import retrieval
from bench.report import Section
from bench.retrieval import Scores
from bench.run import Bench
from bench.shops import open_shops
from bench.world import World
from vek1_api import worker
from vek1_api.core import jobs
from vek1_api.domains import load_jobs
from vek1_api.opening import open_resources

COLUMNS = ("questions", "mode", "recall@1", "recall@5", "MRR")
NOTE = (
    "The answer is the first passage of the right file that contains the golden passage; "
    f"MRR counts places to {retrieval.DEPTH}. Embedder: the bundled model."
)
ALL = "all"
INDEX_SECONDS = 60


async def run(bench: Bench) -> list[Section]:
    """Index the demo shop's files as any others, ask, and hold hybrid against its parts."""
    shop = (await open_shops(bench.world, "golden", 1))[0]
    async with httpx.AsyncClient(
        base_url=bench.world.app_url,
        headers=bench.world.headers(shop.user_id),
        timeout=INDEX_SECONDS,
        trust_env=False,
    ) as http:
        bench.say("indexing the demo shop's files")
        file_of = await _indexed(bench.world, http, str(shop.store_id))
        scores = {}
        for mode in retrieval.MODES:
            bench.say(f"asking the golden questions: {mode}")
            places = await retrieval.evaluate(http, str(shop.store_id), file_of, mode=mode)
            scores[mode] = {ALL: places.scores()} | {
                kind: places.scores(questions)
                for kind, questions in retrieval.by_kind(retrieval.golden()).items()
            }
    return [_section(scores)]


async def _indexed(world: World, http: httpx.AsyncClient, store_id: str) -> dict[str, str]:
    """Upload the files and run their jobs, but none that other rows left behind."""
    load_jobs()
    connection = await asyncpg.connect(world.database_url)
    resources = open_resources(world.settings)
    try:
        await connection.execute("DELETE FROM vek1_api.pgqueuer")
        file_of = await retrieval.upload(http, store_id)
        driver = AsyncpgDriver(connection)
        queuer = PgQueuer(connection=driver, queries=jobs.queries_of(driver))
        worker.register(queuer, resources)
        await queuer.qm.run(mode=QueueExecutionMode.drain, batch_size=len(file_of))
    finally:
        await resources.close()
        await connection.close()
    return file_of


def _section(scores: dict[str, dict[str, Scores]]) -> Section:
    rows = [
        (f"{kind} ({scores[mode][kind].questions})", mode, *_figures(scores[mode][kind]))
        for kind in scores[retrieval.MODES[0]]
        for mode in retrieval.MODES
    ]
    hybrid = scores["hybrid"][ALL]
    missed = [
        f"Hybrid does not beat {mode} alone: MRR {hybrid.mrr:.3f} against {other.mrr:.3f}."
        for mode in retrieval.MODES[:2]
        if hybrid.mrr <= (other := scores[mode][ALL]).mrr
    ]
    return Section("Golden questions", COLUMNS, rows, NOTE, missed)


def _figures(scores: Scores) -> tuple[str, str, str]:
    return (
        f"{scores.recall_at_1:.3f}",
        f"{scores.recall_at_5:.3f}",
        f"{scores.mrr:.3f}",
    )
