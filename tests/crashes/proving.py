"""Proofs of payment: uploaded or sent in a message, read, judged."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

from tests.crashes.points import Flow, point
from tests.crashes.product import Part
from tests.crashes.scene import Scene, is_lost, marker, new_key, path_of, payments
from tests.crashes.waiting import until
from tests.pix.receipts import NUBANK
from tests.privacy.lives import store_object
from tests.proofs.rendered import pdf


def _receipt() -> tuple[bytes, str]:
    """Return a receipt unlike any other, and words that are in no other."""
    words = uuid4().hex
    return pdf(f"{NUBANK}\n{words}"), words


async def _objects(scene: Scene) -> list[str]:
    rows = await scene.rows(
        "SELECT state FROM vek1_api.stored_objects WHERE store_id = $1",
        UUID(scene.store_id),
    )
    return [row["state"] for row in rows]


async def _has_objects(scene: Scene, *states: str) -> None:
    async def has_them() -> bool:
        return sorted(await _objects(scene)) == sorted(states)

    await until(has_them)


async def _let_an_hour_pass(scene: Scene) -> None:
    await scene.product.db.execute(
        "UPDATE vek1_api.stored_objects SET created_at = now() - interval '61 minutes'"
        " WHERE store_id = $1",
        UUID(scene.store_id),
    )


async def _is_proved_once(scene: Scene, order: Any, content: bytes, key: str) -> None:
    files = {"file": ("comprovante.pdf", content)}
    again = await scene.repeat("POST", path_of(order, "proof"), key, files=files)
    unkeyed = await scene.repeat("POST", path_of(order, "proof"), files=files)
    seen = await scene.seen(order)

    assert (again.status_code, unkeyed.status_code) == (201, 200)
    assert (seen["status"], seen["proof"]["versions"]) == ("proof_received", 1)
    assert await _objects(scene) == ["kept"]


@point(
    Flow.PROVING,
    "object stored, its row written, before the commit",
    "No proof; the object goes, and the repeat stores it anew.",
    waits_for="1 h",
)
async def proving_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.asked_to_pay("pix_manual"), new_key()
    content, _ = _receipt()
    stand = scene.api.before_commit(marker(order))
    files = {"file": ("comprovante.pdf", content)}
    request = scene.send("POST", path_of(order, "proof"), key, files=files)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert await _objects(scene) == ["pending"]
    await _let_an_hour_pass(scene)
    await _has_objects(scene)
    await _is_proved_once(scene, order, content, key)


@point(
    Flow.PROVING,
    "committed, before the answer",
    "The proof is there, once; the repeat gets the answer that was lost.",
)
async def proving_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order, key = await scene.asked_to_pay("pix_manual"), new_key()
    content, _ = _receipt()
    stand = scene.api.after_commit(marker(order))
    files = {"file": ("comprovante.pdf", content)}
    request = scene.send("POST", path_of(order, "proof"), key, files=files)
    await stand.reached.wait()
    yield
    assert await is_lost(request)
    assert (await scene.seen(order))["proof"]["versions"] == 1
    await _is_proved_once(scene, order, content, key)


@point(
    Flow.READING,
    "read, before the commit of what it says",
    "The proof waits to be read; another worker reads it.",
    dies=Part.WORKER,
)
async def reading_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    content, words = _receipt()
    stand = scene.worker.before_commit(words.encode())
    files = {"file": ("comprovante.pdf", content)}
    sent = await scene.repeat("POST", path_of(order, "proof"), files=files)
    assert sent.status_code == 201
    await stand.reached.wait()
    yield
    assert await _reading(scene, order) == "pending"

    async def is_read() -> bool:
        return await _reading(scene, order) == "read"

    await until(is_read)


async def _reading(scene: Scene, order: Any) -> str:
    answer = await scene.repeat("GET", path_of(order, "proof"))
    [proof] = answer.json()["versions"]
    return str(proof["reading"])


@point(
    Flow.SENDING,
    "a copy stored, its row written, before the commit",
    "No proof; another worker takes the message, and the first copy goes.",
    dies=Part.WORKER,
    waits_for="1 h, for the copy to go",
)
async def sending_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await scene.asked_to_pay("pix_manual")
    content, _ = _receipt()
    media = await store_object(
        scene.product.resources, scene.person, scene.store_id, content, "media"
    )
    message = {"lead_id": scene.lead_id, "message_id": str(uuid4()), "object_key": media}
    stand = scene.worker.before_commit(marker(order))
    await scene.enqueue("proofs.take", **message)
    await stand.reached.wait()
    yield
    assert sorted(await _objects(scene)) == ["kept", "pending"]
    await scene.becomes(order, "proof_received")
    await _let_an_hour_pass(scene)
    await _has_objects(scene, "kept", "kept")
    yield
    assert (await scene.seen(order))["proof"]["versions"] == 1


async def _proved(scene: Scene) -> Any:
    """Return an order with a proof."""
    order = await scene.asked_to_pay("pix_manual")
    content, _ = _receipt()
    files = {"file": ("comprovante.pdf", content)}
    sent = await scene.repeat("POST", path_of(order, "proof"), files=files)
    assert sent.status_code == 201
    return order


@point(
    Flow.JUDGING,
    "accepted, everything written, before the commit",
    "The proof waits as before; the repeat accepts it and confirms the order.",
)
async def accepting_before_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await _proved(scene)
    cut = await scene.before_commit(marker(order), path_of(order, "proof/accept"))
    yield
    seen = await scene.seen(order)
    assert (seen["status"], seen["proof"]["review"]) == ("proof_received", "pending")
    await cut.again()
    assert payments(await scene.seen(order)) == (1, ["paid"])


@point(
    Flow.JUDGING,
    "rejected and committed, before the answer",
    "The order waits for another proof; the repeat gets the answer that was lost.",
)
async def rejecting_after_commit(scene: Scene) -> AsyncGenerator[None]:
    order = await _proved(scene)
    cut = await scene.after_commit(marker(order), path_of(order, "proof/reject"))
    yield
    seen = await scene.seen(order)
    assert (seen["status"], seen["proof"]["review"]) == ("awaiting_proof", "rejected")
    await cut.again()
