"""A dry run says what would become of a batch; its plan does exactly that, or says why not."""

from typing import Any
from uuid import uuid4

from tests.fakes.erp import Erp
from tests.people import Person
from tests.stock.shelves import START, Shop, fill, open_shop, sell, stocks
from vek1_api.core.db import Driver

ITEMS = [
    {"product_integration_id": "CAF-A", "stock": 4, "external_id": "m-1"},
    {"product_integration_id": "CAF-B", "delta": -5, "external_id": "m-2"},
    {"product_integration_id": "CAF-B", "delta": 1, "external_id": "m-3"},
    {"product_integration_id": "SUMIU", "stock": 1},
]


def changes(answer: Any) -> list[tuple[str, int | None, int | None]]:
    return [(each["status"], each["before"], each["after"]) for each in answer["items"]]


async def apply(erp: Erp, **body: Any) -> Any:
    response = await erp.http.post(
        erp.path, json=body, headers={"Authorization": f"Bearer {erp.secret}"}
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_dry_run_says_all_and_changes_nothing(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    planned = await erp.send(ITEMS, dry_run=True)

    assert (planned["dry_run"], planned["needs_force"]) == (True, False)
    assert await stocks(db, shop) == START
    for table in ("erp_keys", "erp_levels"):
        count = f"SELECT count(*) FROM vek1_api.{table} WHERE store_id = $1"
        assert await db.fetchval(count, shop.store_id) == 0
    assert await shop.owner.audit(action="stock.received") == []
    assert changes(planned) == changes(await erp.send(ITEMS))


async def test_a_plan_does_what_its_dry_run_said_and_only_once(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    planned = await erp.send(ITEMS, dry_run=True)

    applied = await apply(erp, plan_id=planned["plan_id"])

    assert applied["items"] == planned["items"]
    assert (applied["dry_run"], applied["plan_id"]) == (False, None)
    assert await stocks(db, shop) == START | {"CAF-A": 4, "CAF-B": 16}
    again = await erp.post(erp.signed(b"", plan_id=planned["plan_id"]))
    assert again.status_code == 422
    assert again.json()["errors"][0]["pointer"] == "/query/plan_id"


async def test_a_plan_may_be_named_in_the_query_with_its_items_or_without(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    first = await erp.send(ITEMS[:1], dry_run=True)
    second = await erp.send(ITEMS[1:], dry_run=True)

    assert (await erp.post(erp.signed(b"", plan_id=first["plan_id"]))).status_code == 200
    other = await erp.post(erp.message(ITEMS, plan_id=second["plan_id"]))
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/items")
    assert changes(await erp.send(ITEMS[1:], plan_id=second["plan_id"])) == changes(second)

    assert await stocks(db, shop) == START | {"CAF-A": 4, "CAF-B": 16}


async def test_a_plan_fails_where_the_ground_has_moved_and_holds_elsewhere(
    erp: Erp, shop: Shop, db: Driver, ana: Person
) -> None:
    planned = await erp.send(ITEMS, dry_run=True)
    await sell(db, shop, "CAF-B", 1)
    new = {"name": "Café", "price": 1, "product_integration_id": "SUMIU"}
    await ana.post(f"/v1/stores/{shop.store_id}/products", new)

    applied = await apply(erp, plan_id=planned["plan_id"])

    assert [
        (each["status"], each["code"], each["message"]) for each in applied["items"]
    ] == [
        ("applied", None, None),
        ("rejected", "conflict", "The plan saw a stock of 20; it is 19 now."),
        ("rejected", "conflict", "The plan saw a stock of 20; it is 19 now."),
        ("rejected", "conflict", "The plan saw a stock of nothing; it is 0 now."),
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 4, "CAF-B": 19, "SUMIU": 0}


async def test_a_plan_that_changes_too_much_says_so_and_needs_to_be_meant(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    items = [
        {"product_integration_id": key, "stock": 9} for key in await fill(db, shop, 12)
    ]

    planned = await erp.send(items, dry_run=True)

    assert planned["needs_force"] is True
    held = await erp.post(erp.signed(b"", plan_id=planned["plan_id"]))
    assert held.status_code == 409
    meant = await erp.post(erp.signed(b"", plan_id=planned["plan_id"], force=True))
    assert meant.json()["summary"]["applied"] == 12


async def test_another_stores_plan_is_unknown(erp: Erp, bruno: Person, db: Driver) -> None:
    his = await open_shop(bruno, db)
    planned = await erp.send(ITEMS, dry_run=True)
    answers = []

    for plan_id in (planned["plan_id"], str(uuid4())):
        response = await erp.http.post(
            f"/erp/v1/stores/{his.store_id}/stock",
            json={"plan_id": plan_id},
            headers={"Authorization": f"Bearer {his.secret}"},
        )
        answers.append((response.status_code, response.json()["errors"]))

    assert answers[0] == answers[1]
    assert answers[0][0] == 422
    assert answers[0][1][0]["pointer"] == "/plan_id"


async def test_a_plan_is_forgotten_after_a_day(erp: Erp, shop: Shop, db: Driver) -> None:
    planned = await erp.send(ITEMS, dry_run=True)
    await db.execute(
        "UPDATE vek1_api.stock_plans SET created_at = created_at - interval '25 hours'"
        " WHERE store_id = $1",
        shop.store_id,
    )

    response = await erp.post(erp.signed(b"", plan_id=planned["plan_id"]))
    await erp.send(ITEMS, dry_run=True)

    assert response.status_code == 422
    count = "SELECT count(*) FROM vek1_api.stock_plans WHERE store_id = $1"
    assert await db.fetchval(count, shop.store_id) == 1
