"""``get``: one agent."""

from bench.load import request
from bench.report import Section
from bench.run import Bench
from bench.shops import agent_of_each

TARGET = 0.40


async def run(bench: Bench) -> list[Section]:
    """Measure getting an agent."""
    bench.say("getting one agent")
    shops = await bench.shops()
    requests = [
        request("GET", f"/v1/agents/{agent_id}", bench.world.headers(shop.user_id))
        for shop, agent_id in zip(
            shops, await agent_of_each(bench.world, shops), strict=True
        )
    ]
    return [await bench.compare("get one agent", requests, target=TARGET)]
