"""``webhooks``: taking new webhooks of AbacatePay's in."""

import base64
import hmac
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from uuid import uuid4

import httpx
import orjson
from typing_extensions import override

from bench.gateway import TOTAL_CENTS
from bench.load import request
from bench.report import Section
from bench.run import Bench
from bench.shops import Shop, open_shops
from vek1_api.abacatepay import PUBLIC_KEY

TARGET = 0.50
SHOPS = 32
EVENTS = 12_000
"""Of one turn: more than are sent in it, so that each is new."""

SECRET = "um-segredo-que-o-lojista-escolheu-2026"  # noqa: S105 - of shops that live for a run.
API_KEY = "abc_prod_4f1c9d3e7b2a"


class Deliveries(Iterable[str]):
    """Signed webhooks, to the shops in turn: other ones each time that they are read."""

    def __init__(self, shops: list[Shop]) -> None:
        self._shops = shops

    @override
    def __iter__(self) -> Iterator[str]:
        return (delivery(shop) for shop in islice(cycle(self._shops), EVENTS))


def delivery(shop: Shop) -> str:
    """Return the request of a new webhook, as AbacatePay sends it."""
    body = event(f"pix_char_{uuid4().hex}", str(uuid4()), str(uuid4()))
    signature = base64.b64encode(hmac.digest(PUBLIC_KEY.encode(), body, "sha256"))
    headers = {
        "User-Agent": "AbacatePay/1.0",
        "X-Webhook-Secret": SECRET,
        "X-Webhook-Signature": signature.decode(),
    }
    path = f"/webhooks/abacatepay/{shop.store_id}?webhookSecret={SECRET}"
    return request("POST", path, headers, body)


def event(charge_id: str, payment_id: str, order_id: str) -> bytes:
    """Return the body of a webhook that tells of a paid charge."""
    at = "2026-11-23T14:03:22.000Z"
    charge = {
        "id": charge_id,
        "externalId": payment_id,
        "amount": TOTAL_CENTS,
        "paidAmount": TOTAL_CENTS,
        "platformFee": 80,
        "status": "PAID",
        "frequency": "ONE_TIME",
        "devMode": False,
        "methods": ["PIX"],
        "createdAt": at,
        "updatedAt": at,
        "metadata": {"payment_id": payment_id, "order_id": order_id},
    }
    person = {"name": "Joana Ribeiro", "taxId": "123.***.789-**"}
    return orjson.dumps(
        {
            "id": f"log_{uuid4().hex}",
            "event": "transparent.completed",
            "apiVersion": 2,
            "devMode": False,
            "data": {
                "transparent": charge,
                "customer": {"id": "cust_1", "email": "joana@example.com", **person},
                "payerInformation": {"method": "PIX", "PIX": person},
            },
        }
    )


async def run(bench: Bench) -> list[Section]:
    """Compare the intake of new webhooks."""
    shops = await connected_shops(bench, "paid")
    return [await bench.compare("webhook intake", Deliveries(shops), target=TARGET)]


async def connected_shops(bench: Bench, prefix: str) -> list[Shop]:
    """Open shops with a key of AbacatePay and a webhook secret, which the service seals."""
    bench.say("opening shops that AbacatePay pays")
    world = bench.world
    shops = await open_shops(world, prefix, SHOPS)
    settings = {
        "abacate_pay_api_key": API_KEY,
        "abacate_pay_webhook_secret": SECRET,
        "pix_enabled": True,
    }
    async with httpx.AsyncClient(base_url=world.app_url, trust_env=False) as http:
        for shop in shops:
            path = f"/v1/stores/{shop.store_id}/payment-settings"
            headers = world.headers(shop.user_id)
            (await http.put(path, headers=headers, json=settings)).raise_for_status()
    return shops
