"""Reading a problem document, and holding it against the contract on the way."""

from typing import Any

import httpx

from tests.people import Person

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
JSON = {"Content-Type": "application/json"}


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem document, which is exactly as the contract says."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem.keys() - {"errors"} == MEMBERS
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:vek1:problem:{code}"
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def pointers_of(response: httpx.Response) -> list[str]:
    problem = problem_of(response, 422, "validation_failed")
    for error in problem["errors"]:
        assert error.keys() == {"pointer", "code", "message"}
    return [error["pointer"] for error in problem["errors"]]


async def has_no_stores(person: Person) -> bool:
    return bool((await person.get("/v1/stores"))["items"] == [])
