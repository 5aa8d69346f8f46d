"""``create_document``: a text of about 600 characters under an ``Idempotency-Key``."""

import orjson

from bench.load import KEY, request
from bench.report import Section
from bench.run import Bench
from bench.shops import TEXT

TARGET = 0.50


async def run(bench: Bench) -> list[Section]:
    """Measure adding a document; no worker runs, so its job stays in the queue."""
    body = orjson.dumps({"title": "Política de trocas", "content": TEXT})
    requests = [
        request(
            "POST",
            f"/v1/stores/{shop.store_id}/documents",
            bench.world.headers(shop.user_id) | {"Idempotency-Key": KEY},
            body,
        )
        for shop in await bench.shops()
    ]
    return [await bench.compare("create a document", requests, target=TARGET)]
