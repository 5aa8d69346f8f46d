"""The OpenAPI document: complete, valid, and the same as the committed one."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from vek1_api.core.openapi_bodies import operations as operations_of
from vek1_api.core.openapi_examples import Examples
from vek1_api.main import create_app
from vek1_api.settings import Settings

COMMITTED = Path(__file__).parents[1] / "openapi.json"
MOST_LINES = 120
UNDOCUMENTED = {
    "/",  # Leads to /docs.
    "/docs",
    "/docs/{digest}/{name}",
    "/openapi.json",
    "/ops/jobs",  # PgQueuer's own dashboard.
    # Another way to what the document names without `payment-settings`.
    "/v1/stores/{store_id}/payment-settings/rotate-webhook-secret",
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def application() -> FastAPI:
    return create_app(Settings())


@pytest.fixture(scope="module")
def document(application: FastAPI) -> dict[str, Any]:
    return application.openapi()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, Operation]:
    """Every operation, by its method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, method, operation in operations_of(document)
    }


def test_document_is_the_committed_one(document: dict[str, Any]) -> None:
    now = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    committed = COMMITTED.read_text(encoding="utf-8")

    difference = list(
        unified_diff(
            committed.splitlines(),
            now.splitlines(),
            "openapi.json",
            "now",
            lineterm="",
            n=2,
        )
    )

    shown = "\n".join(difference[:MOST_LINES])
    more = f"\n... {len(difference)} lines in all" * (len(difference) > MOST_LINES)
    assert not difference, (
        f"The contract has changed. If you mean it, run `make openapi`.\n{shown}{more}"
    )


@pytest.mark.timeout(60)  # Seconds of work, on a busy machine many.
def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validator = OpenAPIV31SpecValidator(document)

    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in validator.iter_errors()] == []


def test_every_route_is_documented(application: FastAPI, document: dict[str, Any]) -> None:
    # The table in front of the routes has no path of its own.
    paths = [each.path for each in iter_route_contexts(application.routes)]
    served = {re.sub(r":\w+}", "}", path) for path in paths if path}

    assert served - UNDOCUMENTED == set(document["paths"])


def test_every_operation_has_an_id_of_its_own(operations: dict[str, Operation]) -> None:
    ids = Counter(operation["operationId"] for operation in operations.values())

    assert [name for name, count in ids.items() if count > 1] == []


def test_every_operation_has_one_known_tag_in_the_order_of_the_document(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    known = [tag["name"] for tag in document["tags"]]
    used = [operation["tags"] for operation in operations.values()]

    assert [tags for tags in used if len(tags) != 1] == []
    assert list(dict.fromkeys(tag for [tag] in used)) == known
    assert [tag["name"] for tag in document["tags"] if not tag["description"]] == []


def test_every_operation_says_in_whole_sentences_what_it_does(
    application: FastAPI, operations: dict[str, Operation]
) -> None:
    routes = iter_route_contexts(application.routes)
    documented = [each.endpoint for each in routes if each.path not in UNDOCUMENTED]
    docstrings = {
        endpoint.__name__: inspect.getdoc(endpoint) or ""
        for endpoint in documented
        if endpoint is not None
    }

    assert set(docstrings) == {each["operationId"] for each in operations.values()}
    assert [name for name, text in docstrings.items() if not text.endswith(".")] == []
    summaries = [operation["summary"] for operation in operations.values()]
    assert [text for text in summaries if not text or text.endswith(".")] == []


def test_every_parameter_is_described(operations: dict[str, Operation]) -> None:
    assert [
        f"{name}: {parameter['name']}"
        for name, operation in operations.items()
        for parameter in operation["parameters"]
        if not parameter.get("description")
    ] == []


def test_every_operation_outside_health_demands_a_credential(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    schemes = set(document["components"]["securitySchemes"])
    demanded = {
        name: {scheme for way in operation["security"] for scheme in way}
        for name, operation in operations.items()
    }

    assert [name for name in demanded if not demanded[name]] == [
        "GET /health/live",
        "GET /health/ready",
    ]
    assert set().union(*demanded.values()) == schemes


def test_every_error_has_the_one_shape_and_an_example(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    for name, operation in operations.items():
        errors = {
            status: answer
            for status, answer in operation["responses"].items()
            if status >= "400"
        }
        assert {"422", "500", "503"} <= set(errors), name
        for status, answer in errors.items():
            content = answer["content"]["application/problem+json"]
            assert content["schema"] == PROBLEM
            for code, example in content["examples"].items():
                problem = example["value"]
                where = f"{name} {status} {code}"
                assert (problem["code"], str(problem["status"])) == (code, status), where
                assert f"`{code}`" in answer["description"], where
                assert_valid(document, PROBLEM, problem, where)


def test_every_body_that_is_sent_or_answered_has_an_example_that_fits(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    for where, content in bodies(operations):
        assert "example" in content, where
        assert_valid(document, content["schema"], content["example"], where)


def test_every_field_of_an_example_is_stated_somewhere(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    examples = Examples(document["components"]["schemas"])
    for where, content in bodies(operations):
        make = examples.request if where.endswith("sent") else examples.answer
        make(content["schema"])

    assert examples.unstated == set(), "Give these fields `examples` in their schema."


def test_example_of_a_citation_is_in_the_example_of_its_document(
    operations: dict[str, Operation],
) -> None:
    written = operations["POST /v1/stores/{store_id}/documents"]["responses"]["201"]
    found = operations["POST /v1/stores/{store_id}/search"]["responses"]["200"]
    text = written["content"]["application/json"]["example"]
    hit = found["content"]["application/json"]["example"]["items"][0]

    assert hit["document_id"] == text["id"]
    chunk = hit["chunk"]
    assert text["content"][chunk["start"] : chunk["end"]] == chunk["text"]


def test_document_can_be_sent_as_json_or_as_a_form(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    sent = operations["POST /v1/stores/{store_id}/documents"]["requestBody"]["content"]
    form = document["components"]["schemas"]["DocumentForm"]

    assert list(sent) == ["application/json", "multipart/form-data"]
    assert form["required"] == ["file"]
    assert sent["multipart/form-data"]["encoding"] == {
        "tags": {"contentType": "application/json"},
        "metadata": {"contentType": "application/json"},
    }
    assert "anyOf" not in json.dumps(form), "A form has no null."


def test_no_field_that_a_patch_leaves_out_has_a_default(
    document: dict[str, Any], operations: dict[str, Operation]
) -> None:
    for name, operation in operations.items():
        if name.startswith("PATCH "):
            [content] = operation["requestBody"]["content"].values()
            schema = resolved(document, content["schema"])
            assert "default" not in json.dumps(schema["properties"]), name


def bodies(operations: dict[str, Operation]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every body that is sent, and every one that is answered on success."""
    for name, operation in operations.items():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} sent", content
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                # A text, such as the metrics, is for machines that know it.
                if status < "300" and media_type != "text/plain":
                    yield f"{name} {status}", content


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def assert_valid(
    document: dict[str, Any], schema: dict[str, Any], value: Any, where: str
) -> None:
    validator = Draft202012Validator(
        {**schema, "components": document["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    assert [f"{where}: {error.message}" for error in validator.iter_errors(value)] == []
