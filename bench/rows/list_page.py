"""``list``: a page of 50 documents without their contents, and one of 50 agents."""

from bench.load import request
from bench.report import Section
from bench.run import Bench

TARGET = 0.60


async def run(bench: Bench) -> list[Section]:
    """Measure both lists."""
    sections = []
    for kind in ("documents", "agents"):
        requests = [
            request(
                "GET",
                f"/v1/stores/{shop.store_id}/{kind}",
                bench.world.headers(shop.user_id),
            )
            for shop in await bench.shops()
        ]
        sections.append(await bench.compare(f"list of 50 {kind}", requests, target=TARGET))
    return sections
