"""The rule that an order is paid once (I3), as the doctor examines it."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.conftest import RunJobs
from tests.fakes.abacatepay import Fault
from tests.payments.till import Till
from vek1_api.core.schema.doctor import INVARIANTS

[PAID_ONCE] = [rule for rule in INVARIANTS if rule.name == "I3"]


async def test_doctor_finds_nothing_after_all_that_can_happen_to_a_payment(
    till: Till, run_jobs: RunJobs
) -> None:
    refunded, _ = await till.paid()
    await till.refund(refunded)
    wrong, charge_id = await till.charged()
    await till.step(wrong, "confirm")
    till.gateway.pay(charge_id, 1)
    late, charge_id = await till.charged()
    await till.start(late, "pix_manual")
    await till.start(late)
    await till.step(late, "cancel")
    till.gateway.pay(charge_id)
    expired, charge_id = await till.charged()
    await till.age(expired, timedelta(hours=2))
    await till.start(expired)
    till.gateway.pay(charge_id)
    await till.sweep()
    cash = await till.start(await till.order(), "cash_on_delivery")
    failed = await till.order()
    till.gateway.fail("create", Fault(status=400, error="Não"))
    await till.try_to_pay(failed)
    await run_jobs()

    about = {order["id"] for order in (refunded, wrong, late, expired, cash, failed)}
    for rule in INVARIANTS:
        found = {row["key"] for row in await till.db.fetch(rule.query)}
        assert found.isdisjoint({*about, till.store_id, f"store {till.store_id}"}), (
            rule.name
        )


ANOTHER_ATTEMPT = (
    "INSERT INTO payment_attempts (order_id, provider, status, amount_cents)"
    " VALUES ($1, 'manual', 'paid', 1)"
)


@pytest.mark.parametrize(
    "harm",
    [
        "INSERT INTO order_events (order_id, type, actor) VALUES ($1, 'payment_paid', 'user')",
        ANOTHER_ATTEMPT,
        "UPDATE payment_attempts SET status = 'failed' WHERE order_id = $1",
        "UPDATE vek1_api.order_state SET paid_attempt_id = NULL WHERE order_id = $1",
    ],
)
async def test_doctor_finds_an_order_that_is_not_paid_once(harm: str, till: Till) -> None:
    order, _ = await till.paid()
    begun = till.db.transaction()
    await begun.start()
    try:
        await till.db.execute(harm, UUID(order["id"]))
        found = [row["key"] for row in await till.db.fetch(PAID_ONCE.query)]
    finally:
        await begun.rollback()

    assert order["id"] in found
