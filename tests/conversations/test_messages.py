"""What was said is kept once, in its order, and can be found."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.leads.people_of import MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.schema import connect

NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


@pytest.fixture
async def lead_id(ana: Person, store_id: str) -> str:
    return str((await add_lead(ana, store_id))["id"])


async def say(person: Person, store_id: str, status: int = 201, **message: Any) -> Any:
    body = {"role": "user", "content": "Oi"} | message
    return await person.post(f"/v1/stores/{store_id}/messages", body, status=status)


def texts(page: Any) -> list[str]:
    return [item["content"] for item in page["items"]]


async def test_message_keeps_every_field(ana: Person, store_id: str, lead_id: str) -> None:
    agent = await ana.add_agent(store_id)
    said = await say(
        ana,
        store_id,
        lead_id=lead_id,
        agent_id=agent["id"],
        role="assistant",
        content="Temos sim! ☕",
        timestamp="2026-03-02T09:00:00-03:00",
        provider_message_id="3EB0",
        metadata={"origem": "site"},
    )

    assert said == {
        "id": said["id"],
        "store_id": store_id,
        "lead_id": lead_id,
        "agent_id": agent["id"],
        "user_id": MOBILE,
        "agent_type": "sales",
        "role": "assistant",
        "content": "Temos sim! ☕",
        "metadata": {"origem": "site", "provider_message_id": "3EB0"},
        "timestamp": "2026-03-02T12:00:00Z",
    }
    for path in (f"/v1/leads/{lead_id}", f"/v1/agents/{agent['id']}"):
        assert (await ana.get(f"{path}/messages"))["items"] == [said]


async def test_provider_message_is_kept_once_at_any_time(
    ana: Person, store_id: str, lead_id: str, db: Driver
) -> None:
    path = f"/v1/stores/{store_id}/messages"
    body = {
        "lead_id": lead_id,
        "role": "user",
        "content": "Oi",
        "provider_message_id": "3EB0",
    }

    answers = await asyncio.gather(
        *(ana.request("POST", path, json=body) for _ in range(20))
    )
    late = await say(ana, store_id, 200, **body | {"content": "another text"})

    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len({a.json()["id"] for a in answers} | {late["id"]}) == 1
    assert late["content"] == "Oi"
    count = "SELECT count(*) FROM messages_history WHERE lead_id = $1"
    assert await db.fetchval(count, lead_id) == 1
    assert (await ana.get(f"/v1/leads/{lead_id}"))["total_messages"] == 1


async def test_order_is_by_time_then_arrival(
    ana: Person, store_id: str, lead_id: str
) -> None:
    moments = [NOON, NOON - timedelta(hours=1), NOON, NOON]
    messages = [
        {"lead_id": lead_id, "role": "user", "content": str(n), "timestamp": at.isoformat()}
        for n, at in enumerate(moments)
    ]
    path = f"/v1/stores/{store_id}/messages"

    many = await ana.post(path, {"messages": messages})
    await say(ana, store_id, lead_id=lead_id, content="4", timestamp=NOON.isoformat())

    assert texts(many) == ["0", "1", "2", "3"]
    messages_path = f"/v1/leads/{lead_id}/messages"
    assert texts(await ana.get(messages_path)) == ["4", "3", "2", "0", "1"]
    first = await ana.get(messages_path, limit=2)
    rest = await ana.get(messages_path, limit=9, cursor=first["next_cursor"])
    assert texts(first) + texts(rest) == ["4", "3", "2", "0", "1"]


async def test_counters_count_what_the_lead_said(
    ana: Person, store_id: str, lead_id: str
) -> None:
    before = await ana.get(f"/v1/leads/{lead_id}")

    await say(ana, store_id, lead_id=lead_id, timestamp="2020-01-01T00:00:00Z")
    await say(ana, store_id, lead_id=lead_id, role="assistant")
    await say(ana, store_id, lead_id=lead_id, role="debug")
    last = await say(ana, store_id, lead_id=lead_id)

    lead = await ana.get(f"/v1/leads/{lead_id}")
    assert lead["total_messages"] == 2
    assert lead["first_contact_at"] == "2020-01-01T00:00:00Z"
    assert lead["last_contact_at"] == last["timestamp"] > before["last_contact_at"]


async def test_debug_is_hidden_unless_asked_for(
    ana: Person, store_id: str, lead_id: str
) -> None:
    agent_id = (await ana.add_agent(store_id))["id"]
    for role in ("user", "debug"):
        await say(
            ana, store_id, lead_id=lead_id, agent_id=agent_id, role=role, content=role
        )

    for path in (
        f"/v1/leads/{lead_id}",
        f"/v1/agents/{agent_id}",
        f"/v1/stores/{store_id}",
    ):
        assert texts(await ana.get(f"{path}/messages")) == ["user"]
        shown = await ana.get(f"{path}/messages", include_debug=True)
        assert texts(shown) == ["debug", "user"]


async def test_words_find_what_was_said_in_the_store(
    ana: Person, store_id: str, lead_id: str
) -> None:
    elsewhere = (await ana.open_store("Outra"))["id"]
    await say(ana, store_id, lead_id=lead_id, content="Quero um bolo de casamento em maio")
    await say(ana, store_id, lead_id=lead_id, content="E um bolo simples")
    await say(
        ana, elsewhere, channel="website", external_id="u1", content="Bolos de casamento?"
    )
    path = f"/v1/stores/{store_id}/messages"

    found = await ana.get(path, q="BOLOS casamentos")
    assert texts(found) == ["Quero um bolo de casamento em maio"]
    assert len(texts(await ana.get(path, q="bolo", lead_id=lead_id))) == 2
    assert texts(await ana.get(path, q="bolo de formatura")) == []
    assert texts(await ana.get(path, q="de")) == []


async def test_new_person_becomes_a_lead_by_speaking(ana: Person, store_id: str) -> None:
    said = await say(
        ana, store_id, channel="whatsapp", external_id="553199998888@s.whatsapp.net"
    )

    lead = await ana.get(f"/v1/leads/{said['lead_id']}")
    assert (lead["external_id"], lead["total_messages"]) == (MOBILE, 1)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"lead_id": None}, ""),
        ({"channel": "whatsapp"}, ""),
        ({"role": "system"}, "/role"),
        ({"content": "a\x00b"}, "/content"),
        ({"content": "x" * 65_537}, "/content"),
        ({"timestamp": "2026-03-02T12:00:00"}, "/timestamp"),
        ({"timestamp": "9999-12-31T00:00:00Z"}, "/timestamp"),
        ({"timestamp": "0001-01-01T00:00:00Z"}, "/timestamp"),
        ({"provider_message_id": ""}, "/provider_message_id"),
        ({"secret": 1}, "/secret"),
    ],
)
async def test_refused_message_leaves_nothing(
    ana: Person,
    store_id: str,
    lead_id: str,
    db: Driver,
    wrong: dict[str, Any],
    pointer: str,
) -> None:
    good = {"lead_id": lead_id, "role": "user", "content": "Oi"}
    path = f"/v1/stores/{store_id}/messages"

    one = await ana.request("POST", path, json=good | wrong)
    many = await ana.request("POST", path, json={"messages": [good, good | wrong]})

    for answer, at in ((one, ""), (many, "/messages/1")):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == at + pointer
    count = "SELECT count(*) FROM messages_history WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 0
    assert (await ana.get(f"/v1/leads/{lead_id}"))["total_messages"] == 0


async def test_foreign_lead_or_agent_is_refused_and_nothing_is_written(
    ana: Person, bruno: Person, store_id: str, lead_id: str, db: Driver
) -> None:
    theirs = (await bruno.open_store())["id"]
    their_lead = (await add_lead(bruno, theirs))["id"]
    their_agent = (await bruno.add_agent(theirs))["id"]
    good = {"lead_id": lead_id, "role": "user", "content": "Oi"}
    path = f"/v1/stores/{store_id}/messages"

    for name, foreign in (
        ("lead_id", their_lead),
        ("lead_id", str(uuid4())),
        ("agent_id", their_agent),
        ("agent_id", str(uuid4())),
    ):
        body = {"messages": [good, good | {name: foreign}]}
        answer = await ana.request("POST", path, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/messages/1/{name}"

    count = "SELECT count(*) FROM messages_history WHERE store_id = ANY ($1::uuid[])"
    assert await db.fetchval(count, [store_id, theirs]) == 0


async def test_merged_lead_goes_on_hearing(ana: Person, store_id: str) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    await ana.post(f"/v1/leads/{kept['id']}/merge", {"lead_id": gone["id"]}, status=200)

    said = await say(ana, store_id, lead_id=gone["id"])

    assert said["lead_id"] == kept["id"]
    assert texts(await ana.get(f"/v1/leads/{gone['id']}/messages")) == ["Oi"]


async def test_many_contacts_at_once_do_not_wait_crosswise(
    ana: Person, store_id: str
) -> None:
    path = f"/v1/stores/{store_id}/messages"

    def batch(order: list[int]) -> dict[str, Any]:
        said = {"channel": "whatsapp", "role": "user", "content": "Oi"}
        return {"messages": [said | {"external_id": f"55319111100{n:02}"} for n in order]}

    for _ in range(3):
        answers = await asyncio.gather(
            *(
                ana.request("POST", path, json=batch(list(range(20))[:: 1 - 2 * (n % 2)]))
                for n in range(8)
            )
        )
        assert {answer.status_code for answer in answers} == {201}

    people = (await ana.get(f"/v1/stores/{store_id}/leads", limit=200))["items"]
    assert [person["total_messages"] for person in people] == [24] * 20


async def test_lead_that_is_joined_meanwhile_goes_on_hearing(
    ana: Person, store_id: str, database_url: str
) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    merging = await connect(database_url)
    await merging.execute("BEGIN")
    await merging.execute("SELECT vek1_api.merge_leads($1, $2)", gone["id"], kept["id"])
    path = f"/v1/leads/{gone['id']}"

    waiting = [
        asyncio.create_task(say(ana, store_id, lead_id=gone["id"])),
        asyncio.create_task(ana.patch(path, {"city": "Betim"})),
        asyncio.create_task(ana.post(f"{path}/events", {"type": "visit"})),
    ]
    await asyncio.sleep(0.1)  # They wait for the merge by then, or the test proves less.
    await merging.execute("COMMIT")
    said, lead, event = await asyncio.gather(*waiting)
    await merging.close()

    assert [said["lead_id"], lead["id"], event["lead_id"]] == [kept["id"]] * 3


async def test_lead_that_is_joined_on_and_on_meanwhile_is_still_found(
    ana: Person, store_id: str, database_url: str
) -> None:
    first, second, third = [
        (await add_lead(ana, store_id, phone))["id"]
        for phone in ("5531911110000", "5531922220000", "5531933330000")
    ]
    one, other = await connect(database_url), await connect(database_url)
    join = "SELECT vek1_api.merge_leads($1, $2)"
    await one.execute("BEGIN")
    await one.execute(join, first, second)
    await other.execute("BEGIN")

    changed = asyncio.create_task(ana.patch(f"/v1/leads/{first}", {"city": "Betim"}))
    joined = asyncio.create_task(other.execute(join, second, third))
    for connection in (one, other):
        await asyncio.sleep(0.1)  # Whoever waits for it does by then.
        await connection.execute("COMMIT")
        await joined

    # Whoever of the two that wait comes first: nobody is told that there is no such person.
    assert (await changed)["id"] in {second, third}
    lead = await ana.get(f"/v1/leads/{first}")
    assert (lead["id"], lead["city"]) == (third, "Betim")
    for connection in (one, other):
        await connection.close()


async def test_old_id_filters_and_a_foreign_one_is_refused(
    ana: Person, bruno: Person, store_id: str
) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    await say(ana, store_id, lead_id=gone["id"])
    await ana.post(f"/v1/leads/{kept['id']}/merge", {"lead_id": gone["id"]}, status=200)
    theirs = await add_lead(bruno, (await bruno.open_store())["id"])
    path = f"/v1/stores/{store_id}/messages"

    assert texts(await ana.get(path, lead_id=gone["id"])) == ["Oi"]
    for name, foreign in (
        ("lead_id", theirs["id"]),
        ("lead_id", str(uuid4())),
        ("agent_id", str(uuid4())),
    ):
        answer = await ana.request("GET", path, params={name: foreign})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


async def test_words_at_the_end_of_a_long_message_are_found(
    ana: Person, store_id: str, lead_id: str
) -> None:
    await say(ana, store_id, lead_id=lead_id, content="palavra " * 2000 + "girassol")

    found = await ana.get(f"/v1/stores/{store_id}/messages", q="girassóis")

    assert len(found["items"]) == 1


async def test_many_people_at_once_do_not_wait_crosswise(
    ana: Person, store_id: str
) -> None:
    ids = [(await add_lead(ana, store_id, f"55319111100{n:02}"))["id"] for n in range(6)]
    path = f"/v1/stores/{store_id}/messages"

    def batch(order: list[str]) -> dict[str, Any]:
        return {
            "messages": [{"lead_id": i, "role": "user", "content": "Oi"} for i in order]
        }

    answers = await asyncio.gather(
        *(
            ana.request("POST", path, json=batch(ids if n % 2 else ids[::-1]))
            for n in range(20)
        )
    )

    assert {answer.status_code for answer in answers} == {201}
    assert (await ana.get(f"/v1/leads/{ids[0]}"))["total_messages"] == 20


@pytest.mark.parametrize("first", [0, 1])
async def test_batch_and_merge_at_once_do_not_wait_crosswise(
    first: int, ana: Person, store_id: str, database_url: str
) -> None:
    phones = ["5531911110000", "5531922220000"]
    ids = [(await add_lead(ana, store_id, phone))["id"] for phone in phones]
    oi = {"role": "user", "content": "Oi"}
    by_contact = oi | {"channel": "whatsapp", "external_id": phones[first]}
    # Whose contact it is waits until the batch has been begun and the merge asked for.
    held = await connect(database_url)
    await held.execute("BEGIN")
    await held.execute(
        "INSERT INTO vek1_api.lead_identity VALUES ($1, 'whatsapp', $2, gen_random_uuid())",
        store_id,
        "5531999990000",
    )
    stranger = oi | {"channel": "whatsapp", "external_id": "5531999990000"}
    batch = [by_contact, stranger, oi | {"lead_id": ids[1 - first]}]

    said = asyncio.create_task(
        ana.request("POST", f"/v1/stores/{store_id}/messages", json={"messages": batch})
    )
    await asyncio.sleep(0.1)  # It waits for the stranger by then, or the test proves less.
    merged = asyncio.create_task(
        ana.request("POST", f"/v1/leads/{ids[0]}/merge", json={"lead_id": ids[1]})
    )
    await asyncio.sleep(0.1)
    await held.execute("ROLLBACK")
    await held.close()

    assert [(await said).status_code, (await merged).status_code] == [201, 200]
    assert (await ana.get(f"/v1/leads/{ids[1]}"))["total_messages"] == 2


async def test_message_by_contact_and_merge_at_once_do_not_wait_crosswise(
    ana: Person, store_id: str, database_url: str
) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    saying = await connect(database_url)
    await saying.execute("BEGIN")
    find = (
        "SELECT lead_id FROM vek1_api.upsert_lead($1, 'whatsapp', ARRAY['31 91111-0000'])"
    )
    lead_id = await saying.fetchval(find, store_id)

    merged = asyncio.create_task(
        ana.request("POST", f"/v1/leads/{kept['id']}/merge", json={"lead_id": gone["id"]})
    )
    await asyncio.sleep(0.1)  # It waits by then, or the test proves less.
    said = {"place": 0, "lead_id": str(lead_id), "role": "user", "content": "Oi"}
    await saying.execute(
        "SELECT vek1_api.append_messages($1, $2)", store_id, json.dumps([said])
    )
    await saying.execute("COMMIT")
    await saying.close()

    assert (await merged).status_code == 200
    assert (await ana.get(f"/v1/leads/{gone['id']}"))["total_messages"] == 1
