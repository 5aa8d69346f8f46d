"""Money that goes back."""

from collections.abc import AsyncGenerator
from typing import Any

from tests.crashes.points import Flow, point
from tests.crashes.product import Part
from tests.crashes.scene import Scene, marker, path_of, payments
from tests.crashes.waiting import until

PAID = (1, ["paid"])


def _steps(order: Any) -> list[str]:
    """Return what happened with the refund."""
    steps = [(event["data"] or {}).get("step", "") for event in order["events"]]
    return [step for step in steps if step.startswith("refund")]


async def _comes_back(scene: Scene, order: Any) -> None:
    async def is_back() -> bool:
        return payments(await scene.seen(order)) == (1, ["refunded"])

    await until(is_back)


async def _is_refunded_once(scene: Scene, order: Any) -> None:
    [charge] = scene.charges
    assert charge.status == "REFUNDED"
    assert _steps(await scene.seen(order)) == ["refund_requested", "refunded"]


@point(
    Flow.REFUNDING,
    "asked for and written, before the commit",
    "Nothing goes back; the repeat gives it back once.",
)
async def refunding_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    cut = await scene.before_commit(marker(order), path_of(order, "refund"))
    yield
    assert payments(await scene.seen(order)) == PAID
    await cut.again()
    await _comes_back(scene, order)
    yield
    await _is_refunded_once(scene, order)


@point(
    Flow.REFUNDING,
    "asked for and committed, before the answer",
    "It goes back once; the repeat gets the answer that was lost.",
)
async def refunding_before_the_answer(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    cut = await scene.after_commit(marker(order), path_of(order, "refund"))
    yield
    await cut.again()
    await _comes_back(scene, order)
    yield
    await _is_refunded_once(scene, order)


async def _asked_for(scene: Scene, order: Any) -> None:
    answer = await scene.repeat("POST", path_of(order, "refund"))
    assert answer.status_code == 200, answer.text


@point(
    Flow.REFUNDING,
    "the gateway called, nothing done there",
    "The payment is on its way back; another worker gives it back.",
    dies=Part.WORKER,
)
async def refunding_before_the_call(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    gate = scene.product.gateway.before(scene.account, "refund")
    await _asked_for(scene, order)
    await gate.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (1, ["refunding"])
    await _comes_back(scene, order)
    yield
    await _is_refunded_once(scene, order)


@point(
    Flow.REFUNDING,
    "given back there, its answer on the way",
    "Another worker asks again, hears that it is done, and writes that.",
    dies=Part.WORKER,
)
async def refunding_while_asking(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    gate = scene.product.gateway.after(scene.account, "refund")
    await _asked_for(scene, order)
    await gate.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (1, ["refunding"])
    await _comes_back(scene, order)
    yield
    await _is_refunded_once(scene, order)


@point(
    Flow.REFUNDING,
    "given back and committed, its job not ended",
    "It is given back; the job runs again and changes nothing.",
    dies=Part.WORKER,
)
async def refunding_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.paid()
    stand = scene.worker.after_commit(marker(order))
    await _asked_for(scene, order)
    await stand.reached.wait()
    yield
    assert payments(await scene.seen(order)) == (1, ["refunded"])
    await _comes_back(scene, order)
    yield
    await _is_refunded_once(scene, order)
