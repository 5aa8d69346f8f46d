"""The inbox itself: any source, one verdict, forgotten after a while."""

from uuid import UUID, uuid4

import pytest

from tests.inbox.conftest import Intake
from tests.jobs.running import count_jobs
from vek1_api.core.resources import Resources
from vek1_api.inbox import jobs, service
from vek1_api.inbox.service import Arrival
from vek1_api.inbox.status import Verdict


def _arrival(intake: Intake, key: str = "event-1") -> Arrival:
    headers = [("X-Tag", "a"), ("x-tag", "b\0"), ("Cookie", "c")]
    store_id = UUID(intake.store_id)
    return Arrival("evolution", store_id, key, headers, b"corpo", ("corp",))


async def test_webhook_of_any_source_is_kept_for_whoever_understands_it(
    intake: Intake, resources: Resources
) -> None:
    inbox_id, is_new = await service.receive(intake.db, _arrival(intake))
    again = await service.receive(intake.db, _arrival(intake))

    async with resources.database.driver() as driver:
        kept = await service.load(driver, inbox_id)

    assert is_new
    assert again == (inbox_id, False)
    assert kept is not None
    assert (kept.source, kept.event_key, kept.deliveries) == ("evolution", "event-1", 2)
    assert kept.headers == {"x-tag": "a, b", "cookie": "[redacted]"}
    assert kept.body == b"[redacted]o"
    about = str(inbox_id)
    assert await count_jobs(resources, "queued", "evolution.understand", about=about) == 1


async def test_last_word_is_said_once(intake: Intake, resources: Resources) -> None:
    inbox_id, _ = await service.receive(intake.db, _arrival(intake))
    order_id = uuid4()

    said = []
    for verdict in (Verdict.APPLIED, Verdict.ERROR):
        async with resources.database.transaction() as tx:
            said.append(
                await service.conclude(
                    tx, inbox_id, verdict, "porque\0" + "x" * 999, order_id
                )
            )

    assert said == [True, False]
    [row] = await intake.rows()
    assert (row["verdict"], row["order_id"]) == ("applied", order_id)
    assert row["reason"] == "porque" + "x" * 494
    assert row["handled_at"] is not None


async def test_what_is_unknown_is_neither_loaded_nor_concluded(
    resources: Resources,
) -> None:
    async with resources.database.driver() as driver:
        assert await service.load(driver, uuid4()) is None
    async with resources.database.transaction() as tx:
        assert not await service.conclude(tx, uuid4(), Verdict.IGNORED)


async def test_handled_webhooks_are_forgotten_after_ninety_days(
    intake: Intake, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    for key in ("old-1", "old-2", "old-3", "old-open", "young"):
        await service.receive(intake.db, _arrival(intake, key))
    await intake.db.execute(
        "UPDATE vek1_api.webhook_inbox SET"
        " received_at = now() - CASE WHEN event_key = 'young' THEN 89 ELSE 91 END"
        " * interval '1 day',"
        " handled_at = CASE WHEN event_key <> 'old-open' THEN now() END"
        " WHERE store_id = $1",
        UUID(intake.store_id),
    )

    await jobs.forget(resources)

    assert {row["event_key"] for row in await intake.rows()} == {"old-open", "young"}
