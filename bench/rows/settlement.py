"""``settlement``: from webhooks that are kept to orders that are confirmed, in this process.

The job runs as a worker runs it, without the queue. What it costs to ask the gateway is most
of the floor's work, so what is done in the database is measured by itself, too.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle, islice
from statistics import median
from uuid import UUID, uuid4

import asyncpg
import httpx
from pydantic import AnyHttpUrl

from bench.floor_webhooks_settling import Settler
from bench.gateway import TOTAL_CENTS, Gateway
from bench.report import Section
from bench.rows.webhooks import SECRET, connected_shops, event
from bench.run import Bench
from bench.shops import Shop
from vek1_api.abacatepay import PaymentState, redacted
from vek1_api.access import access as accesses
from vek1_api.core.encryption import Keyring
from vek1_api.core.resources import Resources
from vek1_api.embedded.processes import LOOPBACK
from vek1_api.inbox import service as inbox
from vek1_api.opening import open_resources
from vek1_api.orders import attempts
from vek1_api.orders.status import Actor
from vek1_api.payments import learning, understanding
from vek1_api.payments.asking import Told

TARGET = 0.50
ORDERS, QUICK_ORDERS = 600, 200
"""Settled in each turn."""

AT_ONCE = 4
COLUMNS = (
    "row",
    "service, orders/s",
    "floor, orders/s",
    "service, p50 ms",
    "floor, p50 ms",
    "ratio",
    "target",
)
_POOL_SIZE = 20
_FIRST_NUMBER = 50_000_000
"""Numbers of these orders begin here, above those that the service gives."""

_WAITING = """
    WITH given AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[],
                             $6::bytea[], $7::int[])
            AS g (order_id, attempt_id, inbox_id, store_id, charge_id, body, number)
    ), lead AS (
        INSERT INTO leads (id, store_id, channel, external_id, name)
        SELECT order_id, store_id, 'website', order_id::text, 'Joana Ribeiro' FROM given
    ), made AS (
        INSERT INTO orders (id, store_id, lead_id, number, status, payment_method,
                            payment_provider, payment_external_id, payment_br_code,
                            payment_expires_at, subtotal_cents, total_cents, customer_name)
        SELECT order_id, store_id, order_id, number, 'awaiting_proof', 'pix_gateway',
               'abacate_pay', charge_id, '00020101021226', timezone('UTC', now()) + interval '1h',
               $8, $8, 'Joana Ribeiro'
        FROM given
    ), state AS (
        INSERT INTO vek1_api.order_state (order_id, store_id, number, drafted_at, attempt_id)
        SELECT order_id, store_id, number, NULL, attempt_id FROM given
    ), attempt AS (
        INSERT INTO payment_attempts
            (id, order_id, provider, external_id, status, amount_cents)
        SELECT attempt_id, order_id, 'abacate_pay', charge_id, 'initialized', $8 FROM given
    ), ref AS (
        INSERT INTO vek1_api.attempt_ref
            (attempt_id, order_id, store_id, provider, external_id, state, amount_cents,
             br_code, expires_at, check_at)
        SELECT attempt_id, order_id, store_id, 'abacate_pay', charge_id, 'open', $8,
               '00020101021226', now() + interval '1h', now() + interval '1h'
        FROM given
    ), alias AS (
        INSERT INTO vek1_api.attempt_alias (provider, external_id, attempt_id)
        SELECT 'abacate_pay', name, attempt_id
        FROM given, unnest(ARRAY[charge_id, replace(charge_id, 'pix_', '')]) AS name
    )
    INSERT INTO vek1_api.webhook_inbox (id, source, store_id, event_key, headers, body)
    SELECT inbox_id, 'abacatepay', store_id, inbox_id::text, '{}', body FROM given
"""
_SETTLED = """
    SELECT count(*) FROM vek1_api.webhook_inbox AS i
    JOIN orders AS o ON o.id = i.order_id AND o.status = 'confirmed' AND o.paid_at IS NOT NULL
    JOIN leads AS l ON l.id = o.lead_id AND l.total_purchases = 1
    JOIN vek1_api.attempt_ref AS r ON r.order_id = o.id AND r.state = 'paid'
    JOIN payment_attempts AS a ON a.id = r.attempt_id AND a.status = 'paid'
    JOIN vek1_api.order_state AS t ON t.paid_attempt_id = a.id
    WHERE i.id = ANY ($1) AND i.verdict = 'applied'
      AND (SELECT array_agg(type ORDER BY created_at) FROM order_events WHERE order_id = o.id)
          = '{payment_paid,confirmed}'
      AND (SELECT count(*) FROM audit_log JOIN vek1_api.audit_trail ON entry_id = id
           WHERE target_id = o.id::text) = 1
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits, and the webhook which tells that it was paid."""

    inbox_id: UUID
    order_id: UUID
    attempt_id: UUID
    charge_id: str
    shop: Shop


Settle = Callable[[Waiting], Awaitable[None]]
Turn = tuple[float, float]
"""Orders a second, and the median of what each took in milliseconds."""


class NotSettledError(Exception):
    """Some orders were not settled, so the figures mean nothing."""


async def run(bench: Bench) -> list[Section]:
    """Settle in turns: all of it, and the database's part."""
    shops = await connected_shops(bench, "settled")
    numbers = count(_FIRST_NUMBER)
    orders = QUICK_ORDERS if bench.is_quick else ORDERS
    connection = await asyncpg.connect(bench.world.database_url)
    sections = []
    try:
        async with _settlers(bench) as settlers:
            for name, at_once, pair in settlers:
                turns: list[list[Turn]] = []
                for number in range(bench.rounds + 1):
                    bench.say(f"{name}: round {number} of {bench.rounds}")
                    turns.append([])
                    for settle in pair:
                        waiting = await _waiting(connection, shops, orders, numbers)
                        turns[-1].append(await _turn(connection, settle, waiting, at_once))
                # The first warmed up.
                sections.append(_section(name, turns[1:]))
    finally:
        await connection.close()
    return sections


@asynccontextmanager
async def _settlers(
    bench: Bench,
) -> AsyncGenerator[list[tuple[str, int, tuple[Settle, Settle]]]]:
    """Lend what settles, service and floor, with its row's name and how many at once."""
    url = bench.world.database_url
    server = await asyncio.get_running_loop().create_server(Gateway, LOOPBACK, 0)
    async with (
        server,
        asyncpg.create_pool(url, min_size=_POOL_SIZE, max_size=_POOL_SIZE) as pool,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        address = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        known = {"abacatepay_url": AnyHttpUrl(address)}
        settings = bench.world.settings.model_copy(update=known)
        resources = open_resources(settings)
        floor = Settler(pool, http, Keyring(settings.encryption_keys), address)
        whole: tuple[Settle, Settle] = (
            lambda one: understanding.understand(resources, one.inbox_id),
            lambda one: floor.settle(one.inbox_id),
        )
        written: tuple[Settle, Settle] = (
            lambda one: _write(resources, one),
            lambda one: floor.match_and_write(
                one.inbox_id, one.charge_id, one.shop.store_id, is_dev=False
            ),
        )
        try:
            yield [
                ("webhook settlement, one by one", 1, whole),
                (f"webhook settlement, {AT_ONCE} at once", AT_ONCE, whole),
                ("its database part, one by one", 1, written),
                (f"its database part, {AT_ONCE} at once", AT_ONCE, written),
            ]
        finally:
            await resources.close()


async def _write(resources: Resources, one: Waiting) -> None:
    """Do what the job does once the gateway has said that the charge was paid."""
    access = accesses.system(one.shop.user_id)
    told = Told(one.charge_id, PaymentState.PAID)
    async with resources.database.transaction() as tx:
        attempt = await attempts.find(tx, one.attempt_id)
        assert attempt is not None
        learned = await learning.learn(tx, access, attempt, told, Actor.WEBHOOK)
        await inbox.conclude(
            tx, one.inbox_id, learned.verdict, learned.reason, one.order_id
        )


async def _waiting(
    connection: asyncpg.Connection, shops: list[Shop], orders: int, numbers: "count[int]"
) -> list[Waiting]:
    """Write orders that wait to be paid."""
    made = [
        Waiting(uuid4(), uuid4(), uuid4(), f"pix_char_{uuid4().hex}", shop)
        for shop in islice(cycle(shops), orders)
    ]
    bodies = [
        redacted(event(one.charge_id, str(one.attempt_id), str(one.order_id)), (SECRET,))
        for one in made
    ]
    async with connection.transaction():
        # Without triggers: what they would add is given.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            _WAITING,
            [one.order_id for one in made],
            [one.attempt_id for one in made],
            [one.inbox_id for one in made],
            [one.shop.store_id for one in made],
            [one.charge_id for one in made],
            bodies,
            [next(numbers) for _ in made],
            TOTAL_CENTS,
        )
    return made


async def _turn(
    connection: asyncpg.Connection, settle: Settle, waiting: list[Waiting], at_once: int
) -> Turn:
    """Settle all of them, and make sure that they are."""
    taken: list[float] = []
    left = iter(waiting)

    async def work() -> None:
        for one in left:
            began = time.perf_counter()
            await settle(one)
            taken.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    elapsed = time.perf_counter() - began
    settled = await connection.fetchval(_SETTLED, [one.inbox_id for one in waiting])
    if settled != len(waiting):
        message = f"{settled} of {len(waiting)} orders were settled"
        raise NotSettledError(message)
    return len(waiting) / elapsed, median(taken)


def _section(name: str, turns: list[list[Turn]]) -> Section:
    (mine, mine_ms), (its, its_ms) = (
        zip(*turn, strict=True) for turn in zip(*turns, strict=True)
    )
    ratios = [own / floor for own, floor in zip(mine, its, strict=True)]
    ratio = median(ratios)
    row = (
        name,
        _shown(mine),
        _shown(its),
        f"{median(mine_ms):.1f}",
        f"{median(its_ms):.1f}",
        f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        f"≥ {TARGET:.2f}",
    )
    note = (
        "The job in one process, without the queue; two questions to a gateway in the same "
        "process, which answers at once."
    )
    missed = [f"{name}: {ratio:.2f} of the floor, {TARGET:.2f} wanted."]
    return Section(
        "Settling what was paid", COLUMNS, [row], note, missed if ratio < TARGET else []
    )


def _shown(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
