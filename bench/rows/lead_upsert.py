"""``lead_upsert``: somebody who is known already, and somebody who is new."""

import asyncpg
import orjson

from bench.load import KEY, request
from bench.people import Crowd, crowds
from bench.report import Section
from bench.run import Bench

TARGET = 0.50

_WROTE = """
    INSERT INTO vek1_api.lead_contact (lead_id, reply_to)
    SELECT * FROM unnest($1::uuid[], $2::text[])
"""
"""From where somebody wrote last; without it the first request of each would write it."""


async def run(bench: Bench) -> list[Section]:
    """Measure both; the known person's phone is spelled as WhatsApp does, without a 9."""
    bench.say("writing leads")
    met = await crowds(bench.world, "upsert")
    known = await _known(bench, met)
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


async def _known(bench: Bench, met: list[Crowd]) -> list[tuple[Crowd, str]]:
    """Return everybody with the id that they wrote from last, in turns of the shops."""
    people = [
        (crowd, lead_id, "5531" + phone[5:] + "@s.whatsapp.net")
        for place in range(len(met[0].leads))
        for crowd in met
        for lead_id, phone in [crowd.leads[place]]
    ]
    connection = await asyncpg.connect(bench.world.database_url)
    try:
        _, ids, contacts = zip(*people, strict=True)
        await connection.execute(_WROTE, ids, contacts)
    finally:
        await connection.close()
    return [(crowd, contact) for crowd, _, contact in people]
