"""What a store's ERP says of its stock, and what becomes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.fakes.erp import Erp, hostile_items
from tests.people import Person
from tests.stock.shelves import START, Shop, fill, open_shop, sell, stocks
from vek1_api.core.db import Driver

MINUTE = timedelta(minutes=1)


def at(moment: datetime) -> str:
    return moment.isoformat()


async def test_levels_and_changes_are_applied_each_with_its_verdict(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    answer = await erp.send(
        [
            erp.item("CAF-A", stock=7, external_id="m-1"),
            {"product_id": shop.products["CAF-B"], "delta": -5},
            {"product_integration_id": "CAF-C", "stock": 0},
            {"product_integration_id": "SUMIU", "stock": 3},
        ]
    )

    assert answer == {
        "dry_run": False,
        "plan_id": None,
        "needs_force": False,
        "summary": {
            "applied": 2,
            "unchanged": 1,
            "duplicate": 0,
            "stale": 0,
            "not_found": 1,
            "rejected": 0,
        },
        "items": [
            _verdict("CAF-A", shop, "applied", 10, 7, external_id="m-1"),
            _verdict(None, shop, "applied", 20, 15, product_id=shop.products["CAF-B"]),
            _verdict("CAF-C", shop, "unchanged", 0, 0),
            _verdict(
                "SUMIU",
                shop,
                "not_found",
                None,
                None,
                code="product_not_found",
                message="No product of this store has this id.",
            ),
        ],
    }
    assert await stocks(db, shop) == {"CAF-A": 7, "CAF-B": 15, "CAF-C": 0}


def _verdict(
    key: str | None,
    shop: Shop,
    status: str,
    before: int | None,
    after: int | None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "product_integration_id": key,
        "product_id": shop.products.get(key or ""),
        "external_id": None,
        "status": status,
        "before": before,
        "after": after,
        "code": None,
        "message": None,
    } | more


async def test_what_the_erp_changed_is_in_the_ledger_and_in_the_trail(
    erp: Erp, shop: Shop
) -> None:
    noon = at(datetime.now(UTC) - MINUTE)

    await erp.send([erp.item("CAF-A", stock=7, external_id="m-1", occurred_at=noon)])

    path = f"/v1/stores/{shop.store_id}/stock-movements"
    [moved] = (await shop.owner.get(path, reason="inbound_sync"))["items"]
    said = datetime.fromisoformat(moved["payload"].pop("occurred_at"))
    assert said == datetime.fromisoformat(noon)
    assert moved | {"id": None, "created_at": None} == {
        "id": None,
        "store_id": shop.store_id,
        "product_id": shop.products["CAF-A"],
        "delta": -3,
        "reason": "inbound_sync",
        "order_id": None,
        "external_id": "m-1",
        "payload": {"source": "erp", "kind": "level", "said": 7},
        "created_at": None,
    }
    [entry] = await shop.owner.audit(action="stock.received")
    assert (entry["actor_user_id"], entry["store_id"]) == (None, shop.store_id)
    assert entry["meta"]["applied"] == 1
    assert entry["meta"]["forced"] is False


async def test_a_change_that_was_seen_before_is_a_duplicate_with_its_first_outcome(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    item = {"product_integration_id": "CAF-A", "delta": -2, "external_id": "venda-1"}
    other = item | {"product_integration_id": "CAF-B"}

    first = await erp.send([item])
    await sell(db, shop, "CAF-A", 1)
    again = await erp.send([item, other])

    assert first["items"][0]["status"] == "applied"
    assert [
        (each["status"], each["before"], each["after"], each["code"])
        for each in again["items"]
    ] == [("duplicate", 10, 8, None), ("duplicate", 20, 20, "conflict")]
    assert await stocks(db, shop) == {"CAF-A": 7, "CAF-B": 20, "CAF-C": 0}


async def test_one_id_twice_in_a_batch_counts_once(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    item = {"product_integration_id": "CAF-A", "delta": -2, "external_id": "venda-1"}

    assert await erp.verdicts([item, item]) == ["applied", "duplicate"]

    assert (await stocks(db, shop))["CAF-A"] == 8


async def test_two_stores_may_use_the_same_ids(erp: Erp, ana: Person, db: Driver) -> None:
    second = await open_shop(ana, db)
    hers = Erp(erp.http, second.store_id, second.secret)
    item = {"product_integration_id": "CAF-A", "delta": -2, "external_id": "venda-1"}

    assert await erp.verdicts([item]) == await hers.verdicts([item]) == ["applied"]


async def test_the_same_message_again_has_one_effect_and_one_answer(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    message = erp.message([{"product_integration_id": "CAF-A", "delta": -2}])

    first, again = await erp.post(message), await erp.post(message)

    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (await stocks(db, shop))["CAF-A"] == 8


async def test_an_idempotency_key_is_the_stores_own(
    erp: Erp, shop: Shop, ana: Person, db: Driver
) -> None:
    second = await open_shop(ana, db)
    body = {"items": [{"product_integration_id": "CAF-A", "delta": -2}]}
    answers = []

    for store in (shop, shop, second):
        headers = {"Authorization": f"Bearer {store.secret}", "Idempotency-Key": "k-1"}
        path = f"/erp/v1/stores/{store.store_id}/stock"
        answers.append(await erp.http.post(path, json=body, headers=headers))

    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert replayed == [None, "true", None]
    assert (await stocks(db, shop))["CAF-A"] == (await stocks(db, second))["CAF-A"] == 8


async def test_a_level_older_than_the_last_one_is_stale(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    noon = datetime.now(UTC) - 60 * MINUTE

    assert await erp.verdicts([erp.item("CAF-A", stock=6, occurred_at=at(noon))]) == [
        "applied"
    ]
    late = [
        erp.item("CAF-A", stock=9, occurred_at=at(noon - MINUTE)),
        erp.item("CAF-A", delta=-1, occurred_at=at(noon - MINUTE)),
        erp.item("CAF-A", delta=-1, occurred_at=at(noon)),  # The level has it already.
        erp.item("CAF-A", delta=-1, occurred_at=at(noon + MINUTE)),
        erp.item("CAF-A", stock=4, occurred_at=at(noon)),  # In the same second, later.
    ]

    assert await erp.verdicts(late[:4]) == ["stale", "stale", "stale", "applied"]
    assert (await stocks(db, shop))["CAF-A"] == 5
    # What came after the level of noon, the change of 12:01, is on top of it.
    assert await erp.verdicts(late[4:]) == ["applied"]
    assert (await stocks(db, shop))["CAF-A"] == 3


async def test_an_old_level_does_not_bring_back_what_was_sold_since(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    before = at(datetime.now(UTC))
    await sell(db, shop, "CAF-A", 2)
    await sell(db, shop, "CAF-B", 1)

    answer = await erp.send(
        [
            erp.item("CAF-A", stock=10, occurred_at=before),
            erp.item("CAF-B", stock=15, occurred_at=before),
        ]
    )

    assert [(each["status"], each["after"]) for each in answer["items"]] == [
        ("unchanged", 8),
        ("applied", 14),
    ]
    assert await stocks(db, shop) == {"CAF-A": 8, "CAF-B": 14, "CAF-C": 0}


async def test_a_level_that_comes_after_a_younger_change_keeps_it(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    noon = datetime.now(UTC) - 60 * MINUTE
    change = erp.item("CAF-A", delta=-3, occurred_at=at(noon + MINUTE))
    level = erp.item("CAF-A", stock=30, occurred_at=at(noon))
    together = [
        erp.item("CAF-B", delta=-3, occurred_at=at(noon + MINUTE)),
        erp.item("CAF-B", stock=30, occurred_at=at(noon)),
    ]

    assert await erp.verdicts([change]) == ["applied"]
    assert await erp.verdicts([level]) == ["applied"]
    assert await erp.verdicts(together) == ["applied", "applied"]

    assert await stocks(db, shop) == {"CAF-A": 27, "CAF-B": 27, "CAF-C": 0}


async def test_the_first_stock_of_a_product_is_not_added_to_an_older_level(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    yesterday = at(datetime.now(UTC) - timedelta(days=1))

    await erp.send([erp.item("CAF-A", stock=12, occurred_at=yesterday)])

    assert (await stocks(db, shop))["CAF-A"] == 12


async def test_a_level_without_its_time_is_of_now_and_never_stale(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    ahead = at(datetime.now(UTC) + 4 * MINUTE)
    items = [
        erp.item("CAF-A", stock=5, occurred_at=ahead),
        {"product_integration_id": "CAF-A", "stock": 6},
        {"product_integration_id": "CAF-A", "delta": 1},
    ]

    assert await erp.verdicts(items) == ["applied"] * 3
    assert (await stocks(db, shop))["CAF-A"] == 7


async def test_nothing_falls_below_zero_and_the_rest_is_applied(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    before = at(datetime.now(UTC))
    await sell(db, shop, "CAF-B", 5)

    answer = await erp.send(
        [
            {"product_integration_id": "CAF-A", "delta": -11},
            {"product_integration_id": "CAF-A", "delta": -10},
            erp.item("CAF-B", stock=4, occurred_at=before),
            {"product_integration_id": "CAF-C", "stock": -2},
        ]
    )

    assert [
        (each["status"], each["code"], each["message"]) for each in answer["items"]
    ] == [
        ("rejected", "negative_stock", "The stock would be -1."),
        ("applied", None, None),
        ("rejected", "negative_stock", "The stock would be -1."),
        ("rejected", "negative_stock", "The stock would be -2."),
    ]
    assert await stocks(db, shop) == {"CAF-A": 0, "CAF-B": 15, "CAF-C": 0}


async def test_ids_that_disagree_change_neither_product(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    a, b = shop.products["CAF-A"], shop.products["CAF-B"]
    items = [
        {"product_id": a, "product_integration_id": "CAF-A", "stock": 9},
        {"product_id": a, "product_integration_id": "CAF-B", "stock": 8},
        {"product_id": b, "product_integration_id": "SUMIU", "stock": 8},
        {"product_id": str(uuid4()), "product_integration_id": "CAF-B", "stock": 8},
    ]

    answer = await erp.send(items)

    assert [(each["status"], each["code"]) for each in answer["items"]] == [
        ("applied", None),
        *[("rejected", "conflict")] * 3,
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 9}


async def test_products_of_another_store_are_not_found(
    erp: Erp, bruno: Person, db: Driver
) -> None:
    his = await open_shop(bruno, db)

    verdicts = await erp.verdicts(
        [{"product_id": each, "stock": 1} for each in his.products.values()]
    )

    assert verdicts == ["not_found"] * 3
    assert await stocks(db, his) == START


async def test_a_clock_may_be_five_minutes_ahead_and_no_more(erp: Erp) -> None:
    soon, later = (at(datetime.now(UTC) + minutes * MINUTE) for minutes in (4, 6))

    answer = await erp.send(
        [
            erp.item("CAF-A", stock=1, occurred_at=soon),
            erp.item("CAF-B", stock=1, occurred_at=later),
        ]
    )

    assert [(each["status"], each["code"]) for each in answer["items"]] == [
        ("applied", None),
        ("rejected", "invalid"),
    ]


async def test_nonsense_is_refused_item_by_item_and_stops_nothing(
    erp: Erp, shop: Shop, ana: Person, db: Driver
) -> None:
    hostile = {"name": "H", "price": 1, "stock": 5, "product_integration_id": "HOSTILE"}
    await ana.post(f"/v1/stores/{shop.store_id}/products", hostile)

    answer = await erp.send(
        [*hostile_items(), {"product_integration_id": "CAF-A", "stock": 12.0}]
    )

    assert [each["status"] for each in answer["items"]] == [
        *["rejected"] * 7,
        *["not_found"] * 4,
        "rejected",
        "applied",
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 12, "HOSTILE": 5}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": [{"product_integration_id": "A", "stock": 1}] * 1001}, "/items"),
        ({"items": [{"stock": 1}]}, "/items/0"),
        ({"items": [{"product_integration_id": "A"}]}, "/items/0"),
        ({"items": [{"product_integration_id": "A", "stock": 1, "delta": 1}]}, "/items/0"),
        ({"items": [{"product_integration_id": "A", "stock": "1"}]}, "/items/0/stock"),
        ({"items": [{"product_integration_id": "A", "stock": True}]}, "/items/0/stock"),
        ({"items": [{"product_integration_id": "\x00", "stock": 1}]},
         "/items/0/product_integration_id"),
        ({"items": [{"product_integration_id": "A", "stock": 1, "sku": "A"}]},
         "/items/0/sku"),
        ({"items": [{"product_integration_id": "A", "stock": 1,
                     "occurred_at": "2026-11-22T10:00:00"}]}, "/items/0/occurred_at"),
    ],
)  # fmt: skip
async def test_what_has_not_the_shape_of_a_batch_is_refused_whole(
    erp: Erp, body: Any, pointer: str
) -> None:
    response = await erp.http.post(
        erp.path, json=body, headers={"Authorization": f"Bearer {erp.secret}"}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


async def test_a_thousand_items_of_one_product_are_taken_in_their_order(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    items = [{"product_integration_id": "CAF-A", "delta": 1}] * 999
    answer = await erp.send([*items, {"product_integration_id": "CAF-A", "delta": -9}])

    assert [each["after"] for each in answer["items"]] == [*range(11, 1010), 1000]
    assert (await stocks(db, shop))["CAF-A"] == 1000


async def test_a_batch_that_changes_too_much_is_held_until_it_is_meant(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    keys = await fill(db, shop, 17)
    held = erp.message([{"product_integration_id": key, "stock": 9} for key in keys[:11]])
    few = [{"product_integration_id": key, "stock": 8} for key in keys[:9]]
    half = [{"product_integration_id": key, "stock": 7} for key in keys[:10]]

    refused = await erp.post(held)

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "11 of 20 products" in refused.json()["detail"]
    assert set((await stocks(db, shop)).values()) == {10, 20, 0, 5}
    assert await shop.owner.audit(action="stock.received") == []
    [entry] = await shop.owner.audit(action="stock.held")
    counts = {"changed": 11, "catalogue": 20, "sold_out": 0, "in_stock": 19}
    assert entry["meta"] == counts
    assert await erp.verdicts(few) == ["applied"] * 9
    assert await erp.verdicts(half) == ["applied"] * 10
    items = [{"product_integration_id": key, "stock": 9} for key in keys[:11]]
    assert await erp.verdicts(items, force=True) == ["applied"] * 11
    assert (await shop.owner.audit(action="stock.received"))[0]["meta"]["forced"] is True


async def test_a_batch_that_sells_out_too_much_is_held(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    # Ten of seventeen in stock, though only a quarter of the catalogue.
    keys = await fill(db, shop, 15)
    await db.execute(
        "INSERT INTO products (store_id, name, price)"
        " SELECT $1, 'Fora de linha', 1 FROM generate_series(1, 22)",
        shop.store_id,
    )

    response = await erp.post(
        erp.message([{"product_integration_id": key, "stock": 0} for key in keys[:10]])
    )

    assert response.status_code == 409
    assert "sell out 10 of 17" in response.json()["detail"]
    assert set((await stocks(db, shop)).values()) == {10, 20, 0, 5}


async def test_how_much_is_too_much_is_a_setting_of_the_store(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    await db.execute(
        "INSERT INTO vek1_api.stock_guard (store_id, hold_above_percent, hold_from_products)"
        " VALUES ($1, 60, 2)",
        shop.store_id,
    )
    items = [{"product_integration_id": key, "stock": 7} for key in START]

    assert (await erp.post(erp.message(items[:1]))).status_code == 200
    assert (await erp.post(erp.message(items[1:]))).status_code == 409
    assert (await erp.post(erp.message(items[1:2]))).status_code == 200
