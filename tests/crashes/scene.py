"""One merchant's shop, in which one process dies at one point: what is done, what is seen."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson

from tests.crashes.locks import Lock, locked
from tests.crashes.waiting import until
from tests.crashes.product import Part, Product
from tests.crashes.wire import Wire
from tests.fakes.abacatepay import Delivery, FakeEvent
from tests.fakes.abacatepay_shapes import Charge, Store
from tests.payments.till import MANUAL, SECRET
from tests.people import Person

STOCK = 10
"""Bags of coffee at the beginning."""

PRICE_CENTS = 2990


@dataclass(frozen=True)
class Cut:
    """A request that stands at a commit; the process dies, and it is sent again."""

    scene: "Scene"
    path: str
    key: str
    options: dict[str, Any]
    request: "asyncio.Task[httpx.Response]"

    async def again(self, status: int = 200) -> Any:
        """Repeat it, and once more for the same answer; return the body."""
        assert await is_lost(self.request)
        first = await self.scene.repeat("POST", self.path, self.key, **self.options)
        second = await self.scene.repeat("POST", self.path, self.key, **self.options)
        assert first.status_code == second.status_code == status, first.text
        assert second.content == first.content
        assert second.headers["idempotency-replayed"] == "true"
        return first.json()


@dataclass(frozen=True)
class Scene:
    """A store with ten bags of coffee and an account at the gateway, nobody else's."""

    product: Product
    person: Person
    store_id: str
    coffee_id: str
    lead_id: str
    account: Store

    @classmethod
    async def set_up(cls, product: Product, person: Person, name: str) -> Self:
        """Open the store."""
        store_id = (await person.open_store(f"Loja {name}"[:60]))["id"]
        coffee = {"name": "Café", "price": PRICE_CENTS / 100, "stock": STOCK}
        made = await person.post(f"/v1/stores/{store_id}/products", coffee)
        lead = {"channel": "whatsapp", "external_id": "5531999998888"}
        lead = await person.post(f"/v1/stores/{store_id}/leads", lead)
        account = product.gateway.new_store(name)
        paid_by = {
            "abacate_pay_api_key": account.prod_key,
            "abacate_pay_webhook_secret": SECRET,
            "pix_enabled": True,
            "cash_on_delivery_enabled": True,
            **MANUAL,
        }
        path = f"/v1/stores/{store_id}/payment-settings"
        answer = await person.request("PUT", path, json=paid_by)
        assert answer.status_code == 200, answer.text
        return cls(product, person, store_id, made["id"], lead["id"], account)

    @property
    def api(self) -> Wire:
        """The API's wire to Postgres."""
        return self.product.wires[Part.API]

    @property
    def worker(self) -> Wire:
        """The worker's wire to Postgres."""
        return self.product.wires[Part.WORKER]

    @property
    def orders(self) -> str:
        """Where the store's orders are."""
        return f"/v1/stores/{self.store_id}/orders"

    def basket(self, quantity: int = 2, **more: Any) -> dict[str, Any]:
        """Return what is sent to order coffee."""
        items = [{"product_id": self.coffee_id, "quantity": quantity}]
        return {"items": items, "lead_id": self.lead_id, "source": "manual", **more}

    async def order(self, quantity: int = 2) -> Any:
        """Return a draft."""
        return await self.person.post(self.orders, self.basket(quantity))

    async def asked_to_pay(self, method: str = "pix_gateway") -> Any:
        """Return an order whose code the customer has."""
        order = await self.order()
        path = f"/v1/orders/{order['id']}/payment"
        return await self.person.post(path, {"method": method}, 200)

    async def charged(self) -> tuple[Any, Charge]:
        """Return an order and its charge, for which nobody but a webhook asks."""
        order = await self.asked_to_pay()
        await self.product.db.execute(
            "UPDATE vek1_api.attempt_ref SET check_at = now() + interval '1 hour'"
            " WHERE order_id = $1",
            UUID(order["id"]),
        )
        [charge] = self.charges
        return order, charge

    async def paid(self) -> Any:
        """Return an order that was paid through the gateway."""
        order, charge = await self.charged()
        assert await self.tell(self.product.gateway.pay(charge.id)) == 200
        await self.becomes(order, "confirmed")
        return order

    @property
    def charges(self) -> list[Charge]:
        """The charges that the gateway made for this store."""
        charges = self.product.gateway.state.charges.values()
        return [charge for charge in charges if charge.store_id == self.account.id]

    async def tell(self, event: FakeEvent) -> int:
        """Deliver a webhook; return the status of the answer, 0 if none came."""
        url = self.person.http.base_url.join(f"/webhooks/abacatepay/{self.store_id}")
        to = [Delivery(str(url), SECRET)]
        [status] = await self.product.gateway.deliver(event, to=to)
        return status

    def tell_once(self, event: FakeEvent) -> "asyncio.Task[int]":
        """Deliver a webhook, and do not wait for its answer."""
        return asyncio.create_task(self.tell(event))

    async def tell_until_taken(self, event: FakeEvent) -> None:
        """Deliver a webhook as its sender does: again, while it is not answered."""

        async def is_taken() -> bool:
            return await self.tell(event) == httpx.codes.OK

        await until(is_taken)

    def send(
        self, method: str, path: str, key: str = "", **options: Any
    ) -> "asyncio.Task[httpx.Response]":
        """Send a request, and do not wait for its answer."""
        headers = {"Idempotency-Key": key} if key else {}
        return asyncio.create_task(
            self.person.request(method, path, headers=headers, **options)
        )

    def sent(self, path: str, **options: Any) -> Cut:
        """Send a request with a key of its own, and do not wait."""
        key = new_key()
        return Cut(self, path, key, options, self.send("POST", path, key, **options))

    async def before_commit(self, mark: bytes, path: str, **options: Any) -> Cut:
        """Bring a request to where all is written; ``mark`` is sent by it alone."""
        stand = self.api.before_commit(mark)
        cut = self.sent(path, **options)
        await stand.reached.wait()
        return cut

    async def after_commit(self, mark: bytes, path: str, **options: Any) -> Cut:
        """Bring a request to where all is committed, and it does not know that yet."""
        stand = self.api.after_commit(mark)
        cut = self.sent(path, **options)
        await stand.reached.wait()
        return cut

    async def repeat(
        self, method: str, path: str, key: str = "", **options: Any
    ) -> httpx.Response:
        """Send a request as a careful client does: again, while told to or not answered."""
        answers: list[httpx.Response] = []

        async def is_answered() -> bool:
            try:
                answer = await self.send(method, path, key, **options)
            except httpx.TransportError:
                return False
            answers.append(answer)
            return answer.is_success or "retry-after" not in answer.headers

        await until(is_answered)
        return answers[-1]

    async def seen(self, order: Any) -> Any:
        """Return an order as the merchant sees it, once the API answers."""
        answer = await self.repeat("GET", f"/v1/orders/{order['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def all_orders(self) -> list[Any]:
        """Return the store's orders, the first one first."""
        answer = await self.repeat("GET", self.orders)
        return list(reversed(answer.json()["items"]))

    async def becomes(self, order: Any, status: str) -> Any:
        """Return an order as soon as it has a status."""

        async def has_it() -> bool:
            return bool((await self.seen(order))["status"] == status)

        await until(has_it)
        return await self.seen(order)

    async def stock(self) -> int:
        """Return how many bags are left."""
        answer = await self.repeat("GET", f"/v1/products/{self.coffee_id}")
        return int(answer.json()["stock"])

    async def is_swept(self, order: Any) -> None:
        """Make an order's charge due, together with those of the other scenes."""
        await self.make_due(*await self.product.sweep.join(order["id"]))

    async def make_due(self, *order_ids: str) -> None:
        """Let the time come at which somebody may ask for these orders' charges."""
        await self.product.db.execute(
            "UPDATE vek1_api.attempt_ref SET check_at = now() WHERE order_id = ANY ($1)",
            [UUID(order_id) for order_id in order_ids],
        )

    async def enqueue(self, job: str, **payload: str) -> None:
        """Have a job run, as another part of the product does."""
        said = orjson.dumps(payload).decode()
        statement = "SELECT vek1_api.enqueue($1, $2::json, NULL, NULL)"
        await self.product.db.execute(statement, job, said)

    async def attention(self) -> list[str]:
        """Return what a person must look at."""
        answer = await self.repeat("GET", f"/v1/stores/{self.store_id}/attention")
        return [item["kind"] for item in answer.json()["items"]]

    async def rows(self, statement: str, *values: Any) -> "list[asyncpg.Record]":
        """Look past the API."""
        return list(await self.product.db.fetch(statement, *values))

    def lock(self, statement: str, *values: Any) -> AbstractAsyncContextManager[Lock]:
        """Keep rows for the block; who wants them stands there."""
        return locked(self.product.db, statement, *values)


def new_key() -> str:
    """Return an ``Idempotency-Key``."""
    return f"key-{uuid4().hex}"


def marker(row: Any) -> bytes:
    """Return how a row's id looks on the wire."""
    return UUID(row["id"]).bytes


async def is_lost(request: "asyncio.Task[httpx.Response]") -> bool:
    """Return whether a request had no answer."""
    try:
        await request
    except httpx.TransportError:
        return True
    return False


def path_of(order: Any, verb: str = "") -> str:
    """Return where an order is, or something of it."""
    return f"/v1/orders/{order['id']}/{verb}".rstrip("/")


def payments(order: Any) -> tuple[int, list[str]]:
    """Return how often an order was paid by its events, and its attempts' states."""
    events = [event for event in order["events"] if event["type"] == "payment_paid"]
    return len(events), [attempt["state"] for attempt in order["payment_attempts"]]
