"""``ETag``, ``If-Match`` and ``If-None-Match`` on every single resource."""

import asyncio

import pytest

from tests.access.operations import (
    Ids,
    Operation,
    make_one_of_each,
    named,
    operations,
)
from tests.access.rows import rows_about
from tests.people import Person
from vek1_api.core.db import Driver

CHANGES = [
    operation
    for operation in operations("/v1")
    if operation.method in {"PATCH", "PUT", "DELETE"}
]
STALE = '"0123456789abcdef01234567"'


def _shown_at(operation: Operation, ids: Ids) -> str:
    """Return where the version of what an operation changes is read."""
    if operation.path.startswith("/v1/company"):
        return "/v1/company"
    return (
        operation.url(ids).removesuffix(f"/{ids.document_id}")
        if ("knowledge-base" in operation.path)
        else operation.url(ids)
    )


@pytest.mark.parametrize("operation", CHANGES, ids=named)
async def test_change_of_another_version_changes_nothing(
    operation: Operation, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    before = await rows_about(db, ana.user_id, ids.store_id)

    for header in (STALE, f"{STALE}, W/{STALE}", "nonsense", ""):
        response = await operation.call(ana, ids, ids, headers={"If-Match": header})
        assert response.status_code == 412, header
        assert response.json()["code"] == "precondition_failed"

    after = await rows_about(db, ana.user_id, ids.store_id)
    stored = "vek1_api.stored_objects"  # An upload that was refused waits to be removed.
    assert {k: v for k, v in after.items() if k not in {stored, "jobs"}} == {
        k: v for k, v in before.items() if k not in {stored, "jobs"}
    }


@pytest.mark.parametrize("operation", CHANGES, ids=named)
@pytest.mark.parametrize("form", ["{}", f"{STALE}, {{}}", "*"])
async def test_change_of_the_present_version_is_made(
    operation: Operation, form: str, ana: Person, db: Driver
) -> None:
    ids = await make_one_of_each(ana, db)
    tag = (await ana.request("GET", _shown_at(operation, ids))).headers["etag"]

    response = await operation.call(ana, ids, ids, headers={"If-Match": form.format(tag)})

    assert response.is_success, response.text


async def test_weak_tag_is_no_version_to_change(ana: Person) -> None:
    tag = (await ana.request("GET", "/v1/company")).headers["etag"]

    response = await ana.request(
        "PATCH", "/v1/company", json={"name": "Outra"}, headers={"If-Match": f"W/{tag}"}
    )

    assert response.status_code == 412


async def test_answer_of_a_change_carries_the_new_version(ana: Person) -> None:
    made = await ana.request("POST", "/v1/stores", json={"name": "Loja"})
    path = f"/v1/stores/{made.json()['id']}"
    read = await ana.request("GET", path)
    changed = await ana.request("PATCH", path, json={"name": "Outra"})
    read_again = await ana.request("GET", path)

    assert made.headers["etag"] == read.headers["etag"]
    assert changed.headers["etag"] == read_again.headers["etag"] != read.headers["etag"]


async def test_of_two_who_change_one_version_one_is_refused(ana: Person) -> None:
    path = f"/v1/stores/{(await ana.open_store())['id']}"
    tag = (await ana.request("GET", path)).headers["etag"]

    answers = await asyncio.gather(
        *(
            ana.request("PATCH", path, json={"name": name}, headers={"If-Match": tag})
            for name in ("Um", "Dois", "Três", "Quatro")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '"x",W/{}', "*"])
async def test_known_version_is_not_sent_again(form: str, ana: Person) -> None:
    tag = (await ana.request("GET", "/v1/company")).headers["etag"]

    response = await ana.request(
        "GET", "/v1/company", headers={"If-None-Match": form.format(tag)}
    )

    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == tag


@pytest.mark.parametrize("header", [STALE, "", "nonsense", 'W/"x"'])
async def test_other_version_is_sent(header: str, ana: Person) -> None:
    response = await ana.request("GET", "/v1/company", headers={"If-None-Match": header})

    assert response.status_code == 200
    assert response.json()["id"] == ana.user_id


async def test_missing_thing_is_not_found_whatever_version_is_meant(ana: Person) -> None:
    store = await ana.open_store()
    path = f"/v1/stores/{store['id']}"
    await ana.delete(path)

    for header in ("*", STALE):
        response = await ana.request(
            "PATCH", path, json={"name": "x"}, headers={"If-Match": header}
        )
        assert response.status_code == 404
