"""Somebody who was forgotten is not brought back by a file."""

import pytest

from tests.leads.csv_of import NOTHING, errors, export, leads, run_import, statuses, traces
from tests.leads.people_of import JOANA, MOBILE, add_lead
from tests.people import Person
from vek1_api.core.db import Driver

AGAIN = "telefone,nome\n+55 31 9999-8888,Joana Ribeiro\n31 98888-7777,Bia\n"


@pytest.fixture
async def store_id(ana: Person) -> str:
    return str((await ana.open_store())["id"])


async def erase(person: Person, store_id: str) -> None:
    lead = await add_lead(person, store_id, MOBILE, **JOANA)
    await person.delete(f"/v1/leads/{lead['id']}")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_erased_person_is_not_written_down_again(
    ana: Person, store_id: str, db: Driver, *, dry_run: bool
) -> None:
    await erase(ana, store_id)

    answer = await run_import(ana, store_id, AGAIN, dry_run=dry_run)

    assert statuses(answer) == ["error", "created"]
    assert errors(answer) == {1: [("/external_id", "erased_person")]}
    names = [lead["name"] for lead in await leads(ana, store_id)]
    assert names == ([] if dry_run else ["Bia"])
    assert (await traces(db, store_id))[:2] == [len(names)] * 2


async def test_two_rows_of_an_erased_person_are_both_refused(
    ana: Person, store_id: str, db: Driver
) -> None:
    await erase(ana, store_id)

    answer = await run_import(ana, store_id, f"telefone,nome\n{MOBILE},A\n{MOBILE},\n")

    assert [code for [(_, code)] in errors(answer).values()] == ["erased_person"] * 2
    assert (await traces(db, store_id))[:2] == [0, 0]


async def test_who_came_back_keeps_what_they_said_since(ana: Person, store_id: str) -> None:
    await erase(ana, store_id)
    back = await add_lead(ana, store_id, MOBILE, name="Jô")

    old = await run_import(ana, store_id, AGAIN)
    now = await run_import(ana, store_id, await export(ana, store_id))

    assert statuses(old) == ["error", "created"]
    assert now["summary"] == NOTHING | {"unchanged": 2}
    assert await ana.get(f"/v1/leads/{back['id']}") == back


async def test_erasure_in_one_store_is_none_in_another(ana: Person, store_id: str) -> None:
    await erase(ana, store_id)
    elsewhere = (await ana.open_store("Outra"))["id"]

    answer = await run_import(ana, elsewhere, AGAIN)

    assert statuses(answer) == ["created", "created"]
