"""Proofs that come at once, and processes that die in between."""

import asyncio
import io
from datetime import timedelta
from collections import Counter as Count
from uuid import UUID

from tests.leads.people_of import add_lead
from tests.proofs.counter import Counter, new_receipt
from vek1_api.access.access import system
from vek1_api.core import clock
from vek1_api.core.object_keys import proof_key
from vek1_api.files import service as files
from vek1_api.files.service import Upload


async def test_twenty_at_once_are_versions_without_holes_and_one_transition(
    counter: Counter,
) -> None:
    order_id = await counter.order()

    answers = await asyncio.gather(
        *(counter.send(order_id, new_receipt()) for _ in range(20))
    )

    assert [answer.status_code for answer in answers] == [201] * 20
    proofs = (await counter.proofs(order_id))["versions"]
    assert [each["version"] for each in proofs] == list(range(20, 0, -1))
    assert (await counter.order_of(order_id))["proof"]["versions"] == 20
    entries = await counter.person.audit(action="order.proof_received")
    assert sum("status" in entry["meta"] for entry in entries) == 1
    assert len(entries) == 20
    assert Count((await counter.objects()).values()) == {"kept": 20}


async def test_same_file_many_times_at_once_is_one_version(counter: Counter) -> None:
    order_id, content = await counter.order(), new_receipt()

    answers = await asyncio.gather(*(counter.send(order_id, content) for _ in range(10)))

    assert Count(answer.status_code for answer in answers) == {201: 1, 200: 9}
    assert (await counter.order_of(order_id))["proof"]["versions"] == 1
    assert Count((await counter.objects()).values())["kept"] == 1
    assert await counter.used_bytes() == len(content)


async def test_proof_and_cancellation_at_once_leave_no_object_without_a_row(
    counter: Counter,
) -> None:
    order_id = await counter.order()
    person, path = counter.person, f"/v1/orders/{order_id}/cancel"

    *sent, cancelled = await asyncio.gather(
        *(counter.send(order_id, new_receipt()) for _ in range(6)),
        person.request("POST", path),
    )

    assert cancelled.status_code == 200
    assert {answer.status_code for answer in sent} <= {201, 409}
    taken = sum(answer.status_code == 201 for answer in sent)
    states = Count((await counter.objects()).values())
    assert states["kept"] == taken == len((await counter.proofs(order_id))["versions"])
    assert states["pending"] == 0


async def test_proof_and_erasure_at_once_leave_no_object_without_a_row(
    counter: Counter,
) -> None:
    person = counter.person
    for _ in range(4):
        lead = await add_lead(person, counter.store_id)
        order_id = await counter.order(lead_id=lead["id"])
        await counter.prove(order_id)

        *sent, erased = await asyncio.gather(
            *(counter.send(order_id, new_receipt()) for _ in range(3)),
            person.request("DELETE", f"/v1/leads/{lead['id']}"),
        )

        assert erased.status_code == 204
        assert {answer.status_code for answer in sent} == {201}
    kept = {key for key, state in (await counter.objects()).items() if state == "kept"}
    rows = await counter.rows(
        "SELECT object_key, size_bytes FROM vek1_api.order_proofs WHERE store_id = $1",
        UUID(counter.store_id),
    )
    assert {row["object_key"] for row in rows} == kept
    assert sum(row["size_bytes"] for row in rows) == await counter.used_bytes()


async def test_object_of_a_process_that_died_before_the_row_is_removed(
    counter: Counter,
) -> None:
    order_id, content = await counter.order(), new_receipt()
    resources, access = counter.resources, system(counter.person.user_id)
    key = proof_key(access.company_id, order_id, "pdf")
    upload = Upload(key, UUID(counter.store_id), len(content), "application/pdf")
    # The first two of the three steps; the process dies before the third.
    async with resources.database.transaction() as tx:
        await files.reserve(tx, access, upload)
    await resources.bucket.put(key, io.BytesIO(content), len(content), "application/pdf")
    await counter.execute(
        "UPDATE vek1_api.stored_objects SET created_at = $2 WHERE key = $1",
        key,
        clock.now() - timedelta(hours=2),
    )

    await files.sweep(resources.database)
    assert await counter.objects() == {key: "doomed"}
    await files.remove_doomed(resources.database, resources.bucket)

    assert not await resources.bucket.exists(key)
    assert (await counter.objects(), await counter.used_bytes()) == ({}, 0)
    assert (await counter.order_of(order_id))["status"] == "awaiting_proof"
    assert (await counter.prove(order_id, content))["proof"]["versions"] == 1
