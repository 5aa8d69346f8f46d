"""``lead_upsert``: somebody who is known already, and somebody who is new."""

import orjson

from bench.load import KEY, request
from bench.people import crowds
from bench.report import Section
from bench.run import Bench

TARGET = 0.50


async def run(bench: Bench) -> list[Section]:
    """Measure both; the known person's phone is spelled as WhatsApp does, without a 9."""
    bench.say("writing leads")
    met = await crowds(bench.world, "upsert")
    known = [
        (crowd, "5531" + phone[5:] + "@s.whatsapp.net")
        for place in range(len(met[0].leads))
        for crowd in met
        for _, phone in [crowd.leads[place]]
    ]
    sections = []
    for name, people in (("a known lead", known), ("a new lead", [(c, KEY) for c in met])):
        requests = [
            request(
                "POST",
                f"/v1/stores/{crowd.shop.store_id}/leads",
                bench.world.headers(crowd.shop.user_id),
                orjson.dumps(
                    {
                        "channel": "whatsapp",
                        "external_id": contact,
                        "name": "Joana Ribeiro",
                    }
                ),
            )
            for crowd, contact in people
        ]
        sections.append(await bench.compare(f"upsert {name}", requests, target=TARGET))
    return sections
