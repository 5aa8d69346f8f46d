"""``message_append``: what a person said, once for its provider's id."""

import orjson

from bench.load import KEY, request
from bench.people import crowds
from bench.report import Section
from bench.run import Bench

TARGET = 0.50


async def run(bench: Bench) -> list[Section]:
    """Measure one message at a time."""
    bench.say("writing leads")
    met = await crowds(bench.world, "append")
    requests = [
        request(
            "POST",
            f"/v1/stores/{crowd.shop.store_id}/messages",
            bench.world.headers(crowd.shop.user_id),
            orjson.dumps(
                {
                    "lead_id": str(crowd.leads[place][0]),
                    "role": "user",
                    "content": "Vocês têm café em grãos, torra média, para entregar amanhã?",
                    "provider_message_id": KEY,
                }
            ),
        )
        for place in range(len(met[0].leads))
        for crowd in met
    ]
    return [await bench.compare("append a message", requests, target=TARGET)]
