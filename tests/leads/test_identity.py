"""One person, one lead: every spelling of an id, at once, and joined later."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.leads.people_of import MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver
from vek1_api.core.schema import connect
from vek1_api.core.schema import heal_database

SPELLINGS = [
    "5531999998888",
    "553199998888",
    "+55 (31) 99999-8888",
    "(31) 9999-8888",
    "553199998888:12@s.whatsapp.net",
]


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def upsert(person: Person, store_id: str, **body: Any) -> Any:
    return await person.request("POST", f"/v1/stores/{store_id}/leads", json=body)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        *((spelling, MOBILE) for spelling in SPELLINGS),
        ("031 99999-8888", MOBILE),
        ("0055 31 9 9999-8888", MOBILE),
        ("5531999998888@c.us", MOBILE),
        # An area code that looks like the country's.
        ("55999998888", "5555999998888"),
        ("(55) 9999-8888", "5555999998888"),
        # As people paste them, dial them, and as other programs write them.
        ("+55 (031) 99999-8888", MOBILE),
        ("\u202a+55 31 99999-8888\u202c", MOBILE),
        ("+55\u00a031\u00a099999\u20118888", MOBILE),
        ("31/99999/8888", MOBILE),
        ("\uff13\uff11 \uff1999998888", MOBILE),
        ("0 15 31 99999-8888", MOBILE),
        ("+55 31 99999-8888;", MOBILE),
        ("whatsapp:+5531999998888", MOBILE),
        ("tel:+55-31-99999-8888", MOBILE),
        ("0047 98765432", "+4798765432"),
        ("+47 98765432", "+4798765432"),
        # What only looks like a scheme or a device is somebody's id.
        ("a:b", "a:b"),
        ("a:c", "a:c"),
        ("@s.whatsapp.net", "@s.whatsapp.net"),
        # Landlines get no ninth digit.
        ("553133334444", "553133334444"),
        ("(31) 3333-4444", "553133334444"),
        # Foreign numbers and what is no phone stay as they are.
        ("14155552671", "14155552671"),
        ("+1 (415) 555-2671", "14155552671"),
        ("+351 912 345 678", "351912345678"),
        ("5491123456789@s.whatsapp.net", "5491123456789"),
        ("190", "190"),
        ("84738274928374@lid", "84738274928374@lid"),
        ("84738274928374:3@lid", "84738274928374@lid"),
        ("bot-de-teste", "bot-de-teste"),
    ],
)
async def test_spelling_of_a_phone(
    ana: Person, store_id: str, raw: str, canonical: str
) -> None:
    lead = await add_lead(ana, store_id, raw)

    assert lead["external_id"] == canonical


async def test_website_ids_stay_as_they_are(ana: Person, store_id: str) -> None:
    lead = await upsert(ana, store_id, channel="website", external_id="User-31 99999")

    assert lead.json()["external_id"] == "User-31 99999"


async def test_two_hundred_first_messages_make_one_lead(
    ana: Person, store_id: str, db: Driver
) -> None:
    answers = await asyncio.gather(
        *(
            upsert(ana, store_id, channel="whatsapp", external_id=SPELLINGS[number % 5])
            for number in range(200)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 199 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    count = "SELECT count(*) FROM leads WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1


async def test_leads_need_no_index_in_public(
    ana: Person, store_id: str, db: Driver, database_url: str
) -> None:
    await db.execute("DROP INDEX leads_store_id_channel_external_id_unique")
    try:
        first = await add_lead(ana, store_id)
        again = await upsert(ana, store_id, channel="whatsapp", external_id=SPELLINGS[1])
    finally:
        await heal_database(database_url)  # Other tests look at the same database.

    assert (again.status_code, again.json()["id"]) == (200, first["id"])


async def test_the_same_id_in_another_store_or_channel_is_somebody_else(
    ana: Person, store_id: str
) -> None:
    elsewhere = (await ana.open_store("Outra"))["id"]

    leads = [
        await add_lead(ana, store_id),
        await add_lead(ana, elsewhere),
        await add_lead(ana, store_id, channel="website"),
    ]

    assert len({lead["id"] for lead in leads}) == 3


async def test_a_lid_that_gets_a_phone_joins_what_both_said(
    ana: Person, store_id: str, db: Driver
) -> None:
    by_lid = await add_lead(ana, store_id, "84738274928374@lid", name="Jô")
    by_phone = await add_lead(ana, store_id, MOBILE, city="Contagem")

    joined = await upsert(
        ana,
        store_id,
        channel="whatsapp",
        external_id="84738274928374@lid",
        aliases=["553199998888@s.whatsapp.net"],
    )

    lead = joined.json()
    assert (joined.status_code, lead["id"]) == (200, by_lid["id"])
    assert (lead["name"], lead["city"]) == ("Jô", "Contagem")
    for old_id in (by_lid["id"], by_phone["id"]):
        assert await ana.get(f"/v1/leads/{old_id}") == lead
    count = "SELECT count(*) FROM leads WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1
    (entry,) = await ana.audit(action="lead.merged")
    assert entry["meta"] == {"lead_id": by_phone["id"]}


async def test_crosswise_ids_at_once_make_one_lead(
    ana: Person, store_id: str, db: Driver
) -> None:
    lid, phone = "84738274928374@lid", MOBILE
    kinds = [[lid], [phone], [lid, phone], [phone, lid]]

    answers = await asyncio.gather(
        *(
            upsert(
                ana,
                store_id,
                channel="whatsapp",
                external_id=kinds[number % 4][0],
                aliases=kinds[number % 4][1:],
            )
            for number in range(80)
        )
    )

    assert {answer.status_code for answer in answers} <= {200, 201}
    count = "SELECT count(*) FROM leads WHERE store_id = $1"
    assert await db.fetchval(count, store_id) == 1
    ids = {answer.json()["id"] for answer in answers}
    assert len({(await ana.get(f"/v1/leads/{each}"))["id"] for each in ids}) == 1


async def test_visitor_who_signs_in_keeps_what_they_were(
    ana: Person, store_id: str
) -> None:
    visitor = await add_lead(ana, store_id, "anon-7c1b", channel="website", name="Jô")
    await ana.post(f"/v1/leads/{visitor['id']}/events", {"type": "visit"})

    known = await upsert(
        ana, store_id, channel="website", external_id="user-1", aliases=["anon-7c1b"]
    )

    assert known.json()["id"] == visitor["id"]
    events = (await ana.get(f"/v1/leads/{visitor['id']}/events"))["items"]
    assert [event["type"] for event in events] == ["visit"]
    again = await upsert(ana, store_id, channel="website", external_id="user-1")
    assert again.json()["id"] == visitor["id"]


async def test_merge_joins_everything_once(ana: Person, store_id: str, db: Driver) -> None:
    kept = await add_lead(ana, store_id, "5531911110000", name="Joana")
    gone = await add_lead(ana, store_id, "5531922220000", name="J.", city="Betim")
    await ana.post(f"/v1/leads/{gone['id']}/events", {"type": "visit"})
    await db.execute(
        "INSERT INTO messages_history (user_id, store_id, lead_id, agent_type, role,"
        " content) SELECT 'x', $1, $2, 'sales', 'user', 'Oi' FROM generate_series(1, 3)",
        store_id,
        gone["id"],
    )
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, lead_id, number, subtotal_cents, shipping_cents,"
        " discount_cents, total_cents) VALUES ($1, $2, 1, 0, 0, 0, 0) RETURNING id",
        store_id,
        gone["id"],
    )
    path = f"/v1/leads/{kept['id']}/merge"

    merged = await ana.post(path, {"lead_id": gone["id"]}, status=200)
    again = await ana.post(path, {"lead_id": gone["id"]}, status=200)

    assert (merged["id"], merged["name"], merged["city"]) == (kept["id"], "Joana", "Betim")
    assert merged["total_messages"] == 3
    assert again == merged
    assert await ana.get(f"/v1/leads/{gone['id']}") == merged
    assert (
        str(await db.fetchval("SELECT lead_id FROM orders WHERE id = $1", order_id))
        == (kept["id"])
    )
    same = await upsert(ana, store_id, channel="whatsapp", external_id="553122220000")
    assert same.json()["id"] != kept["id"]
    same = await upsert(ana, store_id, channel="whatsapp", external_id="5531922220000")
    assert same.json()["id"] == kept["id"]
    types = [e["type"] for e in (await ana.get(f"/v1/leads/{kept['id']}/events"))["items"]]
    assert sorted(types) == ["merged", "visit"]


async def test_merge_and_change_of_an_order_at_once_do_not_wait_crosswise(
    ana: Person, store_id: str, db: Driver, database_url: str
) -> None:
    kept = await add_lead(ana, store_id, "5531911110000")
    gone = await add_lead(ana, store_id, "5531922220000")
    order_id = await db.fetchval(
        "INSERT INTO orders (store_id, lead_id, number, subtotal_cents, total_cents)"
        " VALUES ($1, $2, 1, 0, 0) RETURNING id",
        store_id,
        gone["id"],
    )
    changing = await connect(database_url)
    await changing.execute("BEGIN")
    await changing.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order_id)

    merged = asyncio.create_task(
        ana.post(f"/v1/leads/{kept['id']}/merge", {"lead_id": gone["id"]}, status=200)
    )
    await asyncio.sleep(0.1)  # It waits by then, or the test proves less.
    await changing.execute("UPDATE leads SET total_purchases = 1 WHERE id = $1", gone["id"])
    await changing.execute("COMMIT")
    await changing.close()

    assert (await merged)["total_purchases"] == 1


async def test_new_id_of_people_who_are_joined_meanwhile_is_of_who_is_left(
    ana: Person, store_id: str, db: Driver, database_url: str
) -> None:
    phones = ["5531911110000", "5531922220000", "5531933330000"]
    first, second, kept = [(await add_lead(ana, store_id, each))["id"] for each in phones]
    merging = await connect(database_url)
    await merging.execute("BEGIN")
    for gone in (first, second):
        await merging.execute("SELECT vek1_api.merge_leads($1, $2)", gone, kept)

    who = {"channel": "whatsapp", "external_id": "77@lid", "aliases": phones[:2]}
    known = asyncio.create_task(upsert(ana, store_id, **who))
    await asyncio.sleep(0.1)  # It waits by then, or the test proves less.
    await merging.execute("COMMIT")
    await merging.close()

    assert (await known).json()["id"] == kept
    ids = "SELECT lead_id::text FROM vek1_api.lead_identity WHERE store_id = $1"
    assert [row["lead_id"] for row in await db.fetch(ids, store_id)] == [kept] * 4
    assert await ana.audit(action="lead.merged") == []


async def test_merge_of_a_foreign_lead_changes_nothing(
    ana: Person, bruno: Person, store_id: str
) -> None:
    mine = await add_lead(ana, store_id)
    elsewhere = await add_lead(ana, (await ana.open_store("Outra"))["id"])
    theirs = await add_lead(bruno, (await bruno.open_store())["id"])

    for other in (elsewhere["id"], theirs["id"], str(uuid4()), mine["id"]):
        answer = await ana.request(
            "POST", f"/v1/leads/{mine['id']}/merge", json={"lead_id": other}
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/lead_id"

    assert await ana.get(f"/v1/leads/{mine['id']}") == mine
    assert await bruno.get(f"/v1/leads/{theirs['id']}") == theirs


async def test_lead_of_the_front_end_is_known(
    ana: Person, store_id: str, db: Driver
) -> None:
    lead_id = await db.fetchval(
        "INSERT INTO leads (store_id, channel, external_id)"
        " VALUES ($1, 'whatsapp', '553199998888') RETURNING id",
        store_id,
    )

    answer = await upsert(ana, store_id, channel="whatsapp", external_id=MOBILE)

    assert (answer.status_code, answer.json()["id"]) == (200, str(lead_id))
