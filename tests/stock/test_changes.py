"""Changes of a stock by hand, and the ledger that shows them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import RunJobs
from tests.fakes.erp import Erp
from tests.people import Person
from tests.stock.shelves import START, Shop, fill, sell, stocks
from vek1_api.core.db import Driver


async def change(shop: Shop, key: str, body: Any, **headers: str) -> Any:
    path = f"/v1/products/{shop.products[key]}/stock"
    return await shop.owner.request("POST", path, json=body, headers=headers)


async def movements(shop: Shop, **filters: Any) -> list[Any]:
    page = await shop.owner.get(f"/v1/stores/{shop.store_id}/stock-movements", **filters)
    return list(page["items"])


async def test_stock_changes_by_units_and_to_what_was_counted(
    shop: Shop, db: Driver
) -> None:
    broken = await change(shop, "CAF-A", {"delta": -2, "reason": "Quebrou no balcão"})
    counted = await change(shop, "CAF-A", {"stock": 11})

    assert (broken.status_code, broken.json()["stock"]) == (200, 8)
    assert (counted.status_code, counted.json()["stock"]) == (200, 11)
    assert (await stocks(db, shop))["CAF-A"] == 11
    made = await movements(shop, product_id=shop.products["CAF-A"])
    assert [(each["delta"], each["reason"], each["payload"]) for each in made] == [
        (3, "manual", {"source": "manual"}),
        (-2, "manual", {"source": "manual", "reason": "Quebrou no balcão"}),
        (10, "manual", {"source": "opening"}),
    ]


async def test_a_change_is_in_the_trail_without_its_words(shop: Shop) -> None:
    await change(shop, "CAF-A", {"delta": -2, "reason": "Levado por Joana"})

    [entry] = await shop.owner.audit(action="stock.adjusted")
    assert (entry["actor_user_id"], entry["target_id"], entry["meta"]) == (
        shop.owner.user_id,
        shop.products["CAF-A"],
        {"delta": -2, "before": 10, "after": 8},
    )


async def test_who_is_forgotten_is_not_named_in_the_ledger_any_more(
    shop: Shop, run_jobs: RunJobs, db: Driver
) -> None:
    lead = await shop.owner.post(
        f"/v1/stores/{shop.store_id}/leads",
        {"channel": "whatsapp", "external_id": "5531999998888", "name": "Joana Prado"},
    )
    for words in ("Levado por joana prado", "Trocado, (31) 99999-8888", "Quebrou"):
        await change(shop, "CAF-A", {"delta": -1, "reason": words})

    await shop.owner.delete(f"/v1/leads/{lead['id']}")
    await run_jobs()

    made = await movements(shop, product_id=shop.products["CAF-A"])
    assert [each["payload"].get("reason") for each in made] == ["Quebrou", None, None, None]
    assert (await stocks(db, shop))["CAF-A"] == 7


@pytest.mark.parametrize("body", [{"delta": -11}, {"delta": 1_000_000_000}])
async def test_a_stock_that_cannot_be_is_refused_and_nothing_changes(
    body: Any, shop: Shop, db: Driver
) -> None:
    response = await change(shop, "CAF-A", body)

    assert (response.status_code, response.json()["code"]) == (409, "insufficient_stock")
    assert await stocks(db, shop) == START
    assert await shop.owner.audit(action="stock.adjusted") == []


@pytest.mark.parametrize(
    "body",
    [{}, {"delta": 1, "stock": 1}, {"stock": -1}, {"delta": 0.5}, {"delta": "1"},
     {"stock": 1, "why": "x"}, {"delta": 10**10}],
)  # fmt: skip
async def test_a_change_that_is_none_is_refused(body: Any, shop: Shop, db: Driver) -> None:
    assert (await change(shop, "CAF-A", body)).status_code == 422
    assert await stocks(db, shop) == START


@pytest.mark.parametrize("body", [{"delta": 0}, {"stock": 10}])
async def test_what_changes_nothing_leaves_no_trace(body: Any, shop: Shop) -> None:
    response = await change(shop, "CAF-A", body)

    assert (response.status_code, response.json()["stock"]) == (200, 10)
    assert len(await movements(shop, product_id=shop.products["CAF-A"])) == 1
    assert await shop.owner.audit(action="stock.adjusted") == []


async def test_an_older_version_is_not_changed(shop: Shop, db: Driver) -> None:
    path = f"/v1/products/{shop.products['CAF-A']}"
    tag = (await shop.owner.request("GET", path)).headers["etag"]

    first = await change(shop, "CAF-A", {"delta": -1}, **{"If-Match": tag})
    second = await change(shop, "CAF-A", {"delta": -1}, **{"If-Match": tag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["etag"] != tag
    assert (await stocks(db, shop))["CAF-A"] == 9


async def test_the_same_request_twice_has_one_effect(shop: Shop, db: Driver) -> None:
    key = {"Idempotency-Key": "contagem-1"}

    answers = [await change(shop, "CAF-A", {"delta": -1}, **key) for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert (await stocks(db, shop))["CAF-A"] == 9


async def test_the_ledger_is_listed_by_product_reason_order_and_time(
    shop: Shop, erp: Erp, db: Driver
) -> None:
    order_id = uuid4()
    await sell(db, shop, "CAF-B", 3)
    await db.execute(
        "SELECT vek1_api.move_stock($1, $2, $3, 'order_created', $4)",
        UUID(shop.store_id),
        [UUID(shop.products["CAF-A"]), UUID(shop.products["CAF-B"])],
        [-1, -1],
        order_id,
    )
    await erp.send([{"product_integration_id": "CAF-A", "stock": 30}])
    everything = await movements(shop)

    async def deltas(**filters: Any) -> list[int]:
        return [each["delta"] for each in await movements(shop, **filters)]

    assert sorted(each["delta"] for each in everything) == [-3, -1, -1, 10, 20, 21]
    assert await deltas(product_id=shop.products["CAF-B"]) == [-1, -3, 20]
    assert await deltas(reason="inbound_sync") == [21]
    assert await deltas(order_id=str(order_id)) == [-1, -1]
    moment = everything[0]["created_at"]
    assert await deltas(**{"from": moment}) == [21]
    assert len(await deltas(to=moment)) == 5


async def test_an_order_that_nobody_has_is_no_filter(shop: Shop) -> None:
    response = await shop.owner.request(
        "GET",
        f"/v1/stores/{shop.store_id}/stock-movements",
        params={"order_id": str(uuid4())},
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/order_id"


async def test_pages_of_the_ledger_repeat_and_hide_nothing(shop: Shop, db: Driver) -> None:
    await fill(db, shop, 7)
    seen: list[str] = []
    cursor: dict[str, str] = {}

    while True:
        page = await shop.owner.get(
            f"/v1/stores/{shop.store_id}/stock-movements", limit=2, **cursor
        )
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        await sell(db, shop, "CAF-A", 1)

    assert len(seen) == len(set(seen)) == 9
    assert len(await movements(shop)) > 9


async def test_the_ledger_outlives_its_product(shop: Shop) -> None:
    await shop.owner.delete(f"/v1/products/{shop.products['CAF-A']}")

    shown = {each["delta"]: each["product_id"] for each in await movements(shop)}

    assert shown == {10: None, 20: shop.products["CAF-B"]}


async def test_anothers_ledger_is_not_found(shop: Shop, bruno: Person) -> None:
    for path in ("stock-movements", "stock-reconciliation"):
        response = await bruno.request("GET", f"/v1/stores/{shop.store_id}/{path}")
        assert response.status_code == 404
