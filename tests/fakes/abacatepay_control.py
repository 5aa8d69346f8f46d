"""The fake AbacatePay's switches over HTTP, for tests whose fake is another process.

Every one is ``POST /_control/{name}`` with a JSON object; the answer is one too.

* ``stores {name?, dev_key?, prod_key?}`` → ``{id, dev_key, prod_key}``
* ``pay {charge_id, amount?}``, ``dispute {charge_id}``, ``event {charge_id, name?}`` →
  ``{event, store_id}``
* ``deliver {event, store_id, to?: [{url, secret, …}], times?, concurrently?}`` → ``{statuses}``
* ``fail {operation, times?, …}`` with the fields of ``Fault`` (``body`` as text)
* ``advance {seconds}`` · ``set {…}`` with the switches of ``State``, and ``delivers``
* ``balance {store_id, available_cents}`` · ``state {}`` → charges, webhooks and calls
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.abacatepay_events import Delivery, FakeEvent
from tests.fakes.abacatepay_faults import Fault

if TYPE_CHECKING:
    from tests.fakes.abacatepay import AbacatePayServer

Json = dict[str, Any]


async def control(fake: "AbacatePayServer", name: str, asked: Json) -> Json:
    """Do what is asked; the names are those above."""
    return await _COMMANDS[name](fake, asked)


async def _stores(fake: "AbacatePayServer", asked: Json) -> Json:
    store = fake.new_store(**asked)
    return {"id": store.id, "dev_key": store.dev_key, "prod_key": store.prod_key}


async def _pay(fake: "AbacatePayServer", asked: Json) -> Json:
    return _shown(fake.pay(**asked))


async def _dispute(fake: "AbacatePayServer", asked: Json) -> Json:
    return _shown(fake.dispute(**asked))


async def _event(fake: "AbacatePayServer", asked: Json) -> Json:
    return _shown(fake.event(**asked))


async def _deliver(fake: "AbacatePayServer", asked: Json) -> Json:
    event = FakeEvent(asked.pop("event"), asked.pop("store_id", ""))
    to = asked.pop("to", None)
    where = None if to is None else [Delivery(**one) for one in to]
    return {"statuses": await fake.deliver(event, to=where, **asked)}


async def _fail(fake: "AbacatePayServer", asked: Json) -> Json:
    operation, times = asked.pop("operation"), asked.pop("times", 1)
    if "body" in asked:
        asked["body"] = asked["body"].encode()
    fake.fail(operation, Fault(**asked), times)
    return {}


async def _advance(fake: "AbacatePayServer", asked: Json) -> Json:
    fake.advance(**asked)
    return {}


async def _set(fake: "AbacatePayServer", asked: Json) -> Json:
    for name, value in asked.items():
        holder: object = fake if name == "delivers" else fake.state
        if not hasattr(holder, name):
            raise KeyError(name)
        setattr(holder, name, value)
    return {}


async def _balance(fake: "AbacatePayServer", asked: Json) -> Json:
    fake.state.stores[asked["store_id"]].available_cents = asked["available_cents"]
    return {}


async def _state(fake: "AbacatePayServer", _asked: Json) -> Json:
    return {
        "charges": [
            fake.charge(charge_id).wire() | {"store_id": charge.store_id}
            for charge_id, charge in fake.state.charges.items()
        ],
        "webhooks": [webhook.wire() for webhook in fake.state.webhooks.values()],
        "calls": [
            {"operation": call.operation, "query": call.query, "body": call.body}
            for call in fake.calls
        ],
    }


def _shown(event: FakeEvent) -> Json:
    return {"event": event.body, "store_id": event.store_id}


_COMMANDS: dict[str, Callable[["AbacatePayServer", Json], Awaitable[Json]]] = {
    "stores": _stores,
    "pay": _pay,
    "dispute": _dispute,
    "event": _event,
    "deliver": _deliver,
    "fail": _fail,
    "advance": _advance,
    "set": _set,
    "balance": _balance,
    "state": _state,
}
