"""Which ids of a caller are kept for good, and which are not."""

from uuid import uuid4

import pytest

from tests.leads.people_of import add_lead
from tests.people import Person
from vek1_api.core.context import sane_request_id


@pytest.mark.parametrize(
    "offered",
    [
        "envio-7",
        "1234567",
        "12345678-1234-1234-1234-123456789012",
        "a1234567890123456789",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ],
)
def test_id_that_a_machine_made_is_kept(offered: str) -> None:
    assert sane_request_id(offered.encode()) == offered


@pytest.mark.parametrize(
    "offered", ["maria-31975315555", "12345678", "5531975315555000", "g31975315555"]
)
def test_id_that_may_hold_a_number_of_a_person_is_replaced(offered: str) -> None:
    made = sane_request_id(offered.encode())

    assert len(made) == 32
    assert offered not in made


async def test_trail_of_an_event_has_no_words_of_the_caller(ana: Person) -> None:
    lead = await add_lead(ana, str((await ana.open_store())["id"]))
    asked = f"maria-31975315555-{uuid4()}"
    answer = await ana.request(
        "POST",
        f"/v1/leads/{lead['id']}/events",
        json={"type": "Maria ligou 31975315555"},
        headers={"X-Request-Id": asked},
    )

    (entry,) = await ana.audit(action="lead.event_added")
    assert answer.json()["type"] == "Maria ligou 31975315555"
    assert entry["meta"] is None
    assert "31975315555" not in entry["request_id"]
