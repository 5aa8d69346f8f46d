"""A person accepts a proof, which confirms the order, or rejects it."""

import asyncio
from uuid import uuid4

import pytest

from tests.proofs.counter import Counter, new_receipt


async def test_accepting_confirms_the_order(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)

    response = await counter.review(order_id, "accept")

    assert response.status_code == 200, response.text
    order = response.json()
    assert (order["status"], order["proof"]["review"]) == ("confirmed", "accepted")
    assert order["paid_at"] is not None
    assert await counter.steps(order_id) == [
        "created",
        "proof_received",
        "payment_paid",
        "confirmed",
    ]
    [version] = (await counter.proofs(order_id))["versions"]
    assert (version["review"], version["reason"]) == ("accepted", None)
    for action in ("order.confirmed", "order.proof_accepted"):
        [entry] = await counter.person.audit(action=action)
        assert (entry["target_id"], entry["actor_user_id"]) == (
            order_id,
            counter.person.user_id,
        )


async def test_rejecting_lets_the_order_wait_again(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)

    response = await counter.review(order_id, "reject", {"reason": "O valor não confere"})

    assert response.status_code == 200, response.text
    order = response.json()
    assert (order["status"], order["proof"]["review"]) == ("awaiting_proof", "rejected")
    assert order["events"][-1]["type"] == "note"
    assert order["events"][-1]["data"] == {
        "step": "proof_rejected",
        "reason": "O valor não confere",
    }
    [version] = (await counter.proofs(order_id))["versions"]
    assert (version["review"], version["reason"]) == ("rejected", "O valor não confere")
    [entry] = await counter.person.audit(action="order.proof_rejected")
    assert "confere" not in str(entry["meta"])

    again = await counter.prove(order_id)
    assert (again["status"], again["proof"]["review"]) == ("proof_received", "pending")
    proofs = (await counter.proofs(order_id))["versions"]
    assert [each["review"] for each in proofs] == ["pending", "rejected"]


@pytest.mark.parametrize("verb", ["accept", "reject"])
async def test_twice_is_as_once(counter: Counter, verb: str) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)
    first = await counter.review(order_id, verb)

    second = await counter.review(order_id, verb)

    assert (second.status_code, second.json()) == (200, first.json())


@pytest.mark.parametrize("verb", ["accept", "reject"])
@pytest.mark.parametrize(
    "status", ["draft", "awaiting_proof", "shipping", "fulfilled", "cancelled"]
)
async def test_without_a_proof_that_waits_there_is_nothing_to_review(
    counter: Counter, verb: str, status: str
) -> None:
    order_id = await counter.order(status)
    before = await counter.order_of(order_id)

    refused = await counter.review(order_id, verb)

    assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
    assert await counter.order_of(order_id) == before


async def test_accepted_proof_is_not_rejected_nor_a_rejected_one_accepted(
    counter: Counter,
) -> None:
    accepted, rejected = await counter.order(), await counter.order()
    for order_id, verb, other in (
        (accepted, "accept", "reject"),
        (rejected, "reject", "accept"),
    ):
        await counter.prove(order_id)
        order = (await counter.review(order_id, verb)).json()

        refused = await counter.review(order_id, other)

        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
        assert await counter.order_of(order_id) == order


async def test_proof_of_an_order_that_was_confirmed_otherwise_can_still_be_accepted(
    counter: Counter,
) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)
    await counter.person.post(f"/v1/orders/{order_id}/confirm", None, 200)

    order = (await counter.review(order_id, "accept")).json()

    assert (order["status"], order["proof"]["review"]) == ("confirmed", "accepted")
    assert (await counter.steps(order_id)).count("payment_paid") == 1


@pytest.mark.parametrize("verb", ["accept", "reject"])
async def test_stale_version_reviews_nothing(counter: Counter, verb: str) -> None:
    order_id = await counter.order()
    stale = await counter.send(order_id, new_receipt())
    before = await counter.prove(order_id)

    refused = await counter.review(order_id, verb, **{"If-Match": stale.headers["ETag"]})

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert await counter.order_of(order_id) == before
    current = await counter.person.request("GET", f"/v1/orders/{order_id}")
    done = await counter.review(order_id, verb, **{"If-Match": current.headers["ETag"]})
    assert done.status_code == 200


async def test_many_who_accept_at_once_confirm_once(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)

    answers = await asyncio.gather(*(counter.review(order_id, "accept") for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    steps = await counter.steps(order_id)
    assert (steps.count("payment_paid"), steps.count("confirmed")) == (1, 1)
    assert len(await counter.person.audit(action="order.proof_accepted")) == 1


async def test_repeated_review_gets_the_first_answer(counter: Counter) -> None:
    order_id = await counter.order()
    await counter.prove(order_id)
    key = {"Idempotency-Key": uuid4().hex}
    first = await counter.review(order_id, "reject", **key)
    await counter.prove(order_id)

    again = await counter.review(order_id, "reject", **key)

    assert again.content == first.content
    assert (await counter.order_of(order_id))["status"] == "proof_received"


async def test_accepting_settles_what_the_customer_was_asked_to_pay(
    counter: Counter,
) -> None:
    order_id = await counter.order("draft", None)
    asked = await counter.person.request(
        "POST", f"/v1/orders/{order_id}/payment", json={"method": "pix_manual"}
    )
    assert asked.status_code in {200, 201}, asked.text
    await counter.prove(order_id)

    order = (await counter.review(order_id, "accept")).json()

    assert (order["status"], order["payment"]["status"]) == ("confirmed", "paid")
    assert [each["state"] for each in order["payment_attempts"]] == ["paid"]
