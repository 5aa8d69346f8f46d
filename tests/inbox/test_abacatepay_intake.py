"""AbacatePay's webhooks come in: proved, kept once, answered 200 whatever they say."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fakes.abacatepay_events import signature
from tests.inbox.conftest import SECRET, Intake
from tests.jobs.running import count_jobs
from tests.people import Person
from vek1_api.core.logging import REQUESTS
from vek1_api.core.resources import Resources
from vek1_api.inbox.service import MAX_BODY_BYTES
from vek1_api.main import create_app

JOB = "abacatepay.understand"
SAMPLES = {
    path.stem: path.read_bytes()
    for path in (Path(__file__).parents[1] / "abacatepay" / "samples").glob("*.json")
}
EVENT = b'{"id":"log_1","event":"transparent.completed","data":{"transparent":{"id":"x"}}}'


async def _is_refused(intake: Intake, response: httpx.Response) -> None:
    assert response.status_code == 401
    body = response.json()
    assert (body["code"], body["detail"]) == (
        "unauthenticated",
        "Send the store's webhook secret, and the signature of the body.",
    )
    assert await intake.rows() == []


@pytest.mark.parametrize("raw", SAMPLES.values(), ids=SAMPLES.keys())
async def test_sample_is_kept_and_a_job_will_understand_it(
    raw: bytes, intake: Intake, resources: Resources
) -> None:
    response = await intake.send(raw)

    assert response.status_code == 200
    assert response.json() == {"received": True}
    [row] = await intake.rows()
    assert (row["source"], row["event_key"]) == ("abacatepay", json.loads(raw)["id"])
    assert (row["deliveries"], row["handled_at"], row["verdict"]) == (1, None, None)
    assert json.loads(row["body"])["event"] == json.loads(raw)["event"]
    assert await count_jobs(resources, "queued", JOB, about=str(row["id"])) == 1


@pytest.mark.parametrize(
    ("header", "query"), [(SECRET, None), (None, SECRET), (SECRET, SECRET), ("", SECRET)]
)
async def test_secret_comes_in_the_header_or_in_the_address(
    header: str | None, query: str | None, intake: Intake
) -> None:
    assert (await intake.send(EVENT, header=header, query=query)).status_code == 200
    assert len(await intake.rows()) == 1


@pytest.mark.parametrize(
    ("header", "query"),
    [
        (None, None),
        ("", ""),
        (SECRET + "x", None),
        (None, SECRET[:-1]),
        (SECRET, "x" * 40),
        ("x" * 40, SECRET),
        ("é" * 40, None),
    ],
)
async def test_without_the_secret_nothing_is_kept(
    header: str | None, query: str | None, intake: Intake, resources: Resources
) -> None:
    response = await intake.send(EVENT, header=header, query=query)

    await _is_refused(intake, response)
    assert await count_jobs(resources, "queued", JOB) == 0


@pytest.mark.parametrize("wrong", ["AAAA", "não é base64", signature(EVENT + b" ")])
async def test_wrong_signature_is_refused(wrong: str, intake: Intake) -> None:
    await _is_refused(intake, await intake.send(EVENT, signed=wrong))


async def test_serialised_anew_the_signature_no_longer_fits(intake: Intake) -> None:
    anew = json.dumps(json.loads(EVENT), indent=1).encode()

    await _is_refused(intake, await intake.send(anew, signed=signature(EVENT)))


async def test_missing_signature_is_refused_unless_the_setting_says_otherwise(
    intake: Intake, resources: Resources
) -> None:
    await _is_refused(intake, await intake.send(EVENT, signed=None))

    lenient = resources.settings.model_copy(update={"abacatepay_require_signature": False})
    async with _client(replace(resources, settings=lenient)) as http:
        other = replace(intake, http=http)
        assert (await other.send(EVENT, signed="AAAA")).status_code == 401
        assert (await other.send(EVENT, signed=None)).status_code == 200
    assert len(await intake.rows()) == 1


async def test_key_of_the_signature_is_a_setting(
    intake: Intake, resources: Resources
) -> None:
    own = resources.settings.model_copy(update={"abacatepay_public_key": "another"})
    async with _client(replace(resources, settings=own)) as http:
        assert (await replace(intake, http=http).send(EVENT)).status_code == 401


async def test_unknown_closed_and_unset_stores_are_refused_alike(
    intake: Intake, ana: Person
) -> None:
    unset = (await ana.open_store("Centro"))["id"]
    await ana.delete(f"/v1/stores/{intake.store_id}")

    answers = []
    for store_id in (intake.store_id, unset, str(uuid4()), "nao-e-uuid", "a" * 300):
        response = await replace(intake, store_id=store_id).send(EVENT)
        await _is_refused(intake, response)
        body = response.json()
        answers.append({**body, "request_id": None})

    assert all(answer == answers[0] for answer in answers)


async def test_secret_of_another_store_is_refused(intake: Intake, bruno: Person) -> None:
    theirs = (await bruno.open_store())["id"]
    await bruno.request(
        "PUT",
        f"/v1/stores/{theirs}/payment-settings",
        json={"abacate_pay_webhook_secret": SECRET + "-de-bruno"},
    )

    await _is_refused(intake, await replace(intake, store_id=theirs).send(EVENT))


async def test_replaced_secret_is_still_taken(intake: Intake, ana: Person) -> None:
    path = f"/v1/stores/{intake.store_id}/rotate-webhook-secret"
    new = (await ana.post(path, {}, status=200))["abacate_pay_webhook_secret"]

    for secret in (SECRET, new):
        response = await intake.send(EVENT, header=secret, query=secret)
        assert response.status_code == 200

    await ana.post(path, {"overlap_hours": 0}, status=200)
    assert (await intake.send(EVENT)).status_code == 401


JUNK = {
    "nothing": b"",
    "no json": b"<html>",
    "no object": b"[1,2]",
    "no utf-8": b"\xff\xfe\x00",
    "nul": b'{"id":"log_\\u0000","event":"\\u0000"}',
    "surrogate": b'{"id":"\\ud83d","event":"x"}',
    "long id": b'{"id":"' + b"x" * 5_000 + b'"}',
    "deep": b"[" * 20_000,
}


@pytest.mark.parametrize("raw", JUNK.values(), ids=JUNK.keys())
async def test_junk_is_kept_too(raw: bytes, intake: Intake, resources: Resources) -> None:
    response = await intake.send(raw, more={"content-type": "text/plain"})

    assert response.status_code == 200
    [row] = await intake.rows()
    assert row["event_key"] == hashlib.sha256(raw).hexdigest()
    assert row["body"] == raw
    assert await count_jobs(resources, "queued", JOB) == 1


async def test_body_that_is_too_large_is_kept_in_part_and_judged_at_once(
    intake: Intake, resources: Resources
) -> None:
    raw = b"x" * (12 * 1024 * 1024)

    response = await intake.send(raw)

    assert response.status_code == 200
    [row] = await intake.rows()
    assert row["body"] == raw[:MAX_BODY_BYTES]
    assert row["verdict"] == "too_large"
    assert row["reason"] == "The body is larger than 262144 bytes."
    assert row["handled_at"] is not None
    assert await count_jobs(resources, "queued", JOB) == 0


async def test_body_of_an_undeclared_length_has_no_limit_either(intake: Intake) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 65_536

    response = await intake.http.post(
        intake.path, content=pieces(), headers={"x-webhook-secret": SECRET}
    )

    assert response.status_code == 200
    assert [row["verdict"] for row in await intake.rows()] == ["too_large"]


async def test_twenty_at_once_are_one_row_and_one_job(
    intake: Intake, resources: Resources
) -> None:
    answers = await asyncio.gather(*(intake.send(EVENT) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    [row] = await intake.rows()
    assert row["deliveries"] == 20
    assert await count_jobs(resources, "queued", JOB) == 1


async def test_same_event_of_two_stores_is_two_rows(intake: Intake, ana: Person) -> None:
    other = (await ana.open_store("Centro"))["id"]
    await ana.request(
        "PUT",
        f"/v1/stores/{other}/payment-settings",
        json={"abacate_pay_webhook_secret": SECRET},
    )

    for store_id in (intake.store_id, other):
        assert (await replace(intake, store_id=store_id).send(EVENT)).status_code == 200

    assert [row["deliveries"] for row in await intake.rows()] == [1]


async def test_repeat_of_what_is_not_handled_yet_has_a_job_again(
    intake: Intake, resources: Resources
) -> None:
    await intake.send(EVENT)
    await intake.db.execute("DELETE FROM vek1_api.pgqueuer")  # As if it had been held.

    await intake.send(EVENT)
    assert await count_jobs(resources, "queued", JOB) == 1

    await intake.db.execute("DELETE FROM vek1_api.pgqueuer")
    await intake.db.execute("UPDATE vek1_api.webhook_inbox SET handled_at = now()")
    await intake.send(EVENT)
    assert await count_jobs(resources, "queued", JOB) == 0
    assert [row["deliveries"] for row in await intake.rows()] == [3]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("end", ["", "/"])
async def test_probe_finds_somebody_there(method: str, end: str, intake: Intake) -> None:
    response = await intake.http.request(method, intake.path + end)

    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["content-length"] == "0"
    assert await intake.rows() == []


async def test_slash_at_the_end_does_not_redirect(intake: Intake) -> None:
    response = await replace(intake, store_id=intake.store_id + "/").send(EVENT)

    assert response.status_code == 200
    assert len(await intake.rows()) == 1


async def test_secret_reaches_neither_logs_nor_the_inbox(
    intake: Intake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REQUESTS, "write", print)
    raw = json.dumps({"id": "log_1", "echo": SECRET, "url": f"/x?webhookSecret={SECRET}"})
    more = {
        "x-original-uri": f"{intake.path}?webhookSecret={SECRET}",
        "referer": f"https://x/?a=1&secret={SECRET}",
        "authorization": f"Bearer {SECRET}",
        "user-agent": "AbacatePay/1.0",
    }

    assert (await intake.send(raw.encode(), more=more)).status_code == 200
    assert (await intake.send(raw.encode(), more=more, signed="AAAA")).status_code == 401
    assert (await intake.send(b"", query="y" * 40, more=more)).status_code == 401

    [row] = await intake.rows()
    assert SECRET not in str(dict(row))
    assert row["headers"]["user-agent"] == "AbacatePay/1.0"
    assert row["headers"]["x-webhook-secret"] == "[redacted]"
    assert row["headers"]["authorization"] == "[redacted]"
    written = "".join(capsys.readouterr())
    assert '"route":"/webhooks/abacatepay/{store_id}"' in written
    assert SECRET not in written
    assert "y" * 40 not in written


async def test_people_are_taken_out_of_what_is_kept(intake: Intake) -> None:
    await intake.send(SAMPLES["05_checkout_completed"])

    [row] = await intake.rows()
    kept: dict[str, Any] = json.loads(row["body"])
    customer = kept["data"]["customer"]
    assert {customer[name] for name in ("name", "email", "taxId")} == {"[redacted]"}


async def test_secret_that_cannot_be_opened_asks_to_come_again(intake: Intake) -> None:
    await intake.db.execute(
        "UPDATE store_payment_settings SET abacate_pay_webhook_secret ="
        " 'v1.00000000.AAAA' WHERE store_id = $1",
        intake.store_id,
    )

    response = await intake.send(EVENT)

    assert response.status_code == 503
    assert await intake.rows() == []


class _client:  # noqa: N801 - Reads as a function.
    """A client of an app of its own, for other settings."""

    def __init__(self, resources: Resources) -> None:
        self._app = create_app(resources.settings, resources)
        self._app.state.resources = resources

    async def __aenter__(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://vek1.test")
        return self._http

    async def __aexit__(self, *_error: object) -> None:
        await self._http.aclose()
        await self._app.state.dashboard.close()
