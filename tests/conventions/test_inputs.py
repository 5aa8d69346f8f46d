"""What comes in: every value that does not fit is pointed at, and nothing is changed."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conventions.problems import JSON, has_no_stores, pointers_of, problem_of
from tests.people import Person


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "   "}, ["/name"]),
        ({"name": "x" * 201}, ["/name"]),
        ({"name": None}, ["/name"]),
        ({"name": 5}, ["/name"]),
        ({"name": ["Loja"]}, ["/name"]),
        ({"name": "a\x00b"}, ["/name"]),
        ({"name": "Loja", "x": 1}, ["/x"]),
        ({"name": "Loja", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"name": "Loja", "": 1}, ["/"]),
        ({"name": "Loja", "status": "deleted"}, ["/status"]),
        ({"name": "Loja", "slug": "Não"}, ["/slug"]),
        ({"name": "Loja", "slug": "a--b"}, ["/slug"]),
        ({"name": "Loja", "slug": "a" * 61}, ["/slug"]),
        ({"name": "Loja", "allocated_size_gb": 0}, ["/allocated_size_gb"]),
        ({"name": "Loja", "allocated_size_gb": 1001}, ["/allocated_size_gb"]),
        ({"name": "Loja", "allocated_size_gb": 1.5}, ["/allocated_size_gb"]),
        ({"name": "Loja", "allocated_size_gb": "2"}, ["/allocated_size_gb"]),
        ({"name": "Loja", "allocated_size_gb": True}, ["/allocated_size_gb"]),
        ({"name": "Loja", "allocated_size_gb": 10**30}, ["/allocated_size_gb"]),
        ({"name": 1, "description": 2}, ["/name", "/description"]),
        ([], [""]),
        ("Loja", [""]),
        (None, [""]),
    ],
)
async def test_each_wrong_value_is_pointed_at(
    body: Any, pointers: list[str], ana: Person
) -> None:
    content = json.dumps(body)

    response = await ana.request("POST", "/v1/stores", content=content, headers=JSON)

    assert pointers_of(response) == pointers
    assert await has_no_stores(ana)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (r'{"name":"\ud800"}', "/name"),
        (r'{"name":"x\udfff\ud800y"}', "/name"),
        (r'{"name":"Loja","\ud800":1}', ""),
        (r'{"name":"Loja","a\u0000b":1}', "/a\x00b"),
    ],
)
async def test_half_a_surrogate_pair_is_refused_wherever_it_is(
    body: str, pointer: str, ana: Person
) -> None:
    response = await ana.request("POST", "/v1/stores", content=body, headers=JSON)

    assert pointers_of(response) == [pointer]
    assert await has_no_stores(ana)


@pytest.mark.parametrize(
    "value",
    [
        r'{"a":"\ud800"}',
        r'{"\ud800":1}',
        r'{"a":{"b":["\u0000"]}}',
        r'{"\u0000":1}',
        '{"a":1e400}',
        '{"a":[-1e999]}',
        '{"a":NaN}',
        '{"a":Infinity}',
        "[]",
        '"texto"',
        '{"a":' * 9 + "1" + "}" * 9,
        json.dumps({"a": list(range(2_001))}),
        json.dumps({"a": 10**30}),
        json.dumps({"a": "x" * 200_000}),
        json.dumps({"x" * 200_000: 1}),
    ],
    ids=range(15),
)
async def test_free_json_that_postgres_cannot_hold_is_refused(
    value: str, ana: Person
) -> None:
    body = f'{{"settings":{value}}}'

    response = await ana.request("PATCH", "/v1/company", content=body, headers=JSON)

    assert response.status_code in {400, 422}, response.text
    problem_of(response, response.status_code, response.json()["code"])
    assert (await ana.get("/v1/company"))["settings"] == {}


@pytest.mark.parametrize(
    "number",
    ["0", "-0.5", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
)
async def test_free_json_keeps_numbers_of_sixty_four_bits(number: str, ana: Person) -> None:
    body = f'{{"settings":{{"a":{number}}}}}'

    response = await ana.request("PATCH", "/v1/company", content=body, headers=JSON)

    assert response.status_code == 200
    assert response.json()["settings"]["a"] == json.loads(number)


async def test_answer_to_nonsense_stays_small(ana: Person) -> None:
    body = {"name": "Loja"} | {f"x{number}": 1 for number in range(5_000)}

    response = await ana.request("POST", "/v1/stores", json=body)

    assert len(pointers_of(response)) == 100
    assert await has_no_stores(ana)


async def test_pointer_leads_to_the_value_inside_lists_and_objects(ana: Person) -> None:
    store = await ana.open_store()
    agent = await ana.add_agent(store["id"])
    path = f"/v1/agents/{agent['id']}/knowledge-base"
    unknown = str(uuid4())

    wrong = await ana.request("PUT", path, json={"document_ids": [unknown, "x", 3]})
    foreign = await ana.request("PUT", path, json={"document_ids": [unknown]})
    tags = await ana.request(
        "POST",
        f"/v1/stores/{store['id']}/documents",
        json={"title": "T", "content": "C", "tags": ["boa", "", 4]},
    )

    assert pointers_of(wrong) == ["/document_ids/1", "/document_ids/2"]
    assert pointers_of(foreign) == ["/document_ids/0"]
    assert pointers_of(tags) == ["/tags/1", "/tags/2"]


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/stores?limt=5", "/query/limt"),
        ("/v1/stores?limit=0", "/query/limit"),
        ("/v1/stores?limit=201", "/query/limit"),
        ("/v1/stores?limit=", "/query/limit"),
        ("/v1/stores?limit=muitos", "/query/limit"),
        ("/v1/stores?status=deleted", "/query/status"),
        ("/v1/stores?a~b/c=1", "/query/a~0b~1c"),
        ("/v1/stores?%00=1", "/query/\x00"),
        ("/v1/company?x=1", "/query/x"),
        ("/v1/audit?from_=2026-01-01T00:00:00Z", "/query/from_"),
        ("/v1/audit?from=ontem", "/query/from"),
        ("/v1/audit?from=2026-01-01T00:00:00", "/query/from"),
        ("/v1/audit?from=0001-01-01T00:00:00%2B14:00", "/query/from"),
        ("/v1/audit?to=9999-12-31T23:59:59-14:00", "/query/to"),
        ("/v1/audit?store_id=x", "/query/store_id"),
        ("/v1/audit?action=%00", "/query/action"),
        ("/v1/audit?target_id=a%20b", "/query/target_id"),
    ],
)
async def test_filter_that_does_not_fit_is_refused_and_never_ignored(
    path: str, pointer: str, ana: Person
) -> None:
    assert pointers_of(await ana.request("GET", path)) == [pointer]


async def test_changing_request_with_an_unknown_parameter_changes_nothing(
    ana: Person,
) -> None:
    response = await ana.request("POST", "/v1/stores?dry_run=true", json={"name": "Loja"})

    assert pointers_of(response) == ["/query/dry_run"]
    assert await has_no_stores(ana)


async def test_credential_is_asked_before_values_are_judged(
    http: httpx.AsyncClient,
) -> None:
    response = await http.post("/v1/stores?x=1", json={"nome": "Loja"})

    problem_of(response, 401, "unauthenticated")
