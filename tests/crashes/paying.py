"""Payments that need nobody's answer, and how an order goes on once it is paid."""

from collections.abc import AsyncGenerator
from uuid import UUID

from tests.crashes.points import Flow, point
from tests.crashes.scene import STOCK, Scene, marker, path_of, payments

MANUAL = {"method": "pix_manual"}
CASH = {"method": "cash_on_delivery"}


@point(
    Flow.BY_HAND,
    "code made, everything written, before the commit",
    "No code; the repeat makes it.",
)
async def asking_by_hand_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    cut = await scene.before_commit(marker(order), path_of(order, "payment"), json=MANUAL)
    yield
    seen = await scene.seen(order)
    assert (seen["status"], payments(seen)) == ("draft", (0, []))
    await cut.again()
    assert payments(await scene.seen(order)) == (0, ["open"])


@point(
    Flow.BY_HAND,
    "code made and committed, before the answer",
    "The order shows the code; the repeat, with a key or without, answers the same.",
)
async def asking_by_hand_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    cut = await scene.after_commit(marker(order), path_of(order, "payment"), json=MANUAL)
    yield
    code = (await scene.seen(order))["payment"]["br_code"]
    assert (await cut.again())["payment"]["br_code"] == code
    unkeyed = await scene.repeat("POST", path_of(order, "payment"), json=MANUAL)
    assert unkeyed.json()["payment"]["br_code"] == code
    assert payments(unkeyed.json()) == (0, ["open"])


@point(
    Flow.BY_HAND,
    "cash agreed on and committed, before the answer",
    "The order is confirmed, and not paid yet; the repeat changes nothing.",
)
async def agreeing_on_cash_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.order()
    cut = await scene.after_commit(marker(order), path_of(order, "payment"), json=CASH)
    yield
    await cut.again()
    seen = await scene.seen(order)
    assert (seen["status"], payments(seen)) == ("confirmed", (0, ["open"]))


@point(
    Flow.DELIVERING,
    "cash taken, everything written, before the commit",
    "The order is on its way, unpaid; the repeat ends it and takes the cash once.",
)
async def delivering_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("cash_on_delivery")
    await scene.person.post(path_of(order, "ship"), None, 200)
    cut = await scene.before_commit(marker(order), path_of(order, "fulfill"))
    yield
    seen = await scene.seen(order)
    assert (seen["status"], payments(seen)) == ("shipping", (0, ["open"]))
    await cut.again()
    seen = await scene.seen(order)
    assert (seen["status"], payments(seen)) == ("fulfilled", (1, ["paid"]))


@point(
    Flow.DELIVERING,
    "on its way, committed, before the answer",
    "The order is on its way; the repeat gets the answer that was lost.",
)
async def shipping_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("cash_on_delivery")
    cut = await scene.after_commit(marker(order), path_of(order, "ship"))
    yield
    await cut.again()
    assert (await scene.seen(order))["status"] == "shipping"


@point(
    Flow.UNDOING,
    "stock given back, everything written, before the commit",
    "It is confirmed as before; the repeat cancels it, and asks a person once to refund it.",
)
async def undoing_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    cut = await scene.before_commit(marker(order), path_of(order, "cancel"))
    yield
    assert (await scene.seen(order))["status"] == "confirmed"
    assert await scene.stock() == STOCK - 2
    assert await scene.attention() == []
    await cut.again()
    assert await scene.stock() == STOCK
    assert await scene.attention() == ["refund_due"]
    [lead] = await scene.rows(
        "SELECT total_purchases, total_spent_cents FROM public.leads WHERE id = $1",
        UUID(scene.lead_id),
    )
    assert tuple(lead) == (0, 0)
