"""One id has one effect: inside a batch, and whatever key a message is sent under."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.erp import Erp, Item
from tests.stock.shelves import START, Shop, stocks
from vek1_api.core.db import Driver

SALE = {"product_integration_id": "CAF-A", "delta": -1, "external_id": "venda-1"}


async def outcomes(erp: Erp, items: list[Item]) -> list[tuple[Any, ...]]:
    answer = await erp.send(items)
    names = ("status", "before", "after", "code")
    return [tuple(each[name] for name in names) for each in answer["items"]]


async def test_a_repeat_further_down_has_the_outcome_of_the_first(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    other = {"product_integration_id": "CAF-A", "delta": -2, "external_id": "venda-2"}

    assert await outcomes(erp, [SALE, other, SALE]) == [
        ("applied", 10, 9, None),
        ("applied", 9, 7, None),
        ("duplicate", 10, 9, None),
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 7}


@pytest.mark.parametrize("other", [{"delta": -2}, {"product_integration_id": "CAF-B"}])
async def test_one_id_for_two_changes_of_a_batch_is_a_conflict(
    other: Item, erp: Erp, shop: Shop, db: Driver
) -> None:
    first, second = await outcomes(erp, [SALE, SALE | other])

    assert first == ("applied", 10, 9, None)
    assert (second[0], second[3]) == ("duplicate", "conflict")
    assert await stocks(db, shop) == START | {"CAF-A": 9}


async def test_an_id_is_not_used_up_by_what_was_refused_further_up(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    sale = SALE | {"product_integration_id": "CAF-C"}
    unknown = SALE | {"product_integration_id": "SUMIU", "external_id": "venda-2"}
    known = SALE | {"external_id": "venda-2"}

    assert await outcomes(
        erp, [sale, {"product_integration_id": "CAF-C", "delta": 5}, sale, unknown, known]
    ) == [
        ("rejected", 0, 0, "negative_stock"),
        ("applied", 0, 5, None),
        ("applied", 5, 4, None),
        ("not_found", None, None, "product_not_found"),
        ("applied", 10, 9, None),
    ]
    assert await stocks(db, shop) == START | {"CAF-A": 9, "CAF-C": 4}


@pytest.mark.parametrize("keys", [("key-1", "key-2"), (None, "key-2"), ("key-1", None)])
async def test_a_message_under_another_key_is_the_same_message(
    keys: tuple[str | None, ...], erp: Erp, shop: Shop, db: Driver
) -> None:
    """Whoever overheard a signed message may choose the key: it is not signed."""
    message = erp.message([{"product_integration_id": "CAF-A", "delta": -1}])

    answers = [
        await erp.post(
            replace(
                message,
                headers=message.headers | ({"idempotency-key": key} if key else {}),
            )
        )
        for key in keys
    ]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert await stocks(db, shop) == START | {"CAF-A": 9}


async def test_a_message_under_another_key_cannot_be_forced(
    erp: Erp, shop: Shop, db: Driver
) -> None:
    message = erp.message([{"product_integration_id": "CAF-A", "delta": -1}])
    await erp.post(message)

    forced = await erp.post(
        replace(
            message,
            headers=message.headers | {"idempotency-key": "key-1"},
            params={"force": True},
        )
    )

    assert (forced.status_code, forced.json()["code"]) == (422, "idempotency_key_reused")
    assert await stocks(db, shop) == START | {"CAF-A": 9}
